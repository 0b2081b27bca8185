// The networks of table 2, each with what it is in full and with its runs.
#ifndef REPRO16_EXPERIMENTS_TABLE2_NETWORKS_H_
#define REPRO16_EXPERIMENTS_TABLE2_NETWORKS_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/runs.h"
#include "programs/training_plan.h"

namespace repro16 {

// The columns of our table. The paper's column FP16 is FP16 by its text and
// FP16_BN32 by what its framework did.
inline constexpr std::string_view kPrecisions[] = {"FP16", "FP16_BN32", "FP32",
                                                   "MP"};

// Examples of a step in the paper, for which memory is planned.
inline constexpr int64_t kPaperBatch = 256;

// Of the full networks, in the order of Table2Networks(); bytes are in the
// order of kPrecisions, for batches of kPaperBatch.
absl::StatusOr<std::vector<TrainingPlan>> PlanNetworks();

struct NetworkRuns {
  Network network;
  TrainingPlan plan;             // of the full network
  const RunSet* runs = nullptr;  // none: no run was made

  // Whose runs stand in a column: those of FP16 in FP16_BN32 too where there is
  // no batch normalisation.
  std::string_view PolicyOf(std::string_view precision) const;
  // Empty where the cell was not run.
  std::vector<const TrainedRun*> OfPrecision(std::string_view precision) const;
  // In percent, one value a seed.
  std::vector<double> Accuracies(std::string_view precision) const;
  // a - b in points, one value for each seed that both have.
  std::vector<double> Differences(std::string_view a, std::string_view b) const;
};

// A row for each network of table 2. InvalidArgument for runs of a network that
// the table does not have, or of two specifications of one.
absl::StatusOr<std::vector<NetworkRuns>> RowsOf(
    absl::Span<const TrainingPlan> plans, absl::Span<const RunSet> sets);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_NETWORKS_H_
