// Rounds a number that the host computed in f64 to a storage type.
#ifndef REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_
#define REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// x rounded once, to nearest even, to `type`, and widened to f32 (exact).
inline float RoundToType(double x, DType type) {
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

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ROUND_TO_TYPE_H_
