// Numbers, verdicts and scales in the words of a report. Text is UTF-8.
#ifndef REPRO16_REPORTS_FORMAT_H_
#define REPRO16_REPORTS_FORMAT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "reports/report.pb.h"

namespace repro16 {

// `digits` significant digits, trailing zeros kept ("76.0"); scientific under
// 1e-3 and from 1e6 on ("9.95e-4"). NaN and infinities by name.
std::string FormatNumber(double value, int digits = 4);

// With the fewest digits that give the number back: "0.2", "100".
std::string FormatShortest(double value);

// As FormatNumber with a sign also for positive values ("+0.12"); 0 has none.
std::string FormatSigned(double value, int digits = 4);

// "1,234,567".
std::string FormatCount(uint64_t value);

// "75.83 ± 0.31 points (n=5)": the deviation has the decimals of the mean.
// The deviation is left out where absent, the count where it is 0, `unit` where
// it is empty.
std::string FormatEstimate(const report::Estimate& estimate, int digits = 4,
                           std::string_view unit = "");

// What the paper says and what we found, as an expectation shows it: the text,
// else the number. "not stated", and "" where nothing was run.
std::string PaperText(const report::Expectation& expectation);
std::string OursText(const report::Expectation& expectation);

// "Time (s)".
std::string TitleOf(const report::Column& column);

// "[-0.40, +0.16]".
std::string FormatInterval(const report::Interval& interval, int digits = 3);
// "+0.290 points, 92% interval [-0.009, +0.589]": an expectation's difference,
// with its interval where it has one.
std::string FormatDifference(const report::Expectation& expectation);

// The words of a text, between which a line may be broken; an interval
// "[-0.40, +0.16]" is one. The words are views of `text`.
std::vector<std::string_view> Words(std::string_view text);

// "match", "differ", "inconclusive", "not judged at this scale", "not run"; ""
// for VERDICT_NONE.
std::string VerdictWord(report::Verdict verdict);
// On what several verdicts bear out together: "differ" when one does, "match"
// when all do, and else the first of inconclusive, not judged and not run that
// one of them has; but inconclusive where all that were run match.
report::Verdict VerdictOnAll(absl::Span<const report::Verdict> verdicts);

// One character that tells the verdict without colour; "" for VERDICT_NONE.
std::string VerdictSign(report::Verdict verdict);

// Sign and word: "✓ match".
std::string VerdictLabel(report::Verdict verdict);

// How many expectations have which verdict; `uncounted` ones are left out.
struct Tally {
  int match = 0;
  int differ = 0;
  int inconclusive = 0;
  int not_judged = 0;
  int not_run = 0;
};

Tally TallyOf(const report::Report& report);

// The first line of a report: "3 match, 1 differs, 0 inconclusive, 0 not run",
// then what this scale does not judge, if anything.
std::string Headline(const Tally& tally);

// What the scale may claim, in one short line; at lite scale with how its runs
// are reduced (Provenance). Without runs a scale means nothing. "reproduced"
// stands in it only at paper scale, on published data, when every judged
// expectation matches.
std::string ScaleBadge(const report::Report& report);

}  // namespace repro16

#endif  // REPRO16_REPORTS_FORMAT_H_
