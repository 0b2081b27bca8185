// A report's answer from what it says of the paper's statements.
#ifndef REPRO16_EXPERIMENTS_COMMON_ANSWER_H_
#define REPRO16_EXPERIMENTS_COMMON_ANSWER_H_

#include <string_view>

#include "absl/types/span.h"
#include "reports/report.pb.h"

namespace repro16 {

// Answers with the expectations of these ids, a sentence each: what we found,
// what the paper says, the verdict. Those that the report does not have, or
// that were not run, are left out.
void AddAnswer(absl::Span<const std::string_view> ids, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_ANSWER_H_
