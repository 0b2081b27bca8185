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
  if (absl::GetFlag(FLAGS_golden).empty() ||
      absl::GetFlag(FLAGS_report).empty()) {
    return absl::InvalidArgumentError(
        "--golden and --report are needed; see --help");
  }
  GoldenInput input;
  absl::StatusOr<Golden> golden = ReadGolden(absl::GetFlag(FLAGS_golden));
  if (!golden.ok()) return golden.status();
  input.golden = *std::move(golden);
  absl::StatusOr<report::Report> report =
      ReadReport(absl::GetFlag(FLAGS_report));
  if (!report.ok()) return report.status();
  input.report = *std::move(report);
  for (const std::string& path : absl::GetFlag(FLAGS_runs)) {
    absl::Status status = ReadBinaryProto(path, &input.runs.emplace_back());
    if (!status.ok()) return status;
  }
  return input;
}

}  // namespace repro16
