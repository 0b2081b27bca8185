#include "experiments/common/answer.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "reports/format.h"

namespace repro16 {
namespace {

const report::Expectation* Find(const report::Report& report,
                                std::string_view id) {
  for (const report::Expectation& expectation : report.expectations()) {
    if (expectation.id() == id) return &expectation;
  }
  return nullptr;
}

}  // namespace

void AddAnswer(absl::Span<const std::string_view> ids, report::Report* report) {
  for (std::string_view id : ids) {
    const report::Expectation* expectation = Find(*report, id);
    if (expectation == nullptr) continue;
    const std::string ours = OursText(*expectation);
    if (ours.empty()) continue;
    const std::string verdict = VerdictWord(expectation->verdict());
    report->add_answer(
        absl::StrCat(expectation->what(), ": ", ours,
                     "; the paper: ", PaperText(*expectation),
                     verdict.empty() ? "" : "; verdict: ", verdict, "."));
  }
}

}  // namespace repro16
