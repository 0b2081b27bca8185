// The vectors of f32 that kernels compute in, per Highway target.
#if defined(REPRO16_ENGINE_CPU_MACHINE_FLOAT_VECTOR_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_MACHINE_FLOAT_VECTOR_INL_H_
#undef REPRO16_ENGINE_CPU_MACHINE_FLOAT_VECTOR_INL_H_
#else
#define REPRO16_ENGINE_CPU_MACHINE_FLOAT_VECTOR_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"

// Before a loop over an array of vectors, so that these stay in registers.
#undef REPRO16_UNROLL
#if HWY_COMPILER_CLANG
#define REPRO16_UNROLL _Pragma("clang loop unroll(full)")
#else
#define REPRO16_UNROLL _Pragma("GCC unroll 16")
#endif

namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::VFromD<FloatTag>;
inline constexpr size_t kLanes = hn::MaxLanes(FloatTag());
// The same, as a step of an index.
inline constexpr int64_t kVector = static_cast<int64_t>(kLanes);

}  // namespace HWY_NAMESPACE
}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_MACHINE_FLOAT_VECTOR_INL_H_
