// Error, tolerance and what Lemma 1 says of them, for pairs of networks over
// the test set (analysis/error_tolerance.h).
#ifndef REPRO16_EXPERIMENTS_COMMON_PAIR_STATISTICS_H_
#define REPRO16_EXPERIMENTS_COMMON_PAIR_STATISTICS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/runs.h"

namespace repro16 {

// Of the finite values of a quantity.
struct Moments {
  double mean = 0;
  double variance = 0;  // divided by the count
  double max = 0;
};

// The sample with the largest error, the first of several.
struct LargestError {
  int64_t sample = -1;  // index in the test set; -1: no sample is finite
  int64_t label = 0;
  double error = 0;
  double tolerance = 0;
  int class_16 = 0;
  int class_32 = 0;
  double probability_16 = 0;  // of its own class
  double probability_32 = 0;
};

// Samples that share a premise, and how many of them have two classes.
struct PremiseCounts {
  int64_t samples = 0;
  int64_t differ = 0;
};

// Of the samples to which the networks give different classes, that with the
// largest gamma / (2 delta): the closest to what the lemma rules out.
struct ClosestCase {
  std::string sample;  // "FP16 seed 1, test sample 7"; empty: no finite sample
                       // differs
  double error = 0;
  double tolerance = 0;

  // At most 1, unless the lemma is refuted. No error is 0: without one the
  // classes are equal.
  double Ratio() const { return tolerance / (2 * error); }
};

// A network, "16", against another, "32", whose tolerance is taken.
struct PairStatistics {
  std::string name;          // "seed 1"
  std::string policy;        // of the first
  PremiseCounts strict;      // gamma > 2 delta
  PremiseCounts boundary;    // gamma = 2 delta
  PremiseCounts unmet;       // gamma < 2 delta
  PremiseCounts not_finite;  // an infinity or a NaN among the probabilities
  ClosestCase closest;
  // A line for each sample of `strict` that differs.
  std::vector<std::string> violations;
  // Of the finite samples.
  Moments error;      // delta
  Moments tolerance;  // gamma
  LargestError largest;
  // A value a finite sample, in their order.
  std::vector<double> errors;
  std::vector<double> tolerances;

  int64_t samples() const;
  int64_t alike() const;  // classified alike
  // Whether there are moments.
  bool Finite() const { return samples() > not_finite.samples; }
  double Ratio() const { return tolerance.mean / error.mean; }
  // Shares of all samples: with gamma > 2 delta, with gamma >= 2 delta.
  double Guaranteed() const { return Share(strict.samples); }
  double Covered() const { return Share(strict.samples + boundary.samples); }
  double Alike() const { return Share(alike()); }
  double Share(int64_t count) const {
    return static_cast<double>(count) / samples();
  }
};

// `policy` against FP32, in order of seed; none where no seed has both. Error:
// probabilities that cannot be compared.
absl::StatusOr<std::vector<PairStatistics>> ComparePolicy(
    const RunSet& runs, std::string_view policy);

// Every policy but FP32 against FP32; names are "FP16 seed 1". Error: no pair
// of runs, or probabilities that cannot be compared.
absl::StatusOr<std::vector<PairStatistics>> CompareEachPolicy(
    const RunSet& runs);

// FP32 against FP32 of the next seed, what a change of seed does; none where
// there is one seed.
absl::StatusOr<std::vector<PairStatistics>> CompareSeeds(const RunSet& runs);

// All samples of `pairs` as those of one pair.
PairStatistics Pool(std::string name, absl::Span<const PairStatistics> pairs);

struct PairSets {
  std::vector<PairStatistics> same_seed;  // FP16 against FP32, not empty
  std::vector<PairStatistics> controls;   // of CompareSeeds
};

// Reads the probabilities of all FP16 and FP32 runs. Error: no pair of runs, or
// probabilities that cannot be compared.
absl::StatusOr<PairSets> ComparePairs(const RunSet& runs);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_PAIR_STATISTICS_H_
