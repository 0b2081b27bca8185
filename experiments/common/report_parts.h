// The parts of a Report that all experiments fill alike.
#ifndef REPRO16_EXPERIMENTS_COMMON_REPORT_PARTS_H_
#define REPRO16_EXPERIMENTS_COMMON_REPORT_PARTS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "engine/run/run.pb.h"
#include "experiments/common/runs.h"
#include "reports/report.pb.h"

namespace repro16 {

// A report of these runs with name, scale, provenance, rounding counts,
// findings of what the runs were warned about, and the command that makes it
// again.
report::Report StartReport(std::string_view experiment, const RunSet& runs);
// The same of several sets, which may be none.
report::Report StartReport(std::string_view experiment, std::string_view scale,
                           absl::Span<const RunSet> sets);

// Names in the provenance how the runs are smaller than the full protocol on
// MNIST: 50 seeds of 10 epochs on all of the published data.
void AddMnistReductions(const RunSet& runs, report::Report* report);

// Adds, for each seed, the first step at which the runs of the two policies
// have different losses.
void AddPartings(const RunSet& runs, std::string_view policy_a,
                 std::string_view policy_b, report::Report* report);

// For each policy and field that runs were warned about (RunResult::warnings),
// a finding that has the first warning and how many runs share it. `whose`
// begins its title: "Runs".
void AddRunWarnings(std::string_view whose,
                    absl::Span<const RunResult* const> results,
                    report::Report* report);

void AddFinding(report::Finding::Kind kind, std::string_view title,
                std::string_view text, std::string_view place,
                report::Report* report);

// For each expectation that differs, a finding that sets what the paper says
// beside what we found.
void AddContradictions(report::Report* report);

// The finding that the paper does not state its network and training on MNIST,
// with ours (experiments/runs/mnist_mlp.bzl).
void AddMnistProtocol(report::Report* report);

// Mean and, for two values or more, sample standard deviation (n - 1).
report::Estimate EstimateOf(absl::Span<const double> values);

// Cells of a table.
report::Cell TextCell(std::string_view text);
// "12,345".
report::Cell CountCell(int64_t count);
// A number, shown as `text`.
report::Cell NumberCell(double number, std::string_view text);

// "98.12 ± 0.05 (3)": mean, standard deviation, seeds; with a sign where `sign`
// says so. "-" without values.
report::Cell EstimateCell(absl::Span<const double> values, bool sign = false);

// "1.2E-03", as the paper writes small numbers.
std::string Scientific(double value);
// A share in [0, 1] as "98.76%".
std::string Percent(double share);

void AddRow(std::vector<report::Cell> cells, report::Table* table);
void AddColumns(absl::Span<const std::string_view> titles,
                report::Table* table);

// A value of a chart's data.
report::Value ChartNumber(double number);
report::Value ChartText(std::string_view text);
void AddRecord(std::vector<report::Value> values, report::Dataset* dataset);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_REPORT_PARTS_H_
