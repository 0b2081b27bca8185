#include "experiments/common/analysis_main.h"

#include <cstdio>
#include <functional>

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
ABSL_FLAG(std::vector<std::string>, inputs, {},
          "files of an experiment that trains nothing, separated by commas");
ABSL_FLAG(std::string, golden, "",
          "golden.textproto with the paper's values and the rules to judge "
          "them by");
ABSL_FLAG(std::string, out, "", "where the report goes (Report, binary)");

namespace repro16 {
namespace {

using AnalyseGolden =
    std::function<absl::StatusOr<Analysis>(const Golden& golden)>;

absl::StatusOr<Analysis> Execute(const AnalyseGolden& analyse) {
  for (const auto* flag : {&FLAGS_golden, &FLAGS_out, &FLAGS_scale}) {
    if (absl::GetFlag(*flag).empty()) {
      return absl::InvalidArgumentError(
          "--scale, --golden and --out are needed; see --help");
    }
  }
  const absl::StatusOr<Golden> golden = ReadGolden(absl::GetFlag(FLAGS_golden));
  if (!golden.ok()) return golden.status();
  absl::StatusOr<Analysis> analysis = analyse(*golden);
  if (!analysis.ok() || !analysis->failed_checks.empty()) return analysis;
  if (absl::Status status =
          WriteBinaryProto(absl::GetFlag(FLAGS_out), analysis->report);
      !status.ok()) {
    return status;
  }
  return analysis;
}

int Main(int argc, char** argv, std::string_view what,
         const AnalyseGolden& analyse) {
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

}  // namespace

int AnalysisMain(int argc, char** argv, std::string_view what,
                 Analyse analyse) {
  return Main(
      argc, argv, what, [&](const Golden& golden) -> absl::StatusOr<Analysis> {
        const absl::StatusOr<RunSet> runs = RunSet::Load(
            absl::GetFlag(FLAGS_results), absl::GetFlag(FLAGS_probabilities),
            absl::GetFlag(FLAGS_scale));
        if (!runs.ok()) return runs.status();
        return analyse(*runs, golden);
      });
}

int AnalysisMain(int argc, char** argv, std::string_view what,
                 AnalyseInputs analyse) {
  return Main(argc, argv, what, [&](const Golden& golden) {
    return analyse(absl::GetFlag(FLAGS_inputs), absl::GetFlag(FLAGS_scale),
                   golden);
  });
}

}  // namespace repro16
