// The command line that every experiment's analysis shares:
//
//   analysis --scale=lite --results=a/result.pb,b/result.pb
//       --probabilities=a/probabilities.safetensors,b/probabilities.safetensors
//       --golden=golden.textproto --out=report.pb
//
// or, of an experiment that trains nothing, --inputs=a.textproto,b.pb in the
// place of --results and --probabilities.
//
// Exit status: 0, and a Report in --out; 1 when a check of the experiment
// failed, told on standard error, no report; 2 for bad input, one line.
#ifndef REPRO16_EXPERIMENTS_COMMON_ANALYSIS_MAIN_H_
#define REPRO16_EXPERIMENTS_COMMON_ANALYSIS_MAIN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/common/runs.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

struct Analysis {
  report::Report report;
  // One line each: statements that must hold for any correct implementation,
  // and did not.
  std::vector<std::string> failed_checks;
};

// From the runs, and the paper's values with the rules to judge them by; a pure
// function of both. An error is bad input.
using Analyse = absl::StatusOr<Analysis> (*)(const RunSet& runs,
                                             const Golden& golden);

// The same without runs, from the files of --inputs.
using AnalyseInputs =
    absl::StatusOr<Analysis> (*)(const std::vector<std::string>& inputs,
                                 std::string_view scale, const Golden& golden);

// The whole of an analysis' main(); `what` is its line in --help.
int AnalysisMain(int argc, char** argv, std::string_view what, Analyse analyse);
int AnalysisMain(int argc, char** argv, std::string_view what,
                 AnalyseInputs analyse);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_ANALYSIS_MAIN_H_
