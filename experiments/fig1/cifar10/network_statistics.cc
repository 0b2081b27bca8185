#include "experiments/fig1/cifar10/network_statistics.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"

namespace repro16 {
namespace {

Comparison ComparisonOf(const std::string& network,
                        absl::Span<const PairStatistics> pairs) {
  Comparison comparison;
  PairStatistics& pooled = comparison.pooled;
  pooled = Pool(network, pairs);
  comparison.error = SpreadOf(std::move(pooled.errors));
  comparison.tolerance = SpreadOf(std::move(pooled.tolerances));
  pooled.errors.clear();
  pooled.tolerances.clear();
  for (const PairStatistics& pair : pairs) {
    comparison.names.push_back(pair.name);
    comparison.guaranteed.push_back(100 * pair.Covered());
    comparison.tolerance_ratio.push_back(pair.Finite() ? pair.Ratio() : 0);
  }
  return comparison;
}

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {Quantile(values, 0.05), Quantile(values, 0.25), Quantile(values, 0.5),
          Quantile(values, 0.75), Quantile(values, 0.95)};
}

const Comparison& NetworkStatistics::Of(std::string_view policy) const {
  static const Comparison* const kNone = new Comparison;
  for (const auto& [name, comparison] : policies) {
    if (name == policy) return comparison;
  }
  return *kNone;
}

absl::StatusOr<std::vector<NetworkStatistics>> CompareEachNetwork(
    absl::Span<const RunSet> sets) {
  std::vector<NetworkStatistics> networks;
  for (const NetworkResults& results : ResultsOf(sets)) {
    const RunSet& set = *results.runs();
    NetworkStatistics network{
        results, std::string(results.network().name), {}, {}};
    for (const NetworkStatistics& other : networks) {
      if (other.name != network.name) continue;
      return absl::InvalidArgumentError(absl::StrCat(
          "--results: runs of ", network.name,
          " are of two specifications; give those of one for each network"));
    }
    for (const std::string& policy : set.Policies()) {
      if (policy == "FP32") continue;
      const absl::StatusOr<std::vector<PairStatistics>> pairs =
          ComparePolicy(set, policy);
      if (!pairs.ok()) return pairs.status();
      if (pairs->empty()) continue;
      network.policies.emplace_back(policy, ComparisonOf(network.name, *pairs));
    }
    const absl::StatusOr<std::vector<PairStatistics>> seeds = CompareSeeds(set);
    if (!seeds.ok()) return seeds.status();
    network.seeds = ComparisonOf(network.name, *seeds);
    networks.push_back(std::move(network));
  }
  return networks;
}

}  // namespace repro16
