// From a DType at run time to a C++ type at compile time.
#ifndef REPRO16_ENGINE_NUMERICS_VISIT_DTYPE_H_
#define REPRO16_ENGINE_NUMERICS_VISIT_DTYPE_H_

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Calls fn with a value of the C++ type that stores `type`.
template <class Fn>
void VisitDType(DType type, const Fn& fn) {
  switch (type) {
    case DType::kF32:
      return fn(float{});
    case DType::kF16:
      return fn(Binary16{});
    case DType::kBF16:
      return fn(BFloat16{});
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_VISIT_DTYPE_H_
