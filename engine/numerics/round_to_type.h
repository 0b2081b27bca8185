// Rounds a number in f64 to a storage type that is known at run time.
#ifndef REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_
#define REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_

#include <cstring>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/rounding.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// x rounded once, to nearest even, to `type`, and widened to f32 (exact).
REPRO16_HOST_DEVICE inline float RoundToType(double x, DType type) {
  switch (type) {
    case DType::kF32:
      return static_cast<float>(x);
    case DType::kF16:
      return ToFloat(RoundToBinary16(x));
    case DType::kBF16:
      return ToFloat(RoundToBFloat16(x));
  }
  return 0;
}

// The same, stored in that type at `to`, which need not be aligned; NaN becomes
// the canonical NaN.
REPRO16_HOST_DEVICE inline void StoreAsType(double x, DType type, void* to) {
  switch (type) {
    case DType::kF32: {
      const float rounded = RoundToStored<float>(static_cast<float>(x));
      std::memcpy(to, &rounded, sizeof(rounded));
      return;
    }
    case DType::kF16: {
      const Binary16 f16 = RoundToBinary16(x);
      std::memcpy(to, &f16, sizeof(f16));
      return;
    }
    case DType::kBF16: {
      const BFloat16 bf16 = RoundToBFloat16(x);
      std::memcpy(to, &bf16, sizeof(bf16));
      return;
    }
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_
