#include "experiments/common/judge.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/statistics.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr std::string_view kDecades = "decades";

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
    if ((measure == Measure::kMagnitude) != (paper.unit() == kDecades)) {
      return error("has unit \"", paper.unit(), "\"; give \"", kDecades,
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
  const std::string low = show(paper.value() - paper.margin());
  const std::string high = show(paper.value() + paper.margin());
  switch (side) {
    case Side::kAtMost:
      return absl::StrCat("at most ", high);
    case Side::kAtLeast:
      return absl::StrCat("at least ", low);
    case Side::kWithin:
      break;
  }
  return absl::StrCat("from ", low, " to ", high);
}

bool Holds(const PaperValue& paper, Side side, double ours) {
  const double difference = ours - paper.value();
  if (side == Side::kAtMost) return difference <= paper.margin();
  if (side == Side::kAtLeast) return difference >= -paper.margin();
  return std::abs(difference) <= paper.margin();
}

report::Verdict VerdictOf(const RunSet& runs, int64_t holds, int64_t n) {
  if (n == 0) return report::VERDICT_NOT_RUN;
  if (!runs.Judged()) return report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
  if (holds == n) return report::VERDICT_MATCH;
  return holds == 0 ? report::VERDICT_DIFFER : report::VERDICT_INCONCLUSIVE;
}

report::Verdict VerdictOf(const Equivalence& test, Claim claim) {
  if (test.verdict == Verdict::kUnderpowered) {
    return report::VERDICT_INCONCLUSIVE;
  }
  const double least = claim == Claim::kEqual ? -test.margin : 0;
  if (test.low > least && test.high < test.margin) return report::VERDICT_MATCH;
  if (test.high < least || test.low > test.margin) {
    return report::VERDICT_DIFFER;
  }
  return report::VERDICT_INCONCLUSIVE;
}

std::string NoteOf(const Equivalence& test, Claim claim) {
  std::string note =
      claim == Claim::kEqual
          ? "Paired by seed."
          : "Paired by seed; a match is more than 0 and at most the margin.";
  if (test.verdict == Verdict::kUnderpowered) {
    absl::StrAppendFormat(
        &note,
        " Underpowered: under 5 seeds, which would find a difference of %.3g.",
        test.smallest_detectable);
  } else if (test.verdict == Verdict::kMatch && test.DiffersFromZero()) {
    absl::StrAppend(&note, " Not zero, but inside the margin.");
  }
  return note;
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
    // A thousandth of a decade is finer than any rule, and coarser than what
    // two mathematical libraries may differ by: these enter golden values.
    for (double& value : compared) {
      value = std::round(1000 * std::log10(value)) / 1000;
    }
  }
  int64_t holds = 0;
  for (double value : compared) holds += Holds(*paper, side, value);

  e.set_verdict(VerdictOf(runs, holds, per_seed.size()));
  e.set_note(absl::StrCat("Judged seed by seed: ", Rule(*paper, measure, side),
                          ". Holds for ", holds, " of ", per_seed.size(), ".",
                          paper->note().empty() ? "" : " ", paper->note()));
  e.set_digits(3);
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

absl::StatusOr<report::Expectation> JudgePaired(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const double> a,
    absl::Span<const double> b, Claim claim) {
  const absl::StatusOr<PaperValue> paper =
      FindPaperValue(golden, id, Measure::kNumber);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;
  e.set_digits(3);
  if (a.empty()) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return expectation;
  }
  std::vector<double> differences(a.begin(), a.end());
  for (size_t i = 0; i < b.size(); ++i) differences[i] -= b[i];
  *e.mutable_ours() = EstimateOf(differences);
  const Equivalence test = PairedEquivalence(a, b, paper->margin());
  e.set_difference(test.difference);
  if (test.low > -std::numeric_limits<double>::infinity()) {
    e.mutable_interval()->set_low(test.low);
    e.mutable_interval()->set_high(test.high);
    e.mutable_interval()->set_level(0.9);
  }
  e.set_verdict(runs.Judged() ? VerdictOf(test, claim)
                              : report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  e.set_note(NoteOf(test, claim));
  return expectation;
}

}  // namespace repro16
