// The paper's table 2 with our values, in three narrower ones, and its chart.
#ifndef REPRO16_EXPERIMENTS_TABLE2_TABLES_H_
#define REPRO16_EXPERIMENTS_TABLE2_TABLES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/network_results.h"
#include "experiments/common/statements.h"
#include "programs/training_plan.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Examples of a step in the paper, for which memory is planned.
inline constexpr int64_t kPaperBatch = 256;

// The differences that are judged, as statements name them.
inline constexpr std::string_view kDifferences[] = {
    "FP16-FP32", "FP16-MP", "FP16_BN32-FP32", "FP16_BN32-MP"};
// "FP16 - FP32" for "FP16-FP32", "control - FP32" for the control's.
std::string ColumnTitle(std::string_view column);
// The paper's column that ours is held beside: "FP16-FP32" for
// "FP16_BN32-FP32".
std::string PaperColumn(std::string_view column);

// Those that are shown beside them, and not judged: of the control (kControl,
// experiments/common/runs.h), and of a rounding eight times as coarse.
inline constexpr std::string_view kControlDifference = "FP32_CONTROL-FP32";
inline constexpr std::string_view kCoarseDifference = "BF16-FP32";
inline constexpr std::string_view kBesideDifferences[] = {kControlDifference,
                                                          kCoarseDifference};

// What the tables show; results, plans in the order of Table2Networks().
struct Table2Data {
  absl::Span<const NetworkResults> results;
  absl::Span<const TrainingPlan> plans;  // of the full networks
  const Judgements& judgements;
  const Golden& published;  // PublishedValues
};

// Test accuracy by precision, beside the published ones.
report::Table AccuracyTable(const Table2Data& data);

// Differences of accuracy, network by network, and their mean.
report::Table DifferenceTable(const Table2Data& data);

// What evaluation with the moving averages gives after the last epoch.
report::Table MovingAverageTable(const Table2Data& data);

// Of the pooled differences of two precisions, with the level at which
// mean/FP16-FP32 is judged, over the networks that have a pair. None where none
// has.
std::optional<Equivalence> MeanDifference(const Table2Data& data,
                                          std::string_view column, Split split);

// Parameters, and the memory that a training step plans.
report::Table SizeTable(const Table2Data& data);

// FP16 and FP16_BN32 against FP32, with intervals, margin and the paper's.
report::Figure DifferenceFigure(const Table2Data& data);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_TABLES_H_
