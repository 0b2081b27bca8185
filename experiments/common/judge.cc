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
#include "reports/format.h"
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
    if ((measure != Measure::kNumber) != (paper.unit() == kDecades)) {
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
    return measure != Measure::kNumber
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

// The exponent that `value` is printed with; where it is not a positive number,
// its logarithm.
double PrintedExponent(double value) {
  if (!(value > 0) || std::isinf(value)) return std::log10(value);
  const std::string text = Scientific(value);
  return std::stoi(text.substr(text.find('E') + 1));
}

// Whether `value` is printed with the paper's exponent, or one beyond it on the
// side that is allowed.
bool HoldsAsPrinted(const PaperValue& paper, Side side, double value) {
  PaperValue exact = paper;
  exact.set_margin(0);
  return Holds(exact, side, PrintedExponent(value));
}

// "the same exponent when printed (x.xxE-03)".
std::string RuleAsPrinted(const PaperValue& paper, Side side) {
  const std::string printed = Scientific(std::pow(10, paper.value()));
  return absl::StrCat(side == Side::kWithin ? "the same" : "at most the same",
                      " exponent when printed (x.xx",
                      printed.substr(printed.find('E')), ")");
}

// "3 of 3", and the verdict on a statement that holds for so many seeds.
struct Holding {
  int64_t holds = 0;
  int64_t n = 0;

  std::string ToString() const { return absl::StrCat(holds, " of ", n); }
  report::Verdict VerdictOn(const RunSet& runs) const {
    if (n == 0) return report::VERDICT_NOT_RUN;
    if (!runs.Judged()) return report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
    if (holds == n) return report::VERDICT_MATCH;
    return holds == 0 ? report::VERDICT_DIFFER : report::VERDICT_INCONCLUSIVE;
  }
};

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
        " Under 5 seeds no verdict is given; this spread could show "
        "differences from %.3g.",
        test.smallest_detectable);
  } else if (claim == Claim::kEqual && test.verdict == Verdict::kMatch &&
             test.DiffersFromZero()) {
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
  if (measure != Measure::kNumber) {
    // A thousandth of a decade is finer than any rule, and coarser than what
    // two mathematical libraries may differ by: these enter golden values.
    for (double& value : compared) {
      value = std::round(1000 * std::log10(value)) / 1000;
    }
  }
  const auto n = static_cast<int64_t>(per_seed.size());
  Holding within{0, n}, as_printed{0, n};
  for (double value : compared) within.holds += Holds(*paper, side, value);
  for (double value : per_seed) {
    as_printed.holds += HoldsAsPrinted(*paper, side, value);
  }
  e.set_verdict(within.VerdictOn(runs));
  std::string note =
      absl::StrCat("Judged seed by seed: ", Rule(*paper, measure, side),
                   ". Holds for ", within.ToString(), ".");
  if (measure == Measure::kPrintedPower) {
    if (as_printed.VerdictOn(runs) != e.verdict()) {
      e.set_verdict(report::VERDICT_INCONCLUSIVE);
    }
    absl::StrAppend(&note, " Read as ", RuleAsPrinted(*paper, side),
                    ", it holds for ", as_printed.ToString(),
                    ". This second reading was added after the first runs were "
                    "seen; a verdict needs both.");
  }
  if (!paper->note().empty()) absl::StrAppend(&note, " ", paper->note());
  e.set_note(note);
  e.set_digits(3);
  if (per_seed.empty()) return expectation;
  *e.mutable_ours() = EstimateOf(compared);
  e.set_difference(e.ours().mean() - paper->value());
  if (measure != Measure::kNumber) {
    const auto [low, high] =
        std::minmax_element(per_seed.begin(), per_seed.end());
    e.set_ours_text(*low == *high ? Scientific(*low)
                                  : absl::StrCat(Scientific(*low), " to ",
                                                 Scientific(*high)));
  }
  return expectation;
}

absl::StatusOr<report::Expectation> JudgeEachNetwork(
    bool judged, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const std::vector<double>> networks,
    Side side) {
  const absl::StatusOr<PaperValue> paper =
      FindPaperValue(golden, id, Measure::kNumber);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;

  size_t all = 0, none = 0;
  std::vector<double> means;
  for (const std::vector<double>& per_seed : networks) {
    if (per_seed.empty()) continue;
    const auto holds =
        std::count_if(per_seed.begin(), per_seed.end(),
                      [&](double value) { return Holds(*paper, side, value); });
    all += holds == static_cast<int64_t>(per_seed.size());
    none += holds == 0;
    means.push_back(EstimateOf(per_seed).mean());
  }
  const size_t n = means.size();
  e.set_digits(3);
  if (n == 0) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return expectation;
  }
  *e.mutable_ours() = EstimateOf(means);
  e.set_ours_text(absl::StrCat("holds for ", all, " of ", n, " networks"));
  e.set_verdict(!judged        ? report::VERDICT_NOT_JUDGED_AT_THIS_SCALE
                : all == n     ? report::VERDICT_MATCH
                : 2 * none > n ? report::VERDICT_DIFFER
                               : report::VERDICT_INCONCLUSIVE);
  e.set_note(absl::StrCat(
      "Judged by the networks: ", Rule(*paper, Measure::kNumber, side),
      ". Holds for every seed of ", all, ", for no seed of ", none, ", of ", n,
      "; the mean over networks is ",
      FormatEstimate(e.ours(), e.digits(), e.unit()), ".",
      paper->note().empty() ? "" : " ", paper->note()));
  return expectation;
}

absl::StatusOr<report::Expectation> JudgeExistence(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, double largest, int64_t samples, int64_t seeds) {
  const absl::StatusOr<PaperValue> paper =
      FindPaperValue(golden, id, Measure::kNumber);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;
  e.set_digits(3);
  e.mutable_ours()->set_mean(largest);
  e.mutable_ours()->set_n(samples);
  e.set_difference(largest - paper->value());
  if (!runs.Judged()) {
    e.set_verdict(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  } else {
    e.set_verdict(Holds(*paper, Side::kAtLeast, largest)
                      ? report::VERDICT_MATCH
                      : report::VERDICT_INCONCLUSIVE);
  }
  e.set_note(absl::StrCat(
      "There is such a case: ", Rule(*paper, Measure::kNumber, Side::kAtLeast),
      ". Ours is the largest of ", FormatCount(samples), " samples in ", seeds,
      seeds == 1 ? " seed" : " seeds", "; more seeds can only raise it.",
      paper->note().empty() ? "" : " ", paper->note()));
  return expectation;
}

absl::StatusOr<report::Expectation> JudgePaired(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const double> a,
    absl::Span<const double> b, Claim claim) {
  std::vector<double> differences(a.begin(), a.end());
  for (size_t i = 0; i < b.size(); ++i) differences[i] -= b[i];
  return JudgePooled(runs.Judged(), golden, id, what, {differences}, claim);
}

absl::StatusOr<report::Expectation> JudgePooled(
    bool judged, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const std::vector<double>> differences,
    Claim claim) {
  const absl::StatusOr<PaperValue> paper =
      FindPaperValue(golden, id, Measure::kNumber);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;
  e.set_digits(3);
  std::vector<std::vector<double>> networks;
  std::vector<double> means;
  for (const std::vector<double>& network : differences) {
    if (network.empty()) continue;
    networks.push_back(network);
    means.push_back(EstimateOf(network).mean());
  }
  if (networks.empty()) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return expectation;
  }
  // Of one network the seeds are the sample, of several the networks.
  *e.mutable_ours() = EstimateOf(networks.size() == 1 ? networks[0] : means);
  const Equivalence test = PooledEquivalence(networks, paper->margin());
  e.set_difference(test.difference);
  if (test.low > -std::numeric_limits<double>::infinity()) {
    e.mutable_interval()->set_low(test.low);
    e.mutable_interval()->set_high(test.high);
    e.mutable_interval()->set_level(0.9);
  }
  e.set_verdict(judged ? VerdictOf(test, claim)
                       : report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  e.set_note(NoteOf(test, claim));
  return expectation;
}

std::vector<report::Verdict> JudgeFamily(
    bool judged, absl::Span<const std::optional<Equivalence>> tests) {
  constexpr double kAlpha = 0.05;
  std::vector<double> equal, beyond;  // p-values of the family
  for (const std::optional<Equivalence>& test : tests) {
    if (!test || test->verdict == Verdict::kUnderpowered) continue;
    equal.push_back(test->p_value);
    // The one-sided test against the nearer margin, the other way round.
    beyond.push_back(1 - test->p_value);
  }
  equal = HolmAdjusted(equal);
  beyond = HolmAdjusted(beyond);
  std::vector<report::Verdict> verdicts;
  size_t place = 0;
  for (const std::optional<Equivalence>& test : tests) {
    if (!test) {
      verdicts.push_back(report::VERDICT_NOT_RUN);
    } else if (!judged) {
      verdicts.push_back(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
    } else if (test->verdict == Verdict::kUnderpowered) {
      verdicts.push_back(report::VERDICT_INCONCLUSIVE);
    } else {
      verdicts.push_back(equal[place] <= kAlpha ? report::VERDICT_MATCH
                         : beyond[place] <= kAlpha
                             ? report::VERDICT_DIFFER
                             : report::VERDICT_INCONCLUSIVE);
      ++place;
    }
  }
  return verdicts;
}

}  // namespace repro16
