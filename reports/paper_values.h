// The paper's numbers in a golden file.
#ifndef REPRO16_REPORTS_PAPER_VALUES_H_
#define REPRO16_REPORTS_PAPER_VALUES_H_

#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// The paper's value `id`; null where the file has none.
const PaperValue* FindPaperValue(const Golden& golden, std::string_view id);
// The same, or NotFound, naming the id.
absl::StatusOr<PaperValue> PaperValueOf(const Golden& golden,
                                        std::string_view id);

// The statement `id` as the file has it; null where it has none.
const Statement* FindStatement(const Golden& golden, std::string_view id);

// An expectation that carries the paper's value `id` with its place and
// unit, to be completed with ours. NotFound where the file has no such id.
absl::StatusOr<report::Expectation> ExpectationFromPaper(const Golden& golden,
                                                         std::string_view id,
                                                         std::string_view what);

// The arithmetic checks of the paper's derived values, as findings: an
// agreement for each value that follows from those it is derived from, a
// contradiction for each that is known not to. InvalidArgument when a check
// comes out other than the file says: a number was copied wrongly, or the
// sentence about it is.
absl::StatusOr<std::vector<report::Finding>> CheckArithmetic(
    const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_REPORTS_PAPER_VALUES_H_
