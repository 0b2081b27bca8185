#include "experiments/fig4/published.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

// FP16's published deviations against another policy's, by network.
struct Comparison {
  std::vector<std::string> lower;
  int equal = 0;
  int higher = 0;

  int Networks() const {
    return static_cast<int>(lower.size()) + equal + higher;
  }
  // Of those that differ as printed.
  SignVerdict Sign() const {
    const auto k = static_cast<int64_t>(lower.size());
    return SignTest(k, k + higher);
  }
  std::string ToString() const {
    return absl::StrCat("lower for ", lower.size(), " of ", Networks(),
                        " networks (", absl::StrJoin(lower, ", "),
                        "), equal for ", equal, ", higher for ", higher);
  }
};

Comparison CompareWith(const Golden& published, std::string_view policy) {
  Comparison comparison;
  for (const Network& network : Table2Networks()) {
    const PaperValue* fp16 =
        FindPaperValue(published, absl::StrCat(network.model, "/FP16"));
    const PaperValue* other =
        FindPaperValue(published, absl::StrCat(network.model, "/", policy));
    if (fp16 == nullptr || other == nullptr) continue;
    if (fp16->sd() < other->sd()) {
      comparison.lower.emplace_back(network.name);
    } else if (fp16->sd() == other->sd()) {
      ++comparison.equal;
    } else {
      ++comparison.higher;
    }
  }
  return comparison;
}

}  // namespace

void AddPublishedDeviations(const Golden& published, report::Report* report) {
  const Comparison fp32 = CompareWith(published, "FP32");
  const Comparison mp = CompareWith(published, "MP");
  if (fp32.Networks() == 0 || mp.Networks() == 0) return;
  const auto both = [&](SignVerdict verdict) {
    return fp32.Sign() == verdict && mp.Sign() == verdict;
  };
  const auto kind = both(SignVerdict::kMost) ? report::Finding::AGREEMENT
                    : both(SignVerdict::kFewest)
                        ? report::Finding::CONTRADICTION
                        : report::Finding::UNSTATED;
  std::string text = absl::StrCat(
      "The standard deviations that the authors published with their code, of "
      "the same 50 seeds: FP16's is ",
      fp32.ToString(), " than FP32's; ", mp.ToString(), " than MP's.");
  if (kind == report::Finding::UNSTATED) {
    absl::StrAppend(
        &text,
        " Sign tests over the networks that differ do not decide both "
        "comparisons. The deviations have one digit, so equal ones may hide "
        "either sign; figure 4 shows seven networks, and the sentence may be "
        "meant of those.");
  }
  AddFinding(kind,
             "\"Lower standard deviation in most models\" and the published "
             "deviations",
             text, "section 4.3; the authors' repository", report);
}

}  // namespace repro16
