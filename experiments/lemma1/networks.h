// Lemma 1 on trained networks, sample by sample.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_
#define REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/common/runs.h"

namespace repro16 {

// Test samples that share a premise, and how many of them have two classes.
struct PremiseCounts {
  int64_t samples = 0;
  int64_t differ = 0;
};

// A 16-bit network against the FP32 network of the same seed.
struct NetworkPair {
  std::string name;          // "FP16 seed 1"
  PremiseCounts strict;      // gamma > 2 delta
  PremiseCounts boundary;    // gamma = 2 delta
  PremiseCounts unmet;       // gamma < 2 delta
  PremiseCounts not_finite;  // an infinity or a NaN among the probabilities
  // A line for each sample of `strict` that differs.
  std::vector<std::string> violations;

  int64_t samples() const {
    return strict.samples + boundary.samples + unmet.samples +
           not_finite.samples;
  }
  // Shares of all samples.
  double Guaranteed() const {
    return static_cast<double>(strict.samples) / samples();
  }
  double Alike() const {
    const int64_t differ =
        strict.differ + boundary.differ + unmet.differ + not_finite.differ;
    return static_cast<double>(samples() - differ) / samples();
  }
};

// Every policy but FP32 against FP32, seed by seed. Error: no pair of runs, or
// probabilities that cannot be compared.
absl::StatusOr<std::vector<NetworkPair>> CompareNetworks(const RunSet& runs);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_NETWORKS_H_
