// Error and tolerance of pairs of networks over the test set.
#ifndef REPRO16_EXPERIMENTS_FIG1_PAIR_STATISTICS_H_
#define REPRO16_EXPERIMENTS_FIG1_PAIR_STATISTICS_H_

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

// A network, "16", against another, "32", whose tolerance is taken.
struct PairStatistics {
  std::string name;  // "seed 1"
  int64_t samples = 0;
  int64_t not_finite = 0;  // samples with an infinity or a NaN; in no moment
  int64_t covered = 0;     // gamma >= 2 delta
  int64_t boundary = 0;    // gamma = 2 delta
  int64_t alike = 0;       // classified alike
  Moments error;           // delta
  Moments tolerance;       // gamma
  LargestError largest;
  // A value a finite sample, in their order.
  std::vector<double> errors;
  std::vector<double> tolerances;

  // Whether there are moments.
  bool Finite() const { return samples > not_finite; }
  double Ratio() const { return tolerance.mean / error.mean; }
  // Shares of all samples.
  double Guaranteed() const { return Share(covered); }
  double Alike() const { return Share(alike); }
  double Share(int64_t count) const {
    return static_cast<double>(count) / samples;
  }
};

// `policy` against FP32, in order of seed; none where no seed has both. Error:
// probabilities that cannot be compared.
absl::StatusOr<std::vector<PairStatistics>> ComparePolicy(
    const RunSet& runs, std::string_view policy);

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

// In percent, after the last epoch.
double FinalTestAccuracy(const TrainedRun& run);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_PAIR_STATISTICS_H_
