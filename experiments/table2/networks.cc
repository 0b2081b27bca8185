#include "experiments/table2/networks.h"

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace repro16 {

absl::StatusOr<std::vector<TrainingPlan>> PlanNetworks() {
  std::vector<TrainingPlan> plans;
  for (const Network& network : Table2Networks()) {
    absl::StatusOr<TrainingPlan> plan =
        PlanTraining(network.model, kPrecisions, kPaperBatch);
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

std::string_view NetworkRuns::PolicyOf(std::string_view precision) const {
  return precision == "FP16_BN32" && !plan.has_batch_norm ? "FP16" : precision;
}

std::vector<const TrainedRun*> NetworkRuns::OfPrecision(
    std::string_view precision) const {
  if (runs == nullptr) return {};
  return runs->OfPolicy(PolicyOf(precision));
}

std::vector<double> NetworkRuns::Accuracies(std::string_view precision) const {
  if (runs == nullptr) return {};
  return FinalTestAccuracies(*runs, PolicyOf(precision));
}

std::vector<double> NetworkRuns::Differences(std::string_view a,
                                             std::string_view b) const {
  if (runs == nullptr) return {};
  const auto percent = [](const TrainedRun& run) {
    return 100 * run.result.epochs().rbegin()->test_accuracy();
  };
  std::vector<double> differences;
  for (const RunSet::Pair& pair : runs->Pairs(PolicyOf(a), PolicyOf(b))) {
    differences.push_back(percent(*pair.a) - percent(*pair.b));
  }
  return differences;
}

absl::StatusOr<std::vector<NetworkRuns>> RowsOf(
    absl::Span<const TrainingPlan> plans, absl::Span<const RunSet> sets) {
  std::vector<NetworkRuns> rows;
  for (size_t i = 0; i < plans.size(); ++i) {
    rows.push_back({Table2Networks()[i], plans[i], nullptr});
  }
  for (const RunSet& set : sets) {
    const std::string& model = set.spec().model();
    NetworkRuns* row = nullptr;
    for (NetworkRuns& candidate : rows) {
      if (candidate.network.model == model) row = &candidate;
    }
    if (row == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "--results: table 2 has no network ", model, "; leave its runs out"));
    }
    if (row->runs != nullptr) {
      return absl::InvalidArgumentError(
          absl::StrCat("--results: the runs of ", model,
                       " are of two specifications; give those of one, but for "
                       "policy and seed"));
    }
    row->runs = &set;
  }
  return rows;
}

}  // namespace repro16
