// The paper's statements on figure 4, each counted over networks and judged by
// the rules in golden.textproto.
#ifndef REPRO16_EXPERIMENTS_FIG4_STATEMENTS_H_
#define REPRO16_EXPERIMENTS_FIG4_STATEMENTS_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "experiments/common/runs.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Whether so many seeds have a box: five or more.
bool HasBox(const std::vector<double>& values);

// Adds an expectation for each statement: median, deviation and outliers of
// FP16 against FP32 and MP, and of FP16_BN32 in its place. Errors name a golden
// value that is missing.
absl::Status AddStatements(absl::Span<const RunSet> sets, const Golden& golden,
                           report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG4_STATEMENTS_H_
