// Lemma 1 on trained networks, sample by sample.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_
#define REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/runs.h"

namespace repro16 {

// Test samples that share a premise, and how many of them have two classes.
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

// A 16-bit network against the FP32 network of the same seed.
struct NetworkPair {
  std::string name;          // "FP16 seed 1"
  std::string policy;        // the 16-bit one
  PremiseCounts strict;      // gamma > 2 delta
  PremiseCounts boundary;    // gamma = 2 delta
  PremiseCounts unmet;       // gamma < 2 delta
  PremiseCounts not_finite;  // an infinity or a NaN among the probabilities
  ClosestCase closest;
  // A line for each sample of `strict` that differs.
  std::vector<std::string> violations;

  int64_t samples() const {
    return strict.samples + boundary.samples + unmet.samples +
           not_finite.samples;
  }
  int64_t alike() const {
    return samples() -
           (strict.differ + boundary.differ + unmet.differ + not_finite.differ);
  }
  // Shares of all samples.
  double Guaranteed() const {
    return static_cast<double>(strict.samples) / samples();
  }
  double Alike() const { return static_cast<double>(alike()) / samples(); }
};

// Every policy but FP32 against FP32, seed by seed. Error: no pair of runs, or
// probabilities that cannot be compared.
absl::StatusOr<std::vector<NetworkPair>> CompareNetworks(const RunSet& runs);

// All samples of `pairs`, one or more, as those of one pair.
NetworkPair Pool(std::string name, absl::Span<const NetworkPair> pairs);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_
