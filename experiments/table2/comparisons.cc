#include "experiments/table2/comparisons.h"

#include <algorithm>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/judge.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

bool IsDifference(const Comparison& comparison) {
  return comparison.id.find('-') != std::string::npos;
}

// "-0.60 to +0.40": the means of the networks that were run.
std::string RangeOfMeans(const Comparison& comparison) {
  std::vector<double> means;
  for (const std::vector<double>& values : comparison.values) {
    if (!values.empty()) means.push_back(EstimateOf(values).mean());
  }
  if (means.empty()) return "";
  const auto [low, high] = std::minmax_element(means.begin(), means.end());
  return IsDifference(comparison)
             ? absl::StrFormat("%+.2f to %+.2f", *low, *high)
             : absl::StrFormat("%.2f to %.2f", *low, *high);
}

report::Verdict VerdictOnAll(absl::Span<const report::Verdict> verdicts) {
  const auto is = [](report::Verdict wanted) {
    return [wanted](report::Verdict verdict) { return verdict == wanted; };
  };
  if (absl::c_all_of(verdicts, is(report::VERDICT_NOT_RUN))) {
    return report::VERDICT_NOT_RUN;
  }
  if (absl::c_any_of(verdicts, is(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE))) {
    return report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
  }
  if (absl::c_any_of(verdicts, is(report::VERDICT_DIFFER))) {
    return report::VERDICT_DIFFER;
  }
  return absl::c_all_of(verdicts, is(report::VERDICT_MATCH))
             ? report::VERDICT_MATCH
             : report::VERDICT_INCONCLUSIVE;
}

// "3 match, 0 differ, 9 are inconclusive (7 with under 5 seeds)."
std::string CountsOf(const Comparison& comparison) {
  const auto count = [&](report::Verdict verdict) {
    return absl::c_count(comparison.verdicts, verdict);
  };
  const auto few = absl::c_count_if(
      comparison.tests, [](const std::optional<Equivalence>& test) {
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

}  // namespace

absl::StatusOr<PaperValue> PaperValueOf(const Golden& golden,
                                        std::string_view id) {
  for (const PaperValue& value : golden.paper()) {
    if (value.id() == id) return value;
  }
  return absl::NotFoundError(
      absl::StrCat("golden values of ", golden.experiment(),
                   ": no paper value has the id \"", id, "\"; add it"));
}

absl::StatusOr<std::vector<Comparison>> CompareDifferences(
    bool judged, absl::Span<const NetworkRuns> rows, const Golden& golden) {
  std::vector<Comparison> comparisons;
  for (const char* fp16 : {"FP16", "FP16_BN32"}) {
    for (const char* other : {"FP32", "MP"}) {
      Comparison comparison;
      comparison.id = absl::StrCat(fp16, "-", other);
      comparison.paper_id = absl::StrCat("FP16-", other);
      comparison.title = absl::StrCat(fp16, " - ", other);
      for (const NetworkRuns& row : rows) {
        const absl::StatusOr<PaperValue> paper = PaperValueOf(
            golden, absl::StrCat(row.network.model, "/", comparison.paper_id));
        if (!paper.ok()) return paper.status();
        const std::vector<double>& differences =
            comparison.values.emplace_back(row.Differences(fp16, other));
        auto& test = comparison.tests.emplace_back();
        if (differences.empty()) continue;
        test = PooledEquivalence({differences}, paper->margin());
      }
      comparison.verdicts = JudgeFamily(judged, comparison.tests);
      comparisons.push_back(std::move(comparison));
    }
  }
  return comparisons;
}

absl::StatusOr<std::vector<Comparison>> CompareWithPublished(
    bool judged, absl::Span<const NetworkRuns> rows, const Golden& golden) {
  std::vector<Comparison> comparisons;
  for (std::string_view precision : kPrecisions) {
    Comparison comparison;
    comparison.id = std::string(precision);
    comparison.paper_id = precision == "FP16_BN32" ? "FP16" : comparison.id;
    comparison.title = comparison.id;
    for (const NetworkRuns& row : rows) {
      const absl::StatusOr<PaperValue> paper = PaperValueOf(
          golden, absl::StrCat(row.network.model, "/", comparison.paper_id));
      if (!paper.ok()) return paper.status();
      const std::vector<double>& accuracies =
          comparison.values.emplace_back(row.Accuracies(precision));
      auto& test = comparison.tests.emplace_back();
      if (accuracies.empty()) continue;
      test = WelchEquivalence(SampleOf(accuracies),
                              {paper->value(), paper->sd(), paper->n()},
                              paper->margin());
    }
    comparison.verdicts = JudgeFamily(judged, comparison.tests);
    comparisons.push_back(std::move(comparison));
  }
  return comparisons;
}

absl::StatusOr<report::Expectation> ExpectEvery(const Comparison& comparison,
                                                const Golden& golden,
                                                std::string_view what) {
  absl::StatusOr<report::Expectation> expectation = ExpectationFromPaper(
      golden, absl::StrCat("every/", comparison.paper_id), what);
  if (!expectation.ok()) return expectation;
  expectation->set_id(absl::StrCat("every/", comparison.id));
  expectation->set_verdict(VerdictOnAll(comparison.verdicts));
  expectation->set_ours_text(RangeOfMeans(comparison));
  if (expectation->verdict() == report::VERDICT_NOT_RUN) return expectation;
  std::string note =
      IsDifference(comparison)
          ? "Network by network, paired by seed"
          : "Network by network, against the published mean, deviation and 50 "
            "seeds (Welch)";
  absl::StrAppend(&note,
                  "; adjusted for the number of networks (Holm). A match needs "
                  "all of them, one is enough to differ.");
  if (expectation->verdict() != report::VERDICT_NOT_JUDGED_AT_THIS_SCALE) {
    absl::StrAppend(&note, " ", CountsOf(comparison));
  }
  expectation->set_note(note);
  return expectation;
}

}  // namespace repro16
