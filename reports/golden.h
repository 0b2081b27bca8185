// The golden file of an experiment, and the comparison of our runs with what
// they gave when they were last looked at. See golden.proto; paper_values.h is
// about what the paper says.
#ifndef REPRO16_REPORTS_GOLDEN_H_
#define REPRO16_REPORTS_GOLDEN_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/run/run.pb.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Reads a golden file and checks it: syntax, ids that exist once and where they
// are used, exact numbers that can be read, one entry per scale and run. What
// a statement is `like` is filled in. Errors
// name file, line and field.
absl::StatusOr<Golden> ReadGolden(const std::string& path);

// The same from text; `name` stands for the file in errors.
absl::StatusOr<Golden> ParseGolden(std::string_view text,
                                   std::string_view name);

// What tells a run from the others of an experiment, e.g.
// "mlp FP16 sgd(0.01, 0.9) mnist[60000/10000] epochs=10 batch=128 seed=1".
// An example count of 0 reads "all"; model options stand before the seed.
std::string RunName(const RunSpec& spec);

// A double as a C hexadecimal float, "0x1.8p+1", "inf", "nan": exact.
std::string ExactText(double value);

// One number that is not what it was.
struct GoldenDifference {
  std::string run;    // RunName, or "report"
  std::string field;  // e.g. "epoch 2 train_loss"
  std::string golden;
  std::string measured;
};

// "mlp FP16 ... seed=1: epoch 2 train_loss: golden 0x1p+0, measured 0x1.8p+0".
std::string ToString(const GoldenDifference& difference);

// Everything in which a report differs from the golden values of its scale.
// Empty: no difference. NotFound when there are no golden values for the scale;
// FailedPrecondition when they are of another numerics version; Unavailable
// when they are of a toolkit that is not the report's, which may answer
// otherwise, so that nothing can be compared.
absl::StatusOr<std::vector<GoldenDifference>> CompareWithGolden(
    const Golden& golden, const report::Report& report);

// The same of runs, one or more of one scale: bits must be equal.
absl::StatusOr<std::vector<GoldenDifference>> CompareWithGolden(
    const Golden& golden, const std::vector<RunResult>& runs);

// The golden values that make CompareWithGolden find nothing.
ScaleGolden ScaleGoldenOf(const report::Report& report,
                          const GoldenProvenance& provenance);
ScaleGolden ScaleGoldenOf(const std::vector<RunResult>& runs,
                          const GoldenProvenance& provenance);

// Puts `scale` in the place of the golden values of its scale.
void SetScale(const ScaleGolden& scale, Golden& golden);

// One line: scale, numerics version, date, commit and reason of the golden
// values of `scale`; "none at this scale" where there are none.
std::string GoldenLine(const Golden& golden, std::string_view scale);

// `old_text`, the text form of a golden file, with `golden`'s scales in the
// place of its own: what stands above them is kept as people wrote it. A run or
// a value is one line.
std::string PrintGolden(const Golden& golden, std::string_view old_text);

}  // namespace repro16

#endif  // REPRO16_REPORTS_GOLDEN_H_
