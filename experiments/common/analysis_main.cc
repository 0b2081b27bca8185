#include "experiments/common/analysis_main.h"

#include <cstdio>
#include <functional>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "reports/golden.h"
#include "reports/paper_values.h"

ABSL_FLAG(std::string, scale, "", "scale of the runs: smoke, lite or paper");
ABSL_FLAG(std::vector<std::string>, results, {},
          "result.pb of each run, separated by commas");
ABSL_FLAG(std::vector<std::string>, probabilities, {},
          "probabilities.safetensors of each run, in the order of --results");
ABSL_FLAG(
    std::vector<std::string>, diagnoses, {},
    "diagnosis.textproto of each run, in the order of --results; an empty "
    "place for a run without one");
ABSL_FLAG(std::vector<std::string>, inputs, {},
          "other files that the experiment reads, separated by commas");
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

RunFiles FilesOfFlags() {
  return {absl::GetFlag(FLAGS_results), absl::GetFlag(FLAGS_probabilities),
          absl::GetFlag(FLAGS_diagnoses)};
}

// The report of an experiment of which no run was made.
absl::StatusOr<Analysis> NotRun(const Golden& golden) {
  Analysis analysis;
  report::Report& report = analysis.report;
  report.set_experiment(golden.experiment());
  report.set_title(absl::StrCat(golden.experiment(), ": not run"));
  report.set_scale(absl::GetFlag(FLAGS_scale));
  report.add_summary("No run of this experiment was made at this scale.");
  for (const PaperValue& paper : golden.paper()) {
    absl::StatusOr<report::Expectation> expectation =
        ExpectationFromPaper(golden, paper.id(), paper.id());
    if (!expectation.ok()) return expectation.status();
    expectation->set_verdict(report::VERDICT_NOT_RUN);
    *report.add_expectations() = *std::move(expectation);
  }
  return analysis;
}

int Main(int argc, char** argv, std::string_view what,
         const AnalyseGolden& analyse) {
  ParseFlags(argc, argv, what);
  const absl::StatusOr<Analysis> analysis = Execute(analyse);
  if (!analysis.ok()) {
    PrintFormat(stderr, "error: %s\n", analysis.status().message());
    return 2;
  }
  for (const std::string& check : analysis->failed_checks) {
    PrintFormat(stderr, "failed: %s\n", check);
  }
  return analysis->failed_checks.empty() ? 0 : 1;
}

}  // namespace

int AnalysisMain(int argc, char** argv, std::string_view what,
                 Analyse analyse) {
  return Main(argc, argv, what,
              [&](const Golden& golden) -> absl::StatusOr<Analysis> {
                const RunFiles files = FilesOfFlags();
                if (files.results.empty()) return NotRun(golden);
                const absl::StatusOr<RunSet> runs =
                    RunSet::Load(files, absl::GetFlag(FLAGS_scale));
                if (!runs.ok()) return runs.status();
                return analyse(*runs, golden);
              });
}

int AnalysisMain(int argc, char** argv, std::string_view what,
                 AnalyseInputs analyse) {
  return Main(argc, argv, what,
              [&](const Golden& golden) -> absl::StatusOr<Analysis> {
                AnalysisInputs inputs;
                inputs.scale = absl::GetFlag(FLAGS_scale);
                inputs.files = absl::GetFlag(FLAGS_inputs);
                absl::StatusOr<std::vector<RunSet>> sets =
                    RunSet::LoadSets(FilesOfFlags(), inputs.scale);
                if (!sets.ok()) return sets.status();
                inputs.sets = *std::move(sets);
                return analyse(inputs, golden);
              });
}

}  // namespace repro16
