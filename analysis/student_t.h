// Student's t distribution.
#ifndef REPRO16_ANALYSIS_STUDENT_T_H_
#define REPRO16_ANALYSIS_STUDENT_T_H_

namespace repro16 {

// P(T <= t) with df > 0 degrees of freedom, which need not be whole. Within
// 1e-12 of the true value for df up to 1e5.
double StudentTCdf(double t, double df);

// The t with StudentTCdf(t, df) = p, for 0 < p < 1.
double StudentTQuantile(double p, double df);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_STUDENT_T_H_
