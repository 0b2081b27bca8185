#include "experiments/common/judge.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr std::string_view kLog10 = "log10";

// The paper's value of that id, with a margin and a unit that fit.
absl::StatusOr<PaperValue> FindPaperValue(const Golden& golden,
                                          std::string_view id,
                                          Measure measure) {
  const auto error = [&](auto... parts) {
    return absl::InvalidArgumentError(
        absl::StrCat("golden values of ", golden.experiment(),
                     ": paper value \"", id, "\" ", parts...));
  };
  for (const PaperValue& paper : golden.paper()) {
    if (paper.id() != id) continue;
    if (!paper.has_margin()) {
      return error("has no margin; give one to judge it by");
    }
    if ((measure == Measure::kMagnitude) != (paper.unit() == kLog10)) {
      return error("has unit \"", paper.unit(), "\"; give \"", kLog10,
                   "\" to magnitudes, and only to them");
    }
    return paper;
  }
  return error("is missing; add what the paper says");
}

// The rule in words, in the unit that is shown.
std::string Rule(const PaperValue& paper, Measure measure, Side side) {
  const auto show = [&](double bound) {
    return measure == Measure::kMagnitude
               ? Scientific(std::pow(10, bound))
               : absl::StrCat(absl::StrFormat("%.4g", bound),
                              paper.unit().empty() ? "" : " ", paper.unit());
  };
  const std::string high = show(paper.value() + paper.margin());
  if (side == Side::kAtMost) return absl::StrCat("at most ", high);
  return absl::StrCat("from ", show(paper.value() - paper.margin()), " to ",
                      high);
}

bool Holds(const PaperValue& paper, Side side, double ours) {
  const double difference = ours - paper.value();
  if (side == Side::kAtMost) return difference <= paper.margin();
  return std::abs(difference) <= paper.margin();
}

report::Verdict VerdictOf(const RunSet& runs, int64_t holds, int64_t n) {
  if (n == 0) return report::VERDICT_NOT_RUN;
  if (!runs.Judged()) return report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
  if (holds == n) return report::VERDICT_MATCH;
  return holds == 0 ? report::VERDICT_DIFFER : report::VERDICT_INCONCLUSIVE;
}

}  // namespace

absl::StatusOr<report::Expectation> JudgeEachSeed(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const double> per_seed, Measure measure,
    Side side) {
  const absl::StatusOr<PaperValue> paper = FindPaperValue(golden, id, measure);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;

  std::vector<double> compared(per_seed.begin(), per_seed.end());
  if (measure == Measure::kMagnitude) {
    for (double& value : compared) value = std::log10(value);
  }
  int64_t holds = 0;
  for (double value : compared) holds += Holds(*paper, side, value);

  e.set_verdict(VerdictOf(runs, holds, per_seed.size()));
  e.set_note(absl::StrCat("Judged seed by seed: ", Rule(*paper, measure, side),
                          ". Holds for ", holds, " of ", per_seed.size(), "."));
  if (per_seed.empty()) return expectation;
  *e.mutable_ours() = EstimateOf(compared);
  e.set_difference(e.ours().mean() - paper->value());
  if (measure == Measure::kMagnitude) {
    const auto [low, high] =
        std::minmax_element(per_seed.begin(), per_seed.end());
    e.set_ours_text(*low == *high ? Scientific(*low)
                                  : absl::StrCat(Scientific(*low), " to ",
                                                 Scientific(*high)));
  }
  return expectation;
}

}  // namespace repro16
