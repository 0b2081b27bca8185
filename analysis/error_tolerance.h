// Floating-point error and classification tolerance of one sample (section 3.2
// of the paper, Definitions 1 and 2), and what Lemma 1 says of it.
//
//   delta = max_i |p16_i - p32_i|                          error, Eq. 1
//   gamma = largest - second largest element of p32        tolerance, Eq. 2
//   gamma >= 2 delta  implies  argmax p16 = argmax p32     Lemma 1, Eq. 3
//
// At gamma = 2 delta, p16 may have a tie, which an argmax may break the other
// way; the lemma holds with the strict inequality.
#ifndef REPRO16_ANALYSIS_ERROR_TOLERANCE_H_
#define REPRO16_ANALYSIS_ERROR_TOLERANCE_H_

#include "absl/types/span.h"

namespace repro16 {

// How gamma stands to 2 delta.
enum class LemmaPremise {
  kStrict,     // gamma > 2 delta: the classes have to be equal
  kBoundary,   // gamma = 2 delta
  kUnmet,      // gamma < 2 delta
  kNotFinite,  // a probability is infinite or NaN: nothing is promised
};

struct ErrorTolerance {
  double error;      // delta, rounded to f64; NaN for kNotFinite
  double tolerance;  // gamma, rounded to f64; NaN for kNotFinite
  int class_16;      // argmax, the lowest index of a tie; -1: there is a NaN
  int class_32;
  LemmaPremise premise;

  // A network whose probabilities have a NaN names no class, so it agrees with
  // none.
  bool Alike() const { return class_16 >= 0 && class_16 == class_32; }

  // What Lemma 1 rules out.
  bool RefutesLemma() const {
    return premise == LemmaPremise::kStrict && !Alike();
  }
};

// The class probabilities that two networks give to one sample, as stored: both
// of one length, at least 2, with values of f16, bf16 or f32, which f64 holds
// exactly.
//
// `premise` is exact: differences of such values need not fit an f64 (1 -
// 2^-149 does not), so the sign of gamma - 2 |p16_i - p32_i| is taken, for each
// i, from a sum without rounding error.
ErrorTolerance CompareSample(absl::Span<const double> p16,
                             absl::Span<const double> p32);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_ERROR_TOLERANCE_H_
