#include "reports/golden_input.h"

#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "engine/io/proto_file.h"
#include "reports/golden.h"
#include "reports/report_file.h"

ABSL_FLAG(std::string, golden, "", "the golden file (text form)");
ABSL_FLAG(std::string, report, "", "the report (.textproto, else binary)");
ABSL_FLAG(std::vector<std::string>, runs, {},
          "result.pb of each run, separated by commas");

namespace repro16 {

absl::StatusOr<GoldenInput> ReadGoldenInput() {
  const std::string report_path = absl::GetFlag(FLAGS_report);
  if (absl::GetFlag(FLAGS_golden).empty() ||
      report_path.empty() == absl::GetFlag(FLAGS_runs).empty()) {
    return absl::InvalidArgumentError(
        "--golden and either --report or --runs are needed; see --help");
  }
  GoldenInput input;
  absl::StatusOr<Golden> golden = ReadGolden(absl::GetFlag(FLAGS_golden));
  if (!golden.ok()) return golden.status();
  input.golden = *std::move(golden);
  if (!report_path.empty()) {
    absl::StatusOr<report::Report> report = ReadReport(report_path);
    if (!report.ok()) return report.status();
    input.report = *std::move(report);
  }
  for (const std::string& path : absl::GetFlag(FLAGS_runs)) {
    absl::Status status = ReadBinaryProto(path, &input.runs.emplace_back());
    if (!status.ok()) return status;
  }
  return input;
}

}  // namespace repro16
