#include "experiments/common/pair_statistics.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "analysis/error_tolerance.h"

namespace repro16 {
namespace {

Moments MomentsOf(const std::vector<double>& values) {
  Moments moments;
  if (values.empty()) return moments;
  double sum = 0;
  for (double value : values) {
    sum += value;
    moments.max = std::max(moments.max, value);
  }
  moments.mean = sum / values.size();
  double squares = 0;
  for (double value : values) {
    squares += (value - moments.mean) * (value - moments.mean);
  }
  moments.variance = squares / values.size();
  return moments;
}

PremiseCounts& CountsOf(LemmaPremise premise, PairStatistics& pair) {
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

// Counts one sample, the i-th, whose pair is called `pair_name`.
void Add(const ErrorTolerance& sample, std::string_view pair_name, int64_t i,
         PairStatistics& pair) {
  PremiseCounts& counts = CountsOf(sample.premise, pair);
  ++counts.samples;
  counts.differ += !sample.Alike();
  if (sample.premise == LemmaPremise::kNotFinite) return;
  pair.errors.push_back(sample.error);
  pair.tolerances.push_back(sample.tolerance);
  if (sample.Alike()) return;
  TakeCloser({absl::StrCat(pair_name, ", test sample ", i), sample.error,
              sample.tolerance},
             pair.closest);
  if (sample.RefutesLemma()) {
    pair.violations.push_back(absl::StrFormat(
        "%s: test sample %d: Γ = %a > 2δ, δ = %a, but classes %d and %d",
        pair_name, i, sample.tolerance, sample.error, sample.class_16,
        sample.class_32));
  }
}

absl::StatusOr<PairStatistics> ComparePair(std::string name,
                                           const TrainedRun& run_16,
                                           const TrainedRun& run_32) {
  const absl::StatusOr<Probabilities> p16 = LoadProbabilities(run_16);
  if (!p16.ok()) return p16.status();
  const absl::StatusOr<Probabilities> p32 = LoadProbabilities(run_32);
  if (!p32.ok()) return p32.status();
  if (absl::Status status = CheckSameExamples(run_16, *p16, run_32, *p32);
      !status.ok()) {
    return status;
  }
  PairStatistics pair;
  pair.policy = run_16.policy();
  pair.name = std::move(name);
  const std::string full_name = absl::StrCat(pair.policy, " ", pair.name);
  for (int64_t i = 0; i < p16->examples; ++i) {
    const ErrorTolerance sample = CompareSample(p16->Row(i), p32->Row(i));
    Add(sample, full_name, i, pair);
    if (sample.premise == LemmaPremise::kNotFinite) continue;
    if (pair.largest.sample >= 0 && sample.error <= pair.largest.error) {
      continue;
    }
    pair.largest = {i,
                    p16->labels[i],
                    sample.error,
                    sample.tolerance,
                    sample.class_16,
                    sample.class_32,
                    p16->Row(i)[sample.class_16],
                    p32->Row(i)[sample.class_32]};
  }
  pair.error = MomentsOf(pair.errors);
  pair.tolerance = MomentsOf(pair.tolerances);
  return pair;
}

}  // namespace

int64_t PairStatistics::samples() const {
  return strict.samples + boundary.samples + unmet.samples + not_finite.samples;
}

int64_t PairStatistics::alike() const {
  return samples() -
         (strict.differ + boundary.differ + unmet.differ + not_finite.differ);
}

absl::StatusOr<std::vector<PairStatistics>> ComparePolicy(
    const RunSet& runs, std::string_view policy) {
  std::vector<PairStatistics> pairs;
  for (const RunSet::Pair& pair : runs.Pairs(policy, "FP32")) {
    absl::StatusOr<PairStatistics> statistics =
        ComparePair(absl::StrCat("seed ", pair.a->seed()), *pair.a, *pair.b);
    if (!statistics.ok()) return statistics.status();
    pairs.push_back(*std::move(statistics));
  }
  return pairs;
}

absl::StatusOr<std::vector<PairStatistics>> CompareEachPolicy(
    const RunSet& runs) {
  std::vector<PairStatistics> all;
  for (const std::string& policy : runs.Policies()) {
    if (policy == "FP32") continue;
    absl::StatusOr<std::vector<PairStatistics>> pairs =
        ComparePolicy(runs, policy);
    if (!pairs.ok()) return pairs.status();
    for (PairStatistics& pair : *pairs) {
      pair.name = absl::StrCat(policy, " ", pair.name);
      all.push_back(std::move(pair));
    }
  }
  if (all.empty()) {
    return absl::InvalidArgumentError(
        "--results: no run shares its seed with an FP32 run; give both");
  }
  return all;
}

absl::StatusOr<std::vector<PairStatistics>> CompareSeeds(const RunSet& runs) {
  std::vector<PairStatistics> pairs;
  const std::vector<const TrainedRun*> fp32 = runs.OfPolicy("FP32");
  for (size_t i = 1; i < fp32.size(); ++i) {
    absl::StatusOr<PairStatistics> statistics = ComparePair(
        absl::StrCat("seeds ", fp32[i - 1]->seed(), " and ", fp32[i]->seed()),
        *fp32[i - 1], *fp32[i]);
    if (!statistics.ok()) return statistics.status();
    pairs.push_back(*std::move(statistics));
  }
  return pairs;
}

PairStatistics Pool(std::string name, absl::Span<const PairStatistics> pairs) {
  PairStatistics pool;
  pool.name = std::move(name);
  for (const PairStatistics& pair : pairs) {
    pool.policy = pairs.front().policy;
    Add(pair.strict, pool.strict);
    Add(pair.boundary, pool.boundary);
    Add(pair.unmet, pool.unmet);
    Add(pair.not_finite, pool.not_finite);
    TakeCloser(pair.closest, pool.closest);
    pool.violations.insert(pool.violations.end(), pair.violations.begin(),
                           pair.violations.end());
    if (pool.largest.sample < 0 || pair.largest.error > pool.largest.error) {
      pool.largest = pair.largest;
    }
    pool.errors.insert(pool.errors.end(), pair.errors.begin(),
                       pair.errors.end());
    pool.tolerances.insert(pool.tolerances.end(), pair.tolerances.begin(),
                           pair.tolerances.end());
  }
  pool.error = MomentsOf(pool.errors);
  pool.tolerance = MomentsOf(pool.tolerances);
  return pool;
}

absl::StatusOr<PairSets> ComparePairs(const RunSet& runs) {
  absl::StatusOr<std::vector<PairStatistics>> same_seed =
      ComparePolicy(runs, "FP16");
  if (!same_seed.ok()) return same_seed.status();
  if (same_seed->empty()) {
    return absl::InvalidArgumentError(
        "--results: no FP16 and FP32 run of the same seed; give both");
  }
  absl::StatusOr<std::vector<PairStatistics>> controls = CompareSeeds(runs);
  if (!controls.ok()) return controls.status();
  return PairSets{*std::move(same_seed), *std::move(controls)};
}

}  // namespace repro16
