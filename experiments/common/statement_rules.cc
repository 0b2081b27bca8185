#include "experiments/common/statement_rules.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include "absl/algorithm/container.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using Networks = std::vector<std::vector<double>>;

bool InDecades(const Statement& s) { return s.unit() == "decades"; }

// The differences that the statement allows.
Range RangeOf(const Statement& s) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  switch (s.side()) {
    case Statement::AT_MOST:
      return {-kInfinity, s.margin()};
    case Statement::AT_LEAST:
      return {-s.margin(), kInfinity};
    case Statement::MORE:
      return {0, s.margin()};
    default:
      return Within(s.margin());
  }
}

// NaN is in no range.
bool Holds(const Statement& s, double ours) {
  const Range range = RangeOf(s);
  const double difference = ours - s.value();
  return range.least <= difference && difference <= range.most;
}

// "from 3.16E-04 to 3.16E-03": the range in the unit that is shown.
std::string RangeText(const Statement& s) {
  const auto show = [&](double bound) {
    return InDecades(s) ? Scientific(std::pow(10, bound))
                        : absl::StrCat(absl::StrFormat("%.4g", bound),
                                       s.unit().empty() ? "" : " ", s.unit());
  };
  const Range range = RangeOf(s);
  if (s.side() == Statement::AT_MOST) {
    return absl::StrCat("at most ", show(s.value() + range.most));
  }
  if (s.side() == Statement::AT_LEAST) {
    return absl::StrCat("at least ", show(s.value() + range.least));
  }
  if (s.side() == Statement::MORE) {
    return absl::StrCat("more than ", show(s.value()), ", at most ",
                        show(s.value() + range.most));
  }
  return absl::StrCat("from ", show(s.value() + range.least), " to ",
                      show(s.value() + range.most));
}

void AddNote(std::string_view text, report::Expectation* e) {
  if (text.empty()) return;
  e->set_note(absl::StrCat(e->note(), e->note().empty() ? "" : " ", text));
}

// The paper's value as a number that ours may be subtracted from.
void SetDifference(const Statement& s, double ours, report::Expectation* e) {
  if (s.margin() > 0) e->set_difference(ours - s.value());
}

// ---- Seed by seed -----------------------------------------------------------

// The exponent that `value` is printed with; where it is not a positive number,
// its logarithm.
double PrintedExponent(double value) {
  if (!(value > 0) || std::isinf(value)) return std::log10(value);
  const std::string text = Scientific(value);
  double exponent = 0;
  return absl::SimpleAtod(text.substr(text.find('E') + 1), &exponent)
             ? exponent
             : std::log10(value);
}

// Where the paper prints the power of ten alone ("1E-3"), what the other
// reading of it would give, that a number is printed with that exponent.
std::string OtherReading(const Statement& s,
                         const std::vector<double>& per_seed) {
  if (!InDecades(s) || !absl::StrContains(s.text(), "E-")) return "";
  Statement exact = s;
  exact.set_margin(0);
  const auto holds = absl::c_count_if(per_seed, [&](double value) {
    return Holds(exact, PrintedExponent(value));
  });
  const std::string printed = Scientific(std::pow(10, s.value()));
  return absl::StrCat(
      "Not judged: read as ",
      s.side() == Statement::AT_MOST ? "at most this" : "this",
      " exponent when printed (x.xx", printed.substr(printed.find('E')),
      "), it would hold for ", holds, " of ", per_seed.size(), ".");
}

void EachSeed(const Statement& s, Judgement* j) {
  std::vector<double> per_seed, compared;
  for (const std::vector<double>& network : j->measured.networks) {
    per_seed.insert(per_seed.end(), network.begin(), network.end());
  }
  for (double value : per_seed) {
    // A thousandth of a decade is finer than any rule, and coarser than what
    // two mathematical libraries may differ by: these enter golden values.
    compared.push_back(
        InDecades(s) ? std::round(1000 * std::log10(value)) / 1000 : value);
  }
  const auto n = static_cast<int64_t>(compared.size());
  const auto holds =
      absl::c_count_if(compared, [&](double v) { return Holds(s, v); });
  report::Expectation& e = j->expectation;
  e.set_verdict(holds == n   ? report::VERDICT_MATCH
                : holds == 0 ? report::VERDICT_DIFFER
                             : report::VERDICT_INCONCLUSIVE);
  AddNote(absl::StrCat("Judged seed by seed: ", RangeText(s), ". Holds for ",
                       holds, " of ", n, "."),
          &e);
  AddNote(OtherReading(s, per_seed), &e);
  *e.mutable_ours() = EstimateOf(compared);
  SetDifference(s, e.ours().mean(), &e);
  if (!InDecades(s)) return;
  const auto [low, high] = absl::c_minmax_element(per_seed);
  e.set_ours_text(*low == *high ? Scientific(*low)
                                : absl::StrCat(Scientific(*low), " to ",
                                               Scientific(*high)));
}

// ---- Over networks ----------------------------------------------------------

std::vector<double> MeansOf(const Networks& networks) {
  std::vector<double> means;
  for (const std::vector<double>& network : networks) {
    if (!network.empty()) means.push_back(EstimateOf(network).mean());
  }
  return means;
}

void EveryNetwork(const Statement& s, Judgement* j) {
  size_t all = 0, none = 0;
  for (const std::vector<double>& per_seed : j->measured.networks) {
    if (per_seed.empty()) continue;
    const auto holds =
        absl::c_count_if(per_seed, [&](double v) { return Holds(s, v); });
    all += holds == static_cast<int64_t>(per_seed.size());
    none += holds == 0;
  }
  const std::vector<double> means = MeansOf(j->measured.networks);
  const size_t n = means.size();
  report::Expectation& e = j->expectation;
  *e.mutable_ours() = EstimateOf(means);
  e.set_ours_text(absl::StrCat("holds for ", all, " of ", n, " networks"));
  e.set_verdict(all == n       ? report::VERDICT_MATCH
                : 2 * none > n ? report::VERDICT_DIFFER
                               : report::VERDICT_INCONCLUSIVE);
  AddNote(absl::StrCat("Judged by the networks: ", RangeText(s),
                       ". Holds for every seed of ", all, ", for no seed of ",
                       none, ", of ", n, "; the mean over networks is ",
                       FormatEstimate(e.ours(), e.digits(), e.unit()), "."),
          &e);
}

void SetInterval(const Equivalence& test, double level,
                 report::Expectation* e) {
  e->set_difference(test.difference);
  if (!std::isfinite(test.low)) return;
  e->mutable_interval()->set_low(test.low);
  e->mutable_interval()->set_high(test.high);
  e->mutable_interval()->set_level(1 - 2 * level);
}

report::Verdict VerdictOf(const Equivalence& test) {
  switch (test.verdict) {
    case Verdict::kMatch:
      return report::VERDICT_MATCH;
    case Verdict::kDiffer:
      return report::VERDICT_DIFFER;
    default:
      return report::VERDICT_INCONCLUSIVE;
  }
}

// What the planned runs could tell, from a spread that was known before.
std::string PowerText(const Statement& s, absl::Span<const double> spreads,
                      double level, const Networks& networks) {
  std::vector<double> known;
  std::vector<int64_t> seeds;
  for (size_t k = 0; k < networks.size(); ++k) {
    if (networks[k].empty()) continue;
    seeds.push_back(static_cast<int64_t>(networks[k].size()));
    if (spreads.size() == 1) {
      known.push_back(spreads[0]);
    } else if (spreads.size() == networks.size()) {
      known.push_back(spreads[k]);
    }
  }
  if (known.size() != seeds.size()) return "";
  const Plan plan = PlanPooled(known, seeds, s.margin(), level);
  const auto [low, high] = absl::c_minmax_element(known);
  std::string text = absl::StrFormat(
      "Power, told before the runs: with a spread of %s%s between seeds the "
      "standard error is %.2f, and no difference at all would be confirmed "
      "with probability %.0f%%",
      *low == *high ? absl::StrFormat("%.3g", *low)
                    : absl::StrFormat("%.3g to %.3g", *low, *high),
      s.unit().empty() ? "" : absl::StrCat(" ", s.unit()), plan.error,
      100 * plan.power);
  if (double papers = 0; absl::SimpleAtod(s.text(), &papers)) {
    absl::StrAppendFormat(
        &text, ", one of the paper's %s with %.0f%%", s.text(),
        100 * PlanPooled(known, seeds, s.margin(), level, papers).power);
  }
  return absl::StrCat(text, ".");
}

std::vector<Statement::Look> LooksAt(const Statement& s,
                                     std::string_view scale) {
  std::vector<Statement::Look> looks;
  absl::c_copy_if(
      s.looks(), std::back_inserter(looks),
      [&](const Statement::Look& look) { return look.scale() == scale; });
  return looks;
}

// "" where there is one look, at any number of pairs.
std::string LookText(const Statement& s, std::string_view scale) {
  std::vector<std::string> planned;
  for (const Statement::Look& look : LooksAt(s, scale)) {
    planned.push_back(
        absl::StrFormat("%d (%g%%)", look.pairs(), 100 * look.level()));
  }
  if (planned.empty()) return "";
  return absl::StrCat("the error of 5% is spent over looks at ",
                      absl::StrJoin(planned, ", "), " pairs of runs");
}

// What the runs could tell, once their spread is known: told where the power
// was told before.
std::string MeasuredPowerText(const Statement& s, const Equivalence& test) {
  if (s.side() != Statement::WITHIN || !std::isfinite(test.low)) return "";
  const double half = (test.high - test.low) / 2;
  const std::string measured = absl::StrFormat(
      "Measured: the interval is ±%.2f wide (%.1f degrees of freedom), so ",
      half, test.degrees_of_freedom);
  if (half >= s.margin()) {
    return absl::StrCat(measured, "no outcome could have matched.");
  }
  return absl::StrFormat("%sonly a difference within ±%.2f could match.",
                         measured, s.margin() - half);
}

// Which of the two one-sided tests that make a match is passed.
std::string OneSidedText(const Statement& s, const Equivalence& test) {
  if (s.side() != Statement::WITHIN) return "";
  const bool not_less = test.low > -s.margin();
  const bool not_more = test.high < s.margin();
  if (not_less == not_more) return "";
  return absl::StrCat("Of the two tests one is passed: that it is ",
                      not_less ? "less" : "more", " by the margin is refuted, ",
                      "that it is ", not_less ? "more" : "less", " is not.");
}

void Pooled(const Statement& s, Judgement* j) {
  Networks networks;
  absl::c_copy_if(j->measured.networks, std::back_inserter(networks),
                  [](const auto& network) { return !network.empty(); });
  const std::optional<double> look = LevelOf(s, j->scale, networks);
  const double level = look.value_or(kLevel);
  const Equivalence test = PooledEquivalence(networks, RangeOf(s), level);
  report::Expectation& e = j->expectation;
  // Of one network the seeds are the sample, of several the networks.
  *e.mutable_ours() =
      EstimateOf(networks.size() == 1 ? networks[0] : MeansOf(networks));
  SetInterval(test, level, &e);
  e.set_verdict(VerdictOf(test));
  AddNote(absl::StrCat("Paired by seed",
                       networks.size() == 1
                           ? ""
                           : absl::StrCat("; the mean over ", networks.size(),
                                          " networks, each with a spread of "
                                          "its own"),
                       "; a match is ", RangeText(s), "."),
          &e);
  if (const std::string plan = LookText(s, j->scale); !plan.empty()) {
    const int64_t pairs = PairsOf(networks);
    if (look) {
      AddNote(absl::StrFormat("Tested at %g%%, with %d pairs of runs: %s.",
                              100 * level, pairs, plan),
              &e);
    } else if (j->measured.lacking.empty()) {
      j->measured.lacking =
          absl::StrCat("there are ", pairs, " pairs, and ", plan);
    }
  }
  const std::string power =
      PowerText(s, j->spreads, level, j->measured.networks);
  AddNote(power, &e);
  if (!power.empty()) AddNote(MeasuredPowerText(s, test), &e);
  if (test.verdict == Verdict::kUnderpowered) {
    AddNote(absl::StrFormat("Under 5 seeds no verdict is given; this spread "
                            "could show differences from %.3g.",
                            test.smallest_detectable),
            &e);
  } else if (s.side() == Statement::WITHIN && test.DiffersFromZero() &&
             test.verdict == Verdict::kMatch) {
    AddNote("Not zero, but inside the margin.", &e);
  } else if (test.verdict == Verdict::kInconclusive) {
    AddNote(OneSidedText(s, test), &e);
  }
}

void TestFamily(const Statement& s, Judgement* j) {
  const Measurement& m = j->measured;
  for (size_t k = 0; k < m.networks.size(); ++k) {
    auto& test = j->tests.emplace_back();
    if (m.networks[k].empty()) continue;
    test = m.published.empty() ? PooledEquivalence({m.networks[k]}, RangeOf(s))
                               : WelchEquivalence(SampleOf(m.networks[k]),
                                                  m.published[k], RangeOf(s));
  }
}

// "3 match, 0 differ, 9 are inconclusive (7 with under 5 seeds)."
std::string CountsOf(const Judgement& j) {
  const auto count = [&](report::Verdict verdict) {
    return absl::c_count(j.verdicts, verdict);
  };
  const auto few =
      absl::c_count_if(j.tests, [](const std::optional<Equivalence>& test) {
        return test && test->verdict == Verdict::kUnderpowered;
      });
  std::string text = absl::StrCat(
      count(report::VERDICT_MATCH), " match, ", count(report::VERDICT_DIFFER),
      " differ, ", count(report::VERDICT_INCONCLUSIVE), " are inconclusive");
  if (few > 0) absl::StrAppend(&text, " (", few, " with under 5 seeds)");
  const auto not_run = count(report::VERDICT_NOT_RUN);
  if (not_run > 0) absl::StrAppend(&text, ", ", not_run, " were not run");
  return absl::StrCat(text, ".");
}

// Networks that are above, or not below, and so on: one number each.
void MostNetworks(const Statement& s, Judgement* j) {
  int64_t holds = 0, counted = 0, equal = 0, few = 0;
  for (const std::vector<double>& network : j->measured.networks) {
    if (network.empty()) continue;
    const double value = network.front();
    if (std::isnan(value)) {
      ++few;
    } else if (s.margin() == 0 && value == s.value()) {
      ++equal;
    } else {
      ++counted;
      holds += Holds(s, value);
    }
  }
  report::Expectation& e = j->expectation;
  e.mutable_ours()->set_mean(static_cast<double>(holds));
  e.mutable_ours()->set_n(counted);
  std::string text = absl::StrCat(holds, " of ", counted,
                                  counted == 1 ? " network" : " networks");
  if (equal > 0) absl::StrAppend(&text, ", ", equal, " equal");
  if (few > 0) absl::StrAppend(&text, ", ", few, " with too few seeds");
  e.set_ours_text(text);
  const SignVerdict sign = SignTest(holds, counted);
  e.set_verdict(sign == SignVerdict::kMost     ? report::VERDICT_MATCH
                : sign == SignVerdict::kFewest ? report::VERDICT_DIFFER
                                               : report::VERDICT_INCONCLUSIVE);
  AddNote(
      "Most: a sign test over networks (exact binomial, 5%) refutes that half "
      "of them or fewer count (match), or half or more (differ).",
      &e);
}

// ---- Cases ------------------------------------------------------------------

void Existence(const Statement& s, Judgement* j) {
  double largest = std::numeric_limits<double>::quiet_NaN();
  size_t seeds = 0;
  for (const std::vector<double>& network : j->measured.networks) {
    for (double value : network) {
      if (!(largest >= value)) largest = value;
      ++seeds;
    }
  }
  report::Expectation& e = j->expectation;
  e.mutable_ours()->set_mean(largest);
  e.mutable_ours()->set_n(j->measured.cases);
  SetDifference(s, largest, &e);
  e.set_verdict(Holds(s, largest) ? report::VERDICT_MATCH
                                  : report::VERDICT_INCONCLUSIVE);
  AddNote(
      absl::StrCat("There is such a case: ", RangeText(s),
                   ". Ours is the largest of ", FormatCount(j->measured.cases),
                   j->measured.cases == 1 ? " case in " : " cases in ", seeds,
                   seeds == 1 ? " seed" : " seeds",
                   "; more can only raise it, so a smaller one refutes "
                   "nothing."),
      &e);
}

void NoCounterexample(Judgement* j) {
  const double found = j->measured.networks.front().front();
  report::Expectation& e = j->expectation;
  e.mutable_ours()->set_mean(found);
  e.mutable_ours()->set_n(j->measured.cases);
  e.set_ours_text(absl::StrCat(FormatCount(std::llround(found)), " of ",
                               FormatCount(j->measured.cases)));
  e.set_verdict(found > 0                ? report::VERDICT_DIFFER
                : j->measured.cases == 0 ? report::VERDICT_INCONCLUSIVE
                                         : report::VERDICT_MATCH);
}

// The unit of the last digit of "2.09": 0.01.
double LastDigit(const std::string& printed) {
  const size_t point = printed.find('.');
  const size_t decimals =
      point == std::string::npos ? 0 : printed.size() - point - 1;
  return std::pow(10, -static_cast<double>(decimals));
}

void Printed(Judgement* j) {
  report::Expectation& e = j->expectation;
  const double ours = j->measured.networks.front().front();
  double printed = 0;
  if (!absl::SimpleAtod(j->measured.printed, &printed)) return;
  e.set_paper_value(printed);
  e.set_margin(LastDigit(j->measured.printed));
  e.mutable_ours()->set_mean(ours);
  e.set_difference(ours - printed);
  e.set_uncounted(true);
  e.set_verdict(std::abs(e.difference()) < e.margin() ? report::VERDICT_MATCH
                                                      : report::VERDICT_DIFFER);
}

}  // namespace

int64_t PairsOf(absl::Span<const std::vector<double>> networks) {
  int64_t pairs = 0;
  for (const std::vector<double>& network : networks) {
    pairs += static_cast<int64_t>(network.size());
  }
  return pairs;
}

std::optional<double> LevelOf(const Statement& s, std::string_view scale,
                              absl::Span<const std::vector<double>> networks) {
  const std::vector<Statement::Look> looks = LooksAt(s, scale);
  if (looks.empty()) return kLevel;
  for (const Statement::Look& look : looks) {
    if (look.pairs() == PairsOf(networks)) return look.level();
  }
  return std::nullopt;
}

void ApplyRule(const Statement& s, Judgement* j) {
  switch (s.rule()) {
    case Statement::EACH_SEED:
      EachSeed(s, j);
      break;
    case Statement::EVERY_NETWORK:
      EveryNetwork(s, j);
      break;
    case Statement::POOLED:
      Pooled(s, j);
      break;
    case Statement::FAMILY:
      TestFamily(s, j);
      break;
    case Statement::SIGN_TEST:
      MostNetworks(s, j);
      break;
    case Statement::EXISTENCE:
      Existence(s, j);
      break;
    case Statement::NO_COUNTEREXAMPLE:
      NoCounterexample(j);
      break;
    case Statement::PRINTED:
      Printed(j);
      break;
    default:
      j->expectation.set_verdict(j->measured.verdict);
      if (j->measured.networks.size() == 1) {
        *j->expectation.mutable_ours() = EstimateOf(j->measured.networks[0]);
        if (j->measured.cases > 0) {
          j->expectation.mutable_ours()->set_n(j->measured.cases);
        }
      }
      break;
  }
}

std::vector<report::Verdict> JudgeFamily(
    const std::vector<std::optional<Equivalence>>& tests) {
  constexpr double kAlpha = 0.05;
  const auto in_family = [](const std::optional<Equivalence>& test) {
    return test && test->verdict != Verdict::kUnderpowered;
  };
  std::vector<double> equal, beyond;  // p-values of the family
  for (const std::optional<Equivalence>& test : tests) {
    if (!in_family(test)) continue;
    equal.push_back(test->p_value);
    beyond.push_back(test->p_beyond);
  }
  equal = HolmAdjusted(equal);
  beyond = HolmAdjusted(beyond);
  std::vector<report::Verdict> verdicts;
  size_t place = 0;
  for (const std::optional<Equivalence>& test : tests) {
    report::Verdict& verdict = verdicts.emplace_back(report::VERDICT_NOT_RUN);
    if (!test) continue;
    verdict = report::VERDICT_INCONCLUSIVE;
    if (!in_family(test)) continue;
    if (equal[place] <= kAlpha) verdict = report::VERDICT_MATCH;
    if (beyond[place] <= kAlpha) verdict = report::VERDICT_DIFFER;
    ++place;
  }
  return verdicts;
}

void SumUpFamily(Judgement* j) {
  report::Expectation& e = j->expectation;
  const auto any = [j](report::Verdict verdict) {
    return absl::c_linear_search(j->verdicts, verdict);
  };
  // That all of them match needs no adjustment: it is claimed only where each
  // test holds (an intersection-union test, Berger 1982). A single one is one
  // of its family.
  const bool all = j->tests.size() == 1
                       ? any(report::VERDICT_MATCH)
                       : absl::c_all_of(j->tests, [](const auto& test) {
                           return test && test->verdict == Verdict::kMatch;
                         });
  e.set_verdict(any(report::VERDICT_DIFFER) ? report::VERDICT_DIFFER
                : all                       ? report::VERDICT_MATCH
                                            : report::VERDICT_INCONCLUSIVE);
  const bool published = !j->measured.published.empty();
  AddNote(absl::StrCat(published ? "Against the published mean, deviation and "
                                   "number of seeds (Welch)"
                                 : "Paired by seed",
                       "; adjusted for the number of tests (Holm)."),
          &e);
  if (j->tests.size() == 1) {
    *e.mutable_ours() = EstimateOf(j->measured.networks[0]);
    SetInterval(*j->tests[0], kLevel, &e);
    return;
  }
  const std::vector<double> means = MeansOf(j->measured.networks);
  const auto [low, high] = absl::c_minmax_element(means);
  e.set_ours_text(published ? absl::StrFormat("%.2f to %.2f", *low, *high)
                            : absl::StrFormat("%+.2f to %+.2f", *low, *high));
  AddNote(absl::StrCat("A match needs all networks, one is enough to differ. ",
                       CountsOf(*j)),
          &e);
}

}  // namespace repro16
