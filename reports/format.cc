#include "reports/format.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace repro16 {
namespace {

using report::Verdict;

// The power of ten of a finite value other than 0, rounded to so many digits.
int Exponent(double value, int digits) {
  const std::string text = absl::StrFormat("%.*e", digits - 1, value);
  return std::stoi(text.substr(text.find('e') + 1));
}

bool IsFixed(double value, int digits) {
  if (value == 0) return true;
  const int exponent = Exponent(value, digits);
  return exponent >= -3 && exponent < 6;
}

// Decimals of `value` in fixed notation with so many significant digits.
int Decimals(double value, int digits) {
  if (value == 0) return digits - 1;
  return std::max(0, digits - 1 - Exponent(value, digits));
}

std::string Scientific(double value, int digits) {
  // C writes at least two digits of exponent with a sign: "9.95e-04".
  const std::string text = absl::StrFormat("%.*e", digits - 1, value);
  return absl::StrCat(text.substr(0, text.find('e')), "e",
                      Exponent(value, digits));
}

}  // namespace

std::string FormatNumber(double value, int digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return "0";
  if (!IsFixed(value, digits)) return Scientific(value, digits);
  return absl::StrFormat("%.*f", Decimals(value, digits), value);
}

std::string FormatShortest(double value) {
  for (int digits = 6; digits < 17; ++digits) {
    const std::string text = absl::StrFormat("%.*g", digits, value);
    double back;
    if (absl::SimpleAtod(text, &back) && back == value) return text;
  }
  return absl::StrFormat("%.17g", value);
}

std::string FormatSigned(double value, int digits) {
  return absl::StrCat(value > 0 ? "+" : "", FormatNumber(value, digits));
}

std::string FormatCount(uint64_t value) {
  std::string digits = absl::StrCat(value);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(i, ",");
  }
  return digits;
}

std::string FormatEstimate(const report::Estimate& estimate, int digits,
                           std::string_view unit) {
  const double mean = estimate.mean();
  std::string text = FormatNumber(mean, digits);
  if (estimate.has_sd() && std::isfinite(mean)) {
    const bool fixed = IsFixed(mean, digits) && std::isfinite(estimate.sd());
    absl::StrAppend(
        &text, " ± ",
        fixed ? absl::StrFormat("%.*f", Decimals(mean, digits), estimate.sd())
              : FormatNumber(estimate.sd(), 2));
  }
  if (!unit.empty()) absl::StrAppend(&text, " ", unit);
  if (estimate.n() > 0) {
    absl::StrAppend(&text, " (n=", FormatCount(estimate.n()), ")");
  }
  return text;
}

std::string PaperText(const report::Expectation& expectation) {
  if (!expectation.paper_text().empty()) return expectation.paper_text();
  if (!expectation.has_paper_value()) return "not stated";
  return absl::StrCat(FormatShortest(expectation.paper_value()),
                      expectation.unit().empty() ? "" : " ",
                      expectation.unit());
}

std::string OursText(const report::Expectation& expectation) {
  if (!expectation.ours_text().empty()) return expectation.ours_text();
  if (!expectation.has_ours()) return "";
  const int digits = expectation.digits() > 0 ? expectation.digits() : 4;
  return FormatEstimate(expectation.ours(), digits, expectation.unit());
}

std::string TitleOf(const report::Column& column) {
  return column.unit().empty()
             ? column.title()
             : absl::StrCat(column.title(), " (", column.unit(), ")");
}

std::string FormatInterval(const report::Interval& interval, int digits) {
  return absl::StrCat("[", FormatSigned(interval.low(), digits), ", ",
                      FormatSigned(interval.high(), digits), "]");
}

std::string FormatDifference(const report::Expectation& expectation) {
  std::string text =
      absl::StrCat(FormatSigned(expectation.difference(), 3),
                   expectation.unit().empty() ? "" : " ", expectation.unit());
  if (expectation.has_interval()) {
    absl::StrAppendFormat(&text, ", %g%% interval %s",
                          100 * expectation.interval().level(),
                          FormatInterval(expectation.interval()));
  }
  return text;
}

std::vector<std::string_view> Words(std::string_view text) {
  std::vector<std::string_view> words;
  for (size_t begin = 0, end; begin < text.size(); begin = end + 1) {
    end = std::min(text.find(' ', begin), text.size());
    const size_t next = std::min(text.find(' ', end + 1), text.size());
    const bool opens =
        text[begin] == '[' &&
        text.substr(begin, end - begin).find(']') == std::string_view::npos;
    if (opens &&
        text.substr(begin, next - begin).find(']') != std::string_view::npos) {
      end = next;
    }
    if (end > begin) words.push_back(text.substr(begin, end - begin));
  }
  return words;
}

std::string VerdictWord(Verdict verdict) {
  switch (verdict) {
    case report::VERDICT_MATCH:
      return "match";
    case report::VERDICT_DIFFER:
      return "differ";
    case report::VERDICT_INCONCLUSIVE:
      return "inconclusive";
    case report::VERDICT_NOT_JUDGED_AT_THIS_SCALE:
      return "not judged at this scale";
    case report::VERDICT_NOT_RUN:
      return "not run";
    default:
      return "";
  }
}

Verdict VerdictOnAll(absl::Span<const Verdict> verdicts) {
  const auto has = [&](Verdict verdict) {
    return absl::c_linear_search(verdicts, verdict);
  };
  if (has(report::VERDICT_MATCH) && has(report::VERDICT_NOT_RUN) &&
      absl::c_all_of(verdicts, [](Verdict verdict) {
        return verdict == report::VERDICT_MATCH ||
               verdict == report::VERDICT_NOT_RUN;
      })) {
    return report::VERDICT_INCONCLUSIVE;
  }
  for (const Verdict verdict :
       {report::VERDICT_DIFFER, report::VERDICT_INCONCLUSIVE,
        report::VERDICT_NOT_JUDGED_AT_THIS_SCALE, report::VERDICT_NOT_RUN,
        report::VERDICT_NONE}) {
    if (has(verdict)) return verdict;
  }
  return report::VERDICT_MATCH;
}

std::string VerdictSign(Verdict verdict) {
  switch (verdict) {
    case report::VERDICT_MATCH:
      return "✓";
    case report::VERDICT_DIFFER:
      return "✗";
    case report::VERDICT_INCONCLUSIVE:
      return "?";
    case report::VERDICT_NOT_JUDGED_AT_THIS_SCALE:
      return "–";
    case report::VERDICT_NOT_RUN:
      return "·";
    default:
      return "";
  }
}

std::string VerdictLabel(Verdict verdict) {
  if (verdict == report::VERDICT_NONE) return "";
  return absl::StrCat(VerdictSign(verdict), " ", VerdictWord(verdict));
}

Tally TallyOf(const report::Report& report) {
  Tally tally;
  for (const report::Expectation& expectation : report.expectations()) {
    if (expectation.uncounted()) continue;
    switch (expectation.verdict()) {
      case report::VERDICT_MATCH:
        ++tally.match;
        break;
      case report::VERDICT_DIFFER:
        ++tally.differ;
        break;
      case report::VERDICT_INCONCLUSIVE:
        ++tally.inconclusive;
        break;
      case report::VERDICT_NOT_JUDGED_AT_THIS_SCALE:
        ++tally.not_judged;
        break;
      case report::VERDICT_NOT_RUN:
        ++tally.not_run;
        break;
      default:
        break;
    }
  }
  return tally;
}

std::string Headline(const Tally& tally) {
  std::string line = absl::StrCat(tally.match, " match, ", tally.differ,
                                  " differ, ", tally.inconclusive,
                                  " inconclusive, ", tally.not_run, " not run");
  if (tally.not_judged > 0) {
    absl::StrAppend(&line, ", ", tally.not_judged, " not judged at this scale");
  }
  return line;
}

std::string ScaleBadge(const report::Report& report) {
  const bool made_up = report.provenance().made_up_data();
  if (!report.provenance().toolkit().empty()) {
    return "NO TRAINING RUNS: the same at every scale";
  }
  if (report.scale() == "smoke") {
    return "SMOKE SCALE: shows that the machinery works, says nothing about "
           "the paper";
  }
  if (report.scale() == "lite") {
    const auto& reductions = report.provenance().reductions();
    return absl::StrCat("LITE SCALE: ", absl::StrJoin(reductions, ", "),
                        reductions.empty() ? "" : "; ",
                        "judges the paper's claims, not its numbers",
                        made_up ? "; made-up data" : "");
  }
  const Tally tally = TallyOf(report);
  const bool all_match = tally.match > 0 && tally.differ == 0 &&
                         tally.inconclusive == 0 && tally.not_run == 0 &&
                         tally.not_judged == 0;
  if (made_up) return "PAPER SCALE, made-up data: not a reproduction";
  return all_match ? "PAPER SCALE: reproduced" : "PAPER SCALE";
}

}  // namespace repro16
