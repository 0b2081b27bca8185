// Elements whose storage type is known when a kernel runs: for the few that
// are read or written once a column, where a kernel for each type would not
// pay.
#ifndef REPRO16_ENGINE_CUDA_SIMT_RUN_TIME_TYPE_H_
#define REPRO16_ENGINE_CUDA_SIMT_RUN_TIME_TYPE_H_

#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Calls fn with a value of the C++ type that stores `type`.
template <class Fn>
SIMT_FUNCTION void VisitDTypeOnDevice(DType type, const Fn& fn) {
  switch (type) {
    case DType::kF32:
      return fn(float{});
    case DType::kF16:
      return fn(Binary16{});
    case DType::kBF16:
      return fn(BFloat16{});
  }
}

// x[i] in f32; the launch may write it afterwards.
SIMT_FUNCTION float LoadAs(DType type, const void* x, int i) {
  float value = 0;
  VisitDTypeOnDevice(type, [&](auto tag) {
    value = ToFloat(static_cast<const decltype(tag)*>(x)[i]);
  });
  return value;
}

// StoreCounts::Store to y[i].
SIMT_FUNCTION void StoreAs(DType type, float x, void* y, int i,
                           StoreCounts& counts) {
  VisitDTypeOnDevice(type, [&](auto tag) {
    counts.Store(x, static_cast<decltype(tag)*>(y) + i);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_RUN_TIME_TYPE_H_
