// Error and tolerance of whole networks, precision by precision.
#ifndef REPRO16_EXPERIMENTS_FIG1_CIFAR10_NETWORK_STATISTICS_H_
#define REPRO16_EXPERIMENTS_FIG1_CIFAR10_NETWORK_STATISTICS_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/network_results.h"
#include "experiments/common/pair_statistics.h"
#include "experiments/common/runs.h"

namespace repro16 {

// Quantiles of a quantity over the finite samples.
struct Spread {
  double low = 0;  // 5%
  double lower_quartile = 0;
  double median = 0;
  double upper_quartile = 0;
  double high = 0;  // 95%
};

// `values` need no order; of none, all quantiles are 0.
Spread SpreadOf(std::vector<double> values);

// Pairs of one network's runs.
struct Comparison {
  PairStatistics pooled;  // of all pairs; without `errors` and `tolerances`
  Spread error;           // of the pooled samples
  Spread tolerance;
  // One value a pair.
  std::vector<std::string> names;       // "seed 1"
  std::vector<double> guaranteed;       // samples with gamma >= 2 delta, in %
  std::vector<double> tolerance_ratio;  // mean gamma / mean delta; 0 where no
                                        // sample is finite

  bool Empty() const { return names.empty(); }
};

struct NetworkStatistics {
  NetworkResults results;
  std::string name;  // as the paper writes it
  // Each 16-bit policy against FP32 of the same seed, in order of policy.
  std::vector<std::pair<std::string, Comparison>> policies;
  Comparison seeds;  // FP32 against FP32 of the next seed

  // Empty where the policy has no run.
  const Comparison& Of(std::string_view policy) const;
};

// Points to `sets`. Error: probabilities that cannot be compared, or two sets
// of one model, which are networks of two specifications.
absl::StatusOr<std::vector<NetworkStatistics>> CompareEachNetwork(
    absl::Span<const RunSet> sets);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_CIFAR10_NETWORK_STATISTICS_H_
