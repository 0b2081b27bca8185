#include "experiments/common/analysis_main.h"

#include <cstdio>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "reports/golden.h"

ABSL_FLAG(std::string, scale, "", "scale of the runs: smoke, lite or paper");
ABSL_FLAG(std::vector<std::string>, results, {},
          "result.pb of each run, separated by commas");
ABSL_FLAG(std::vector<std::string>, probabilities, {},
          "probabilities.safetensors of each run, in the order of --results");
ABSL_FLAG(std::string, golden, "",
          "golden.textproto with the paper's values and the rules to judge "
          "them by");
ABSL_FLAG(std::string, out, "", "where the report goes (Report, binary)");

namespace repro16 {
namespace {

absl::StatusOr<Analysis> Execute(Analyse analyse) {
  for (const auto* flag : {&FLAGS_golden, &FLAGS_out, &FLAGS_scale}) {
    if (absl::GetFlag(*flag).empty()) {
      return absl::InvalidArgumentError(
          "--scale, --golden and --out are needed; see --help");
    }
  }
  absl::StatusOr<RunSet> runs = RunSet::Load(absl::GetFlag(FLAGS_results),
                                             absl::GetFlag(FLAGS_probabilities),
                                             absl::GetFlag(FLAGS_scale));
  if (!runs.ok()) return runs.status();
  const absl::StatusOr<Golden> golden = ReadGolden(absl::GetFlag(FLAGS_golden));
  if (!golden.ok()) return golden.status();
  absl::StatusOr<Analysis> analysis = analyse(*runs, *golden);
  if (!analysis.ok() || !analysis->failed_checks.empty()) return analysis;
  if (absl::Status status =
          WriteBinaryProto(absl::GetFlag(FLAGS_out), analysis->report);
      !status.ok()) {
    return status;
  }
  return analysis;
}

}  // namespace

int AnalysisMain(int argc, char** argv, std::string_view what,
                 Analyse analyse) {
  ParseFlags(argc, argv, what);
  const absl::StatusOr<Analysis> analysis = Execute(analyse);
  if (!analysis.ok()) {
    std::fprintf(stderr, "error: %s\n",
                 std::string(analysis.status().message()).c_str());
    return 2;
  }
  for (const std::string& check : analysis->failed_checks) {
    std::fprintf(stderr, "failed: %s\n", check.c_str());
  }
  return analysis->failed_checks.empty() ? 0 : 1;
}

}  // namespace repro16
