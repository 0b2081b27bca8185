// Statistics over seeds: is a difference of means equivalent to none?
//
// Equivalence is tested by two one-sided t tests (TOST; Schuirmann 1987) at 5%
// against a range that was chosen beforehand: the means are equivalent when the
// 90% confidence interval of their difference lies inside it. That they differ
// by more than the range allows is a claim on two sides, of which the data
// choose one: it takes the 95% interval, wholly outside.
#ifndef REPRO16_ANALYSIS_STATISTICS_H_
#define REPRO16_ANALYSIS_STATISTICS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace repro16 {

// A mean over n runs, of ours or as published.
struct Sample {
  double mean = 0;
  double sd = 0;  // divided by n - 1; 0 for n < 2
  int64_t n = 0;
};

Sample SampleOf(absl::Span<const double> values);

// Differences that do not matter, in the unit of the values.
struct Range {
  double least = 0;
  double most = 0;
};
constexpr Range Within(double margin) { return {-margin, margin}; }

enum class Verdict {
  kMatch,         // the interval of 1 - 2 level (90%) lies inside the range
  kDiffer,        // that of 1 - level (95%) lies wholly outside of it
  kInconclusive,  // neither
  kUnderpowered,  // under 5 seeds: nothing is concluded
};

// Of every test, unless another one is given.
inline constexpr double kLevel = 0.05;

// A difference of means, in the unit of the values.
struct Equivalence {
  double difference = 0;
  // The confidence interval of the difference, of 1 - 2 level (90%); infinite
  // where the runs are too few for any.
  double low = 0;
  double high = 0;
  double degrees_of_freedom = 0;
  // The larger of the two one-sided tests: under `level` exactly for a match.
  double p_value = 1;
  // The smaller of the tests that the difference lies beyond one end of the
  // range, twice where it has two: under `level` exactly where it differs.
  double p_beyond = 1;
  // The smallest true difference from 0 that this many runs of this spread
  // would find with probability 0.8: (t_(1 - level) + t_0.8) standard errors,
  // as in Bloom, "Minimum detectable effects", 1995.
  double smallest_detectable = 0;
  Verdict verdict = Verdict::kInconclusive;

  // 0 is outside of the interval; beside kMatch: a real difference, smaller
  // than matters.
  bool DiffersFromZero() const { return low > 0 || high < 0; }
};

// The mean over networks of differences of ours and ours, of one seed each,
// which gives both runs the same initial weights and order of the data:
// differences[k] are those of network k, one or more. Networks may vary
// unequally: with v_k = s_k^2 / n_k the standard error is sqrt(sum v_k) / K,
// and its degrees of freedom are Satterthwaite's (1946),
// (sum v_k)^2 / sum (v_k^2 / (n_k - 1)), at most sum (n_k - 1). Networks of two
// seeds, which alone would have one degree of freedom each, share one variance,
// the mean of their s_k^2, with as many degrees as there are. A network of one
// seed has no spread of its own and takes the mean s_k^2 of the others,
// adding no degree of freedom. "Too few" is under 4 = sum (n_k - 1), five seeds
// of one network.
//
// `level` is that of the tests: less where several looks at growing data share
// the error of 5% (Bonferroni).
Equivalence PooledEquivalence(absl::Span<const std::vector<double>> differences,
                              Range range, double level = kLevel);

// Of independent samples of unequal variance, a - b (Welch 1947): ours against
// published mean, sd and n.
Equivalence WelchEquivalence(const Sample& a, const Sample& b, Range range);

// What PooledEquivalence will find, told before the runs.
struct Plan {
  double error = 0;  // standard error of the mean difference
  double degrees_of_freedom = 0;
  // That a match within +-margin is found where the true difference is d:
  // F((margin - d) / error - t) + F((margin + d) / error - t) - 1, or 0, with
  // t = t_(1 - level) and Student's F (Phillips, "Power of the two one-sided
  // tests procedure", 1990, in its central form).
  double power = 0;
};

// Of networks with seeds[k] runs each whose differences have the standard
// deviation spreads[k].
Plan PlanPooled(absl::Span<const double> spreads,
                absl::Span<const int64_t> seeds, double margin,
                double level = kLevel, double difference = 0);

// p-values of a family of tests, adjusted (Holm 1979): the test holds at level
// alpha within the family when its adjusted value is at most alpha. In the
// order given.
std::vector<double> HolmAdjusted(absl::Span<const double> p_values);

// P(X >= k) of a binomial X: n trials, each a success with probability p in
// (0, 1). For n up to 300.
double BinomialAtLeast(int64_t k, int64_t n, double p);

enum class SignVerdict { kMost, kFewest, kUndecided };

// Whether a statement that holds for k of n cases holds for most: exact
// one-sided sign tests at 5% against half of them, from both sides.
SignVerdict SignTest(int64_t k, int64_t n);

// The smallest ratio of two true standard deviations, n values each, that an F
// test at 5%, one-sided, would find with probability 0.8. Infinite for n < 2.
double SmallestDetectableRatio(int64_t n);

// The value under which lies `share` of the values, in [0, 1]: it interpolates
// linearly between order statistics (R and NumPy's default, type 7 of Hyndman
// and Fan 1996). `sorted` is ascending and not empty.
double Quantile(absl::Span<const double> sorted, double share);

// Tukey's box plot, with the quartiles of Quantile.
struct BoxPlot {
  double lower_quartile = 0;
  double median = 0;
  double upper_quartile = 0;
  // The outermost values within 1.5 interquartile ranges of the box.
  double lower_whisker = 0;
  double upper_whisker = 0;
  std::vector<double> outliers;  // beyond the whiskers, ascending
};

// `values` is not empty and has no NaN.
BoxPlot BoxPlotOf(std::vector<double> values);

// Error, naming the seed, when one is there twice: runs of one seed are copies,
// not a sample.
absl::Status CheckDistinctSeeds(std::vector<uint64_t> seeds);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_STATISTICS_H_
