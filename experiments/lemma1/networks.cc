#include "experiments/lemma1/networks.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/error_tolerance.h"

namespace repro16 {
namespace {

PremiseCounts& CountsOf(LemmaPremise premise, NetworkPair& pair) {
  switch (premise) {
    case LemmaPremise::kStrict:
      return pair.strict;
    case LemmaPremise::kBoundary:
      return pair.boundary;
    case LemmaPremise::kUnmet:
      return pair.unmet;
    case LemmaPremise::kNotFinite:
      break;
  }
  return pair.not_finite;
}

void Add(const PremiseCounts& from, PremiseCounts& to) {
  to.samples += from.samples;
  to.differ += from.differ;
}

// Takes `other` where it is closer.
void TakeCloser(const ClosestCase& other, ClosestCase& closest) {
  if (other.sample.empty()) return;
  if (closest.sample.empty() || other.Ratio() > closest.Ratio()) {
    closest = other;
  }
}

absl::StatusOr<NetworkPair> ComparePair(const TrainedRun& run_16,
                                        const TrainedRun& run_32) {
  const absl::StatusOr<Probabilities> p16 = LoadProbabilities(run_16);
  if (!p16.ok()) return p16.status();
  const absl::StatusOr<Probabilities> p32 = LoadProbabilities(run_32);
  if (!p32.ok()) return p32.status();
  if (absl::Status status = CheckSameExamples(run_16, *p16, run_32, *p32);
      !status.ok()) {
    return status;
  }
  NetworkPair pair;
  pair.policy = run_16.policy();
  pair.name = absl::StrCat(pair.policy, " seed ", run_16.seed());
  for (int64_t i = 0; i < p16->examples; ++i) {
    const ErrorTolerance sample = CompareSample(p16->Row(i), p32->Row(i));
    PremiseCounts& counts = CountsOf(sample.premise, pair);
    ++counts.samples;
    counts.differ += !sample.Alike();
    if (!sample.Alike() && sample.premise != LemmaPremise::kNotFinite) {
      TakeCloser({absl::StrCat(pair.name, ", test sample ", i), sample.error,
                  sample.tolerance},
                 pair.closest);
    }
    if (sample.RefutesLemma()) {
      pair.violations.push_back(absl::StrFormat(
          "%s: test sample %d: Γ = %a > 2δ, δ = %a, but classes %d and %d",
          pair.name, i, sample.tolerance, sample.error, sample.class_16,
          sample.class_32));
    }
  }
  return pair;
}

}  // namespace

NetworkPair Pool(std::string name, absl::Span<const NetworkPair> pairs) {
  NetworkPair pool;
  pool.name = std::move(name);
  pool.policy = pairs.front().policy;
  for (const NetworkPair& pair : pairs) {
    Add(pair.strict, pool.strict);
    Add(pair.boundary, pool.boundary);
    Add(pair.unmet, pool.unmet);
    Add(pair.not_finite, pool.not_finite);
    TakeCloser(pair.closest, pool.closest);
    pool.violations.insert(pool.violations.end(), pair.violations.begin(),
                           pair.violations.end());
  }
  return pool;
}

absl::StatusOr<std::vector<NetworkPair>> CompareNetworks(const RunSet& runs) {
  std::vector<NetworkPair> pairs;
  for (const std::string& policy : runs.Policies()) {
    if (policy == "FP32") continue;
    for (const RunSet::Pair& pair : runs.Pairs(policy, "FP32")) {
      absl::StatusOr<NetworkPair> compared = ComparePair(*pair.a, *pair.b);
      if (!compared.ok()) return compared.status();
      pairs.push_back(*std::move(compared));
    }
  }
  if (pairs.empty()) {
    return absl::InvalidArgumentError(
        "--results: no run shares its seed with an FP32 run; give both");
  }
  return pairs;
}

}  // namespace repro16
