// What Adam and RMSProp do to one weight in 16 and in 32 bits, in exact
// arithmetic of f16 and f32: every elementary operation of an update rounds
// once to the type of the update (engine/graph/update_rule.h has the rules, as
// Keras 2.15 computes them). Nothing here is measured; nothing depends on a
// training run.
//
// Operations are done in f64 and then rounded. For +, -, *, / and sqrt of
// numbers of at most 24 bits that is the correctly rounded result (Figueroa,
// "When is double rounding innocuous?", 1995).
#ifndef REPRO16_EXPERIMENTS_TABLE3_UPDATE_ARITHMETIC_H_
#define REPRO16_EXPERIMENTS_TABLE3_UPDATE_ARITHMETIC_H_

#include "engine/tensor/dtype.h"

namespace repro16 {

// Decay of the moments, as all runs of table 3 have it.
inline constexpr double kBeta1 = 0.9;
inline constexpr double kBeta2 = 0.999;
inline constexpr double kRho = 0.9;  // of RMSProp

// Both moments of one weight.
struct Moments {
  double first = 0;
  double second = 0;
};

// Adam's moments after one more step with gradient `gradient`, a value of
// `type`.
Moments NextMoments(const Moments& moments, double gradient, DType type);

// Adam's moments after so many steps with one and the same gradient that they
// no longer change. With exact numbers they would be gradient and gradient^2;
// rounded, they stop on the way.
Moments SteadyMoments(double gradient, DType type);

// The size of Adam's step on a weight with these moments, r(r(m * rate) /
// r(r(sqrt(v)) + r(epsilon))), late in a training: both bias corrections are 1,
// and never make it larger (in f16, at any step). Infinite or NaN where the
// denominator is 0.
double AdamStep(const Moments& moments, double rate, double epsilon,
                DType type);

// The size of RMSProp's step, r(r(rate * g) * r(1 / sqrt(r(v + r(epsilon))))).
double RmsPropStep(double gradient, double second_moment, double rate,
                   double epsilon, DType type);

// Smallest positive gradients of `type` from which a moment that is 0 becomes
// other than 0.
double SmallestGradientOfFirstMoment(DType type);
double SmallestGradientOfSecondMoment(DType type);
double SmallestGradientOfMeanSquare(DType type);  // RMSProp

// The largest gradient of `type` that leaves a second moment of 0 at 0.
double LargestGradientWhileZero(DType type);

// The largest step that Adam takes while a weight's second moment is 0. A
// second moment that was ever other than 0 never returns to 0, so that no
// gradient so far, and hence no first moment, is as large as
// SmallestGradientOfSecondMoment.
double LargestAdamStepWhileZero(double rate, double epsilon, DType type);
double LargestRmsPropStepWhileZero(double rate, double epsilon, DType type);

// The smallest step other than 0 that Adam takes while a weight's second moment
// is 0: the smallest number of the type, divided by epsilon.
double SmallestAdamStepWhileZero(double epsilon, DType type);

// The smallest positive number of `type`, f16's 2^-24 or f32's 2^-149.
double SmallestPositive(DType type);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_UPDATE_ARITHMETIC_H_
