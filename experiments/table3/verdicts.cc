#include "experiments/table3/verdicts.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/judge.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

// Twice what guessing gives on ten classes, in percent: under it a network has
// learnt nothing that it could lose.
constexpr double kLearns = 20;
// Averaged over in the paper (section 4.2).
constexpr int64_t kPaperSeeds = 50;

std::string RateSuffix(double rate) {
  return rate == kRate ? "" : absl::StrCat("_rate_", PowerText(rate));
}

bool Learns(const ValueOfSeed& best) {
  return std::all_of(best.begin(), best.end(),
                     [](const auto& entry) { return entry.second >= kLearns; });
}

// One value a seed, against what it is a part of.
struct Share {
  const RunSet* runs = nullptr;  // any of those it is of
  ValueOfSeed percent;
  bool learns = true;
};

// The lowest accuracy at `epsilons` in percent of the sweep's best.
Share LowestShareOfBest(const Sweep* sweep, std::string_view policy,
                        absl::Span<const double> epsilons) {
  Share share;
  if (sweep == nullptr) return share;
  share.runs = sweep->points.front().runs;
  const ValueOfSeed best = BestOfSeed(*sweep, policy);
  share.learns = Learns(best);
  for (double epsilon : epsilons) {
    const RunSet* runs = sweep->At(epsilon);
    if (runs == nullptr) continue;
    share.percent = LowerOfSeed(share.percent,
                                PercentOf(AccuracyOfSeed(*runs, policy), best));
  }
  return share;
}

// FP16 in percent of FP32.
Share ShareOfFp32(const Sweep* sweep) {
  Share share;
  if (sweep == nullptr) return share;
  share.runs = sweep->points.front().runs;
  const ValueOfSeed fp32 = AccuracyOfSeed(*share.runs, "FP32");
  share.learns = Learns(fp32);
  share.percent = PercentOf(AccuracyOfSeed(*share.runs, "FP16"), fp32);
  return share;
}

class Judging {
 public:
  Judging(absl::Span<const Sweep> sweeps, const Golden& golden,
          report::Report* report)
      : sweeps_(sweeps), golden_(golden), report_(report) {}

  absl::Status AddAll();

 private:
  absl::Status AddShare(std::string_view id, std::string_view what,
                        const Share& share, Side side);
  absl::Status AddCollapses(std::string_view model, double rate);
  absl::Status AddDefault(std::string_view model, double rate);
  absl::Status AddRmsProp();
  absl::Status AddSgd(std::string_view model);
  absl::Status AddAccuracies(std::string_view model);
  absl::Status AddAccuracy(std::string_view model, double epsilon);
  absl::Status FillSummary(report::Expectation* summary);
  const Sweep* Adam(std::string_view model, double rate) const {
    return FindSweep(sweeps_, model, "Adam", rate);
  }

  const absl::Span<const Sweep> sweeps_;
  const Golden& golden_;
  report::Report* const report_;
};

absl::Status Judging::AddShare(std::string_view id, std::string_view what,
                               const Share& share, Side side) {
  if (share.percent.empty()) {
    absl::StatusOr<report::Expectation> expectation =
        ExpectationFromPaper(golden_, id, what);
    if (!expectation.ok()) return expectation.status();
    expectation->set_verdict(report::VERDICT_NOT_RUN);
    *report_->add_expectations() = *std::move(expectation);
    return absl::OkStatus();
  }
  absl::StatusOr<report::Expectation> expectation =
      JudgeEachSeed(*share.runs, golden_, id, what, ValuesOf(share.percent),
                    Measure::kNumber, side);
  if (!expectation.ok()) return expectation.status();
  // The paper's value is a threshold, not a number to be met.
  expectation->clear_difference();
  expectation->clear_margin();
  if (!share.learns && share.runs->Judged()) {
    expectation->set_verdict(report::VERDICT_INCONCLUSIVE);
    expectation->set_note(
        absl::StrCat(expectation->note(), " Even the best is under ", kLearns,
                     "%: there is nothing to collapse from."));
  }
  *report_->add_expectations() = *std::move(expectation);
  return absl::OkStatus();
}

absl::Status Judging::AddCollapses(std::string_view model, double rate) {
  const Sweep* sweep = Adam(model, rate);
  const std::string name =
      absl::StrCat(NetworkName(model), ", FP16, Adam ", PowerText(rate));
  std::vector<double> large;
  absl::Status status;
  for (double epsilon : kTable3Epsilons) {
    if (epsilon > kCollapsesFrom) {
      large.push_back(epsilon);
      continue;
    }
    status.Update(AddShare(
        CollapseId(model, rate, epsilon),
        absl::StrCat(name, ": collapses at epsilon ", PowerText(epsilon)),
        LowestShareOfBest(sweep, "FP16", {epsilon}), Side::kAtMost));
  }
  status.Update(
      AddShare(absl::StrCat("no_collapse_", model, RateSuffix(rate)),
               absl::StrCat(name, ": no collapse at epsilon 1e-2 to 1e-4"),
               LowestShareOfBest(sweep, "FP16", large), Side::kAtLeast));
  return status;
}

absl::Status Judging::AddDefault(std::string_view model, double rate) {
  return AddShare(
      absl::StrCat("fp32_default_", model, RateSuffix(rate)),
      absl::StrCat(NetworkName(model), ", FP32, Adam ", PowerText(rate),
                   ": no collapse at epsilon 1e-7"),
      LowestShareOfBest(Adam(model, rate), "FP32", {1e-7}), Side::kAtLeast);
}

absl::Status Judging::AddRmsProp() {
  return AddShare(
      "rmsprop_collapse_resnet18",
      "ResNet-18, FP16, RMSProp 1e-3: collapses at epsilon 1e-5, 1e-6 or 1e-7",
      LowestShareOfBest(FindSweep(sweeps_, "resnet18", "RMSProp", kRate),
                        "FP16", {1e-5, 1e-6, 1e-7}),
      Side::kAtMost);
}

absl::Status Judging::AddSgd(std::string_view model) {
  return AddShare(absl::StrCat("sgd_stable_", model),
                  absl::StrCat(NetworkName(model), ", SGD: FP16 is stable"),
                  ShareOfFp32(FindSweep(sweeps_, model, "SGD", kSgdRate)),
                  Side::kAtLeast);
}

absl::Status Judging::AddAccuracy(std::string_view model, double epsilon) {
  absl::StatusOr<report::Expectation> expectation = ExpectationFromPaper(
      golden_, AccuracyId(model, epsilon),
      absl::StrCat(NetworkName(model), ", FP16, Adam, epsilon ",
                   PowerText(epsilon), ": test accuracy"));
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *report_->add_expectations();
  e = *std::move(expectation);
  e.set_digits(3);
  const Sweep* sweep = Adam(model, kRate);
  const RunSet* runs = sweep == nullptr ? nullptr : sweep->At(epsilon);
  const std::vector<double> ours = runs == nullptr
                                       ? std::vector<double>()
                                       : FinalTestAccuracies(*runs, "FP16");
  if (ours.empty()) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return absl::OkStatus();
  }
  *e.mutable_ours() = EstimateOf(ours);
  e.set_difference(e.ours().mean() - e.paper_value());
  if (runs->scale() != "paper" || !runs->Judged()) {
    e.set_verdict(report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
    return absl::OkStatus();
  }
  const Equivalence test = WelchEquivalence(
      SampleOf(ours), {e.paper_value(), 0, kPaperSeeds}, e.margin());
  e.mutable_interval()->set_low(test.low);
  e.mutable_interval()->set_high(test.high);
  e.mutable_interval()->set_level(0.9);
  e.set_verdict(test.verdict == Verdict::kMatch ? report::VERDICT_MATCH
                : test.verdict == Verdict::kDiffer
                    ? report::VERDICT_DIFFER
                    : report::VERDICT_INCONCLUSIVE);
  e.set_note(
      "The paper gives no spread: the interval is that of our mean alone.");
  return absl::OkStatus();
}

absl::Status Judging::AddAccuracies(std::string_view model) {
  absl::Status status;
  for (double epsilon : kTable3Epsilons) {
    status.Update(AddAccuracy(model, epsilon));
  }
  return status;
}

// Of the six cells that the paper shows to collapse.
absl::Status Judging::FillSummary(report::Expectation* summary) {
  absl::StatusOr<report::Expectation> expectation = ExpectationFromPaper(
      golden_, "adam_collapse",
      "FP16, Adam: accuracy collapses at epsilon 1e-5 and under");
  if (!expectation.ok()) return expectation.status();
  std::map<report::Verdict, int> cells;
  for (const report::Expectation& e : report_->expectations()) {
    if (absl::StartsWith(e.id(), "collapse_") &&
        !absl::StrContains(e.id(), "_rate_")) {
      ++cells[e.verdict()];
    }
  }
  for (report::Verdict verdict :
       {report::VERDICT_NOT_RUN, report::VERDICT_NOT_JUDGED_AT_THIS_SCALE,
        report::VERDICT_DIFFER, report::VERDICT_INCONCLUSIVE,
        report::VERDICT_MATCH}) {
    if (cells[verdict] == 0) continue;
    expectation->set_verdict(verdict);
    break;
  }
  const int judged = cells[report::VERDICT_MATCH] +
                     cells[report::VERDICT_DIFFER] +
                     cells[report::VERDICT_INCONCLUSIVE];
  if (judged > 0) {
    expectation->set_ours_text(absl::StrCat(
        "of ", judged, ": ", cells[report::VERDICT_MATCH], " in every seed, ",
        cells[report::VERDICT_DIFFER], " in no seed"));
  }
  expectation->set_note(
      "Both networks at epsilons 1e-5, 1e-6 and 1e-7, rate 1e-3. A match when "
      "all six collapse in every seed, differ when one of them collapses in "
      "no seed.");
  *summary = *std::move(expectation);
  return absl::OkStatus();
}

absl::Status Judging::AddAll() {
  // Stands first, and is known when the cells are.
  report::Expectation* summary = report_->add_expectations();
  absl::Status status = AddCollapses("resnet18", kRate);
  status.Update(AddCollapses("resnet34", kRate));
  status.Update(FillSummary(summary));
  status.Update(AddCollapses("resnet18", kOtherRate));
  status.Update(AddDefault("resnet18", kRate));
  status.Update(AddDefault("resnet34", kRate));
  status.Update(AddDefault("resnet18", kOtherRate));
  status.Update(AddRmsProp());
  status.Update(AddSgd("resnet18"));
  status.Update(AddSgd("resnet34"));
  status.Update(AddAccuracies("resnet18"));
  status.Update(AddAccuracies("resnet34"));
  return status;
}

}  // namespace

std::string CollapseId(std::string_view model, double rate, double epsilon) {
  return absl::StrCat("collapse_", model, "_", PowerText(epsilon),
                      RateSuffix(rate));
}

std::string AccuracyId(std::string_view model, double epsilon) {
  return absl::StrCat("accuracy_", model, "_", PowerText(epsilon));
}

absl::Status AddExpectations(absl::Span<const Sweep> sweeps,
                             const Golden& golden, report::Report* report) {
  return Judging(sweeps, golden, report).AddAll();
}

}  // namespace repro16
