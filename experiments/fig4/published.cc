#include "experiments/fig4/published.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"

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
  bool LowerInMost() const {
    return 2 * static_cast<int>(lower.size()) > Networks();
  }
  // Of those that differ as printed.
  bool DecidedBySigns() const {
    const auto k = static_cast<int64_t>(lower.size());
    return SignTest(k, k + higher) != SignVerdict::kUndecided;
  }
  std::string ToString() const {
    return absl::StrCat("lower for ", lower.size(), " of ", Networks(),
                        " networks (", absl::StrJoin(lower, ", "),
                        "), equal for ", equal, ", higher for ", higher);
  }
};

Comparison CompareWith(const Golden& golden, std::string_view policy) {
  Comparison comparison;
  for (const Network& network : Table2Networks()) {
    const PaperValue* fp16 = FindPublished(golden, network.model, "FP16");
    const PaperValue* other = FindPublished(golden, network.model, policy);
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

const PaperValue* FindPublished(const Golden& golden, std::string_view model,
                                std::string_view policy) {
  const std::string id = absl::StrCat(model, "/", policy);
  for (const PaperValue& paper : golden.paper()) {
    if (paper.id() == id && paper.has_sd()) return &paper;
  }
  return nullptr;
}

void AddPublishedDeviations(const Golden& golden, report::Report* report) {
  const Comparison fp32 = CompareWith(golden, "FP32");
  const Comparison mp = CompareWith(golden, "MP");
  if (fp32.Networks() == 0 || mp.Networks() == 0) return;
  const bool holds = fp32.LowerInMost() && mp.LowerInMost();
  std::string text = absl::StrCat(
      "The standard deviations that the authors published with their code, of "
      "the same 50 seeds: FP16's is ",
      fp32.ToString(), " than FP32's; ", mp.ToString(), " than MP's. ");
  if (holds) {
    absl::StrAppend(&text, "That is most networks.");
  } else {
    absl::StrAppend(
        &text,
        "Lower in more than half of the networks it is not against both. The "
        "deviations have one digit, so equal ones may hide either sign; figure "
        "4 shows seven networks, and the sentence may be meant of those.");
  }
  if (!fp32.DecidedBySigns() && !mp.DecidedBySigns()) {
    absl::StrAppend(&text,
                    " A sign test over the networks that differ decides "
                    "neither comparison.");
  }
  AddFinding(
      holds ? report::Finding::AGREEMENT : report::Finding::CONTRADICTION,
      "\"Lower standard deviation in most models\" and the published "
      "deviations",
      text, "section 4.3; the authors' repository", report);
}

}  // namespace repro16
