// The paper's table 2 with our values, in three narrower ones, and its chart.
#ifndef REPRO16_EXPERIMENTS_TABLE2_TABLES_H_
#define REPRO16_EXPERIMENTS_TABLE2_TABLES_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/table2/comparisons.h"
#include "experiments/table2/networks.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// A network's parameters beside the paper's, as an expectation: a fact of the
// full network, judged at every scale.
absl::StatusOr<report::Expectation> ExpectParameters(const NetworkRuns& row,
                                                     const Golden& golden);

// Test accuracy by precision; `published` are those of CompareWithPublished.
absl::StatusOr<report::Table> AccuracyTable(
    absl::Span<const NetworkRuns> rows, absl::Span<const Comparison> published,
    const Golden& golden);

// Differences of accuracy; pooled[i] is the expectation on the mean of
// differences[i].
absl::StatusOr<report::Table> DifferenceTable(
    absl::Span<const NetworkRuns> rows,
    absl::Span<const Comparison> differences,
    absl::Span<const report::Expectation> pooled, const Golden& golden);

// Parameters, and the memory that a training step plans; parameters[i] is the
// expectation on row i.
report::Table SizeTable(absl::Span<const NetworkRuns> rows,
                        absl::Span<const report::Expectation> parameters);

// FP16 and FP16_BN32 against FP32, with intervals, margin and the paper's.
absl::StatusOr<report::Figure> DifferenceFigure(
    absl::Span<const NetworkRuns> rows,
    absl::Span<const Comparison> differences, const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_TABLES_H_
