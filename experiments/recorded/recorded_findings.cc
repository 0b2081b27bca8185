#include "experiments/recorded/recorded_findings.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded_pairs.h"
#include "experiments/recorded/recorded_run.h"

namespace repro16 {
namespace {

constexpr char kPlace[] = "table 2";

// What FP32 alone says, before any difference from it: whether it is the
// paper's.
void AddBaseline(const RecordedRun& base, const Golden& table2,
                 report::Report* report) {
  const RunSpec& spec = base.result().spec();
  const PaperValue* paper = FindAccuracy(spec, table2);
  if (spec.policy() != kBase || !Ended(base) || paper == nullptr) return;
  const double ours = TestPercent(LastEpoch(base));
  const bool reaches = Reaches(ours, *paper);
  AddFinding(
      reaches ? report::Finding::AGREEMENT : report::Finding::LIMITATION,
      absl::StrCat(NetworkName(spec.model()), ": our FP32 is ",
                   reaches ? "" : "not ", "the paper's"),
      absl::StrFormat(
          "Recorded: after %d epochs of the paper's protocol %s ends at %.2f%% "
          "of the test set; published are %.1f ± %.1f%% over %d seeds.%s",
          spec.epochs(), TitleOf(spec), ours, paper->value(), paper->sd(),
          paper->n(),
          reaches ? ""
                  : " So the baseline itself is not reproduced, and what a "
                    "precision does to it is not held against the paper."),
      kPlace, report);
}

// Where another framework stands by the protocol of a run: whether an accuracy
// that is not the paper's is this engine's own.
void AddCurve(const RecordedRun& run, const ReferenceCurve& curve,
              const Golden& table2, report::Report* report) {
  const RunSpec& spec = run.result().spec();
  const PaperValue* paper = FindAccuracy(spec, table2);
  const ReferenceCurve::Point& last = *curve.points().rbegin();
  if (!Ended(run) || paper == nullptr) return;
  double most = 0;
  const auto ours_at = [&](const ReferenceCurve::Point& point) {
    return TestPercent(
        run.result().epochs(static_cast<int>(point.epoch()) - 1));
  };
  for (const ReferenceCurve::Point& point : curve.points()) {
    most =
        std::max(most, std::abs(ours_at(point) - 100 * point.test_accuracy()));
  }
  const double theirs = 100 * last.test_accuracy();
  const bool reaches = Reaches(theirs, *paper);
  const bool missed = !Reaches(ours_at(last), *paper);
  AddFinding(
      report::Finding::LIMITATION,
      absl::StrCat(NetworkName(spec.model()), ": where ", curve.framework(),
                   " stands by the same protocol"),
      absl::StrFormat(
          "%s, %s, was at %.1f%% of the test set after epoch %d of %d, ours at "
          "%.2f%%; published are %.1f ± %.1f%% after the last. At the %d "
          "epochs that are known of it the two are at most %.1f points apart.%s"
          " It made %d epochs; one seed.",
          curve.framework(), TitleOf(spec), theirs, last.epoch(), spec.epochs(),
          ours_at(last), paper->value(), paper->sd(), curve.points_size(), most,
          !missed   ? ""
          : reaches ? " So this engine lags behind."
                    : " So it is not this engine alone that is under the "
                      "published accuracy.",
          curve.epochs_made()),
      kPlace, report);
}

// What a policy stands for among the paper's claims.
std::string ReadingOf(std::string_view policy) {
  if (policy == "FP16") {
    return "What the paper's text says, everything that is stored in 16 bits.";
  }
  if (policy == "FP16_BN32") {
    return "What the paper's framework did, 16 bits but for batch "
           "normalisation.";
  }
  return absl::StrCat("In ", policy, ".");
}

// What one pair that has ended says of the paper.
void AddPair(const RecordedRun& run, const RecordedRun& base,
             const Golden& table2, report::Report* report) {
  const RunSpec& spec = run.result().spec();
  const PaperValue* paper = FindAccuracy(spec, table2);
  const PaperValue* paper_base = FindAccuracy(base.result().spec(), table2);
  if (!Ended(run) || !Ended(base) || !paper || !paper_base) return;
  const double ours = TestPercent(LastEpoch(run));
  const double beside = TestPercent(LastEpoch(base));
  const bool within = std::abs(ours - beside) <= kRecordedMargin;
  const bool comparable = Reaches(beside, *paper_base);
  AddFinding(
      !comparable ? report::Finding::LIMITATION
      : within    ? report::Finding::AGREEMENT
                  : report::Finding::CONTRADICTION,
      absl::StrCat("Recorded, one seed: ", TitleOf(spec),
                   !comparable ? " is held neither for nor against the paper"
                   : within    ? " speaks for the paper"
                               : " speaks against the paper"),
      absl::StrFormat(
          "%s After %d epochs of the paper's protocol it ends at %.2f%% of the "
          "test set, FP32 of the same seed at %.2f%%: %+.2f points, %s the "
          "margin of %.1f that table 2 gives a network; the paper has %.1f and "
          "%.1f, %+.1f. On the training set it ends at %.1f%%, FP32 at %.1f%%. "
          "%sOne seed gives no verdict.",
          ReadingOf(spec.policy()), spec.epochs(), ours, beside, ours - beside,
          within ? "within" : "beyond", kRecordedMargin, paper->value(),
          paper_base->value(), paper->value() - paper_base->value(),
          100 * LastEpoch(run).train_accuracy(),
          100 * LastEpoch(base).train_accuracy(),
          comparable ? ""
                     : "The baseline is not the paper's: our FP32 does not "
                       "reach the published accuracy. "),
      kPlace, report);
}

}  // namespace

void AddRecordedFindings(const RecordedRuns& recorded, report::Report* report) {
  for (const RecordedRun& run : recorded.runs) {
    AddBaseline(run, recorded.table2, report);
    if (const ReferenceCurve* curve = FindCurve(run, recorded.curves)) {
      AddCurve(run, *curve, recorded.table2, report);
    }
  }
  for (const RecordedRun& run : recorded.runs) {
    if (const RecordedRun* base = FindBase(run, recorded.runs)) {
      AddPair(run, *base, recorded.table2, report);
    }
  }
  std::vector<const RunResult*> results;
  for (const RecordedRun& run : recorded.runs) results.push_back(&run.result());
  AddRunWarnings("Recorded runs", results, report);
}

}  // namespace repro16
