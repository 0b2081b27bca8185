// The command line that every experiment's analysis shares:
//
//   analysis --scale=lite --results=a/result.pb,b/result.pb
//       --probabilities=a/probabilities.safetensors,b/probabilities.safetensors
//       --golden=golden.textproto --out=report.pb
//
// with --diagnoses beside them where the runs have such, and --inputs with
// other files that the experiment reads. An experiment without runs, because it
// trains nothing or because none was made, gets an empty --results.
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

// From runs of one specification but for policy and seed, and the paper's
// values with the rules to judge them by; a pure function of both. An error is
// bad input. Without any run it is not called: the report then says of each of
// the paper's values that it was not run.
using Analyse = absl::StatusOr<Analysis> (*)(const RunSet& runs,
                                             const Golden& golden);

struct AnalysisInputs {
  std::string scale;
  std::vector<RunSet> sets;        // of the runs; may be empty
  std::vector<std::string> files;  // of --inputs
};

// The same from runs of several specifications, or from other files, or both;
// also called without any.
using AnalyseInputs = absl::StatusOr<Analysis> (*)(const AnalysisInputs& inputs,
                                                   const Golden& golden);

// The whole of an analysis' main(); `what` is its line in --help.
int AnalysisMain(int argc, char** argv, std::string_view what, Analyse analyse);
int AnalysisMain(int argc, char** argv, std::string_view what,
                 AnalyseInputs analyse);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_ANALYSIS_MAIN_H_
