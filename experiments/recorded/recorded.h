// Recorded runs in a report: longer runs of the paper's own protocol, made once
// and kept in this folder, beside the runs that a report's own command makes.
//
// They are only shown. No verdict comes from them: there is one seed, or few,
// and what they gave was not made by the command that shows it.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "experiments/recorded/recorded.pb.h"
#include "experiments/recorded/reference_curve.pb.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// How far from FP32 table 2 lets a network be, in points of test accuracy: its
// statement "every/{fp16}-FP32" (tests/recorded_margin_test.cc).
inline constexpr double kRecordedMargin = 0.9;

struct RecordedRuns {
  std::vector<RecordedRun> runs;       // by network (as table 2), policy, seed
  std::vector<ReferenceCurve> curves;  // of other frameworks
  Golden table2;                       // the paper's values; may be empty
};

// Records from files; the paper's values from the one that is called
// published.textproto, if any; curves from those in a folder keras/. An
// analysis that has `inputs = ["//experiments/recorded:runs"]` hands on
// AnalysisInputs::files. InvalidArgument, with the file's name, where one
// cannot be read, is not of the full protocol on published data
// (CheckRecordedRun), or is of a run that another one records. A record of
// another numerics version is taken, and shown as such.
absl::StatusOr<RecordedRuns> LoadRecordedRuns(
    absl::Span<const std::string> files);

// Adds to a report:
//   a sentence in the summary that these runs were not made by its command;
//   table "Recorded runs": epochs reached, test accuracy (percent) after the
//       last and the best epoch, beside the paper's;
//   table of their differences from FP32 (points) at equal epochs, each of runs
//       of one specification but for the policy, not judged;
//   table of what is known of the same specification in another framework;
//   table of where they were made;
//   figure "recorded": accuracy by epoch, drawn by recorded.vl.json;
//   findings (recorded_findings.h), among them whether a difference from FP32
//       speaks for the paper or against it.
// Without records: the sentence that there are none, and the figure, empty, as
// its chart is a target all the same.
void AddRecordedRuns(const RecordedRuns& recorded, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_H_
