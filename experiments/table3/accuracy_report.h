// The accuracies of table 3 as the paper prints them, and those beside them.
#ifndef REPRO16_EXPERIMENTS_TABLE3_ACCURACY_REPORT_H_
#define REPRO16_EXPERIMENTS_TABLE3_ACCURACY_REPORT_H_

#include <string_view>

#include "absl/types/span.h"
#include "experiments/table3/sweep.h"
#include "experiments/table3/verdicts.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// A row of the paper's table; the last one is its first at another rate.
struct PaperRow {
  std::string_view model;
  double rate;
};
inline constexpr PaperRow kPaperRows[] = {
    {"resnet18", kRate}, {"resnet34", kRate}, {"resnet18", kOtherRate}};

// FP16 with Adam, each network and rate a row, with the paper's values and the
// verdicts of `report`'s expectations on a collapse in their cells.
report::Table PaperTable(absl::Span<const Sweep> sweeps, const Golden& golden,
                         const report::Report& report);

// What the paper leaves out: FP32 and MP with Adam, and all of RMSProp.
report::Table BesideTable(absl::Span<const Sweep> sweeps);

// SGD, which has no epsilon, by precision.
report::Table SgdTable(absl::Span<const Sweep> sweeps);

// Accuracy over epsilon, ours and the paper's.
report::Figure AccuracyFigure(absl::Span<const Sweep> sweeps,
                              const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_ACCURACY_REPORT_H_
