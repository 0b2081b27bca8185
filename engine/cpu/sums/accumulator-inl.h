// The additions of a sum, per Highway target.
#if defined(REPRO16_ENGINE_CPU_SUMS_ACCUMULATOR_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_SUMS_ACCUMULATOR_INL_H_
#undef REPRO16_ENGINE_CPU_SUMS_ACCUMULATOR_INL_H_
#else
#define REPRO16_ENGINE_CPU_SUMS_ACCUMULATOR_INL_H_
#endif

#include "engine/cpu/machine/float_vector-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// A step of the sum, acc + a * b, and the addition of two sums (DotSum).
struct F32Accumulator {
  static HWY_INLINE FloatVector MulAdd(FloatVector a, FloatVector b,
                                       FloatVector acc) {
    return hn::MulAdd(a, b, acc);
  }
  static HWY_INLINE FloatVector Add(FloatVector x, FloatVector y) {
    return hn::Add(x, y);
  }
};

struct F16Accumulator {
  static HWY_INLINE FloatVector Add(FloatVector x, FloatVector y) {
    return RoundTo<Binary16>(FloatTag(), hn::Add(x, y));
  }
  static HWY_INLINE FloatVector MulAdd(FloatVector a, FloatVector b,
                                       FloatVector acc) {
    return Add(acc, RoundTo<Binary16>(FloatTag(), hn::Mul(a, b)));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_SUMS_ACCUMULATOR_INL_H_
