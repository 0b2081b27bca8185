#include "experiments/fig1/fig1.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/answer.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/pair_statistics.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/fig1/figures.h"
#include "experiments/fig1/tables.h"

namespace repro16 {
namespace {

using report::Finding;

constexpr std::string_view kLargestError = "delta_max";

report::Table LargestTable(const std::vector<PairStatistics>& pairs) {
  report::Table table;
  table.set_title("The largest error of each seed");
  table.set_caption("The sample, its label, and what both networks say of it.");
  AddColumns({"networks", "sample", "label", "δ", "Γ", "FP16", "FP32"}, &table);
  for (const PairStatistics& pair : pairs) {
    const LargestError& largest = pair.largest;
    AddRow({TextCell(pair.name), CountCell(largest.sample),
            CountCell(largest.label),
            NumberCell(largest.error, absl::StrFormat("%.3f", largest.error)),
            NumberCell(largest.tolerance,
                       absl::StrFormat("%.3f", largest.tolerance)),
            TextCell(absl::StrFormat("%d (%.3f)", largest.class_16,
                                     largest.probability_16)),
            TextCell(absl::StrFormat("%d (%.3f)", largest.class_32,
                                     largest.probability_32))},
           &table);
  }
  return table;
}

// In percent, after the last epoch.
double FinalTestAccuracy(const TrainedRun& run) {
  return FinalTestAccuracy(run.result);
}

report::Table AccuracyTable(const RunSet& runs) {
  report::Table table;
  table.set_title("Test accuracy, seed by seed");
  table.set_caption(
      "After the last epoch. The verdict is by a test over seeds, not by this "
      "table.");
  AddColumns({"seed", "FP16 (%)", "FP32 (%)", "FP16 - FP32 (points)",
              "within 0.3 points"},
             &table);
  for (const RunSet::Pair& pair : runs.Pairs("FP16", "FP32")) {
    const double a = FinalTestAccuracy(*pair.a);
    const double b = FinalTestAccuracy(*pair.b);
    AddRow({TextCell(absl::StrCat(pair.a->seed())),
            NumberCell(a, absl::StrFormat("%.2f", a)),
            NumberCell(b, absl::StrFormat("%.2f", b)),
            NumberCell(a - b, absl::StrFormat("%+.2f", a - b)),
            TextCell(std::abs(a - b) <= 0.3 + 1e-9 ? "yes" : "no")},
           &table);
  }
  return table;
}

// One number of each pair.
template <typename Get>
std::vector<double> Each(const std::vector<PairStatistics>& pairs, Get get) {
  std::vector<double> values;
  for (const PairStatistics& pair : pairs) values.push_back(get(pair));
  return values;
}

const PairStatistics& WithLargestError(
    const std::vector<PairStatistics>& pairs) {
  return *std::max_element(
      pairs.begin(), pairs.end(),
      [](const auto& a, const auto& b) { return a.error.max < b.error.max; });
}

// By how much an error exceeds the tolerance of its sample, at most.
double LargestExcess(const PairStatistics& pair) {
  double largest = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < pair.errors.size(); ++i) {
    largest = std::max(largest, pair.errors[i] - pair.tolerances[i]);
  }
  return largest;
}

// One number a pair, by the statement's id.
struct Quantity {
  std::string_view id;
  double (*of)(const PairStatistics&);
};

constexpr Quantity kQuantities[] = {
    {"delta_mean", [](const PairStatistics& p) { return p.error.mean; }},
    {"delta_variance",
     [](const PairStatistics& p) { return p.error.variance; }},
    {"gamma_mean", [](const PairStatistics& p) { return p.tolerance.mean; }},
    {"gamma_variance",
     [](const PairStatistics& p) { return p.tolerance.variance; }},
    {"ratio", [](const PairStatistics& p) { return p.Ratio(); }},
    {"share_guaranteed",
     [](const PairStatistics& p) { return 100 * p.Covered(); }},
    {kLargestError, [](const PairStatistics& p) { return p.error.max; }},
    {"error_surpasses", LargestExcess},
};

absl::StatusOr<Measurement> MeasureFigure1(
    const Asked& asked, const NetworkResults& network,
    const std::vector<PairStatistics>& pairs) {
  const std::string& id = asked.statement.id();
  Measurement measured;
  measured.training = TrainingOf({network});
  if (id == "accuracy_difference") {
    measured.networks = {network.Differences("FP16", "FP32")};
    return measured;
  }
  for (const Quantity& quantity : kQuantities) {
    if (quantity.id != id) continue;
    measured.networks = {Each(pairs, quantity.of)};
    for (const PairStatistics& pair : pairs) measured.cases += pair.samples();
    return measured;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("golden values of fig1: statement \"", id,
                   "\" is of no known quantity; correct its id"));
}

// "0.12%": the part of all stored values that became 0 and were not.
std::string UnderflowShare(const RoundingCounts& counts) {
  uint64_t stored = 0, underflow = 0;
  for (const StoreCounts& kind :
       {counts.activations(), counts.activation_gradients(),
        counts.weight_gradients(), counts.parameters()}) {
    stored += kind.stored();
    underflow += kind.underflow();
  }
  return Percent(stored == 0 ? 0 : static_cast<double>(underflow) / stored);
}

// Whether an error is as high as the paper's, by the rule that it is judged by.
bool IsAsHighAsThePapers(double error, const report::Report& report) {
  for (const report::Expectation& e : report.expectations()) {
    if (e.id() != kLargestError) continue;
    const double papers = e.ours().mean() - e.difference();
    return error >= papers - e.margin();
  }
  return false;
}

// The paper presumes that the largest errors come from overflow or underflow.
void AddCauseOfLargestErrors(const PairSets& sets, report::Report* report) {
  report::PolicyCounts fp16;
  for (const report::PolicyCounts& counts : report->counts()) {
    if (counts.policy() == "FP16") fp16 = counts;
  }
  std::string text = absl::StrCat(
      "The paper presumes overflow or underflow behind single errors near 1. "
      "Of our FP16 runs, ",
      fp16.non_finite_runs(), " of ", fp16.runs(),
      " stored an infinity or a NaN at some step, and ",
      UnderflowShare(fp16.counts()),
      " of all values that they stored in training underflowed to 0 (by "
      "tensors under \"What rounding did\"). Our largest error is ",
      absl::StrFormat("%.3g", WithLargestError(sets.same_seed).error.max),
      "; neither count tells its cause.");
  if (!sets.controls.empty()) {
    const double control = WithLargestError(sets.controls).error.max;
    if (IsAsHighAsThePapers(control, *report)) {
      absl::StrAppendFormat(
          &text,
          " Two FP32 networks of different seeds reach %.3g without any "
          "difference of precision: errors near 1 would be consistent with "
          "networks that part in training, too.",
          control);
    }
  }
  AddFinding(Finding::UNSTATED, "The cause of the largest errors", text,
             "section 3.3", report);
}

// A mean tolerance bounds the mean probability of the label from above, and so
// the loss from below: the largest probability p has gamma >= p - (1 - p), and
// the mean of -log is at least -log of the mean (Jensen).
void AddLossOfTolerance(const RunSet& runs, report::Report* report) {
  constexpr double kPaperTolerance = 0.1;
  const double probability = (1 + kPaperTolerance) / 2;
  std::vector<double> losses;
  for (const TrainedRun* run : runs.OfPolicy("FP32")) {
    losses.push_back(run->result.epochs().rbegin()->test_loss());
  }
  AddFinding(
      Finding::UNSTATED, "What a mean tolerance of 1E-1 says of the training",
      absl::StrFormat(
          "The paper prints the tolerance as a power of ten. If 1E-1 means "
          "0.1, a mean tolerance of 0.1 implies a test loss of at least %.2f: "
          "Γ is at least p - (1 - p) for the largest probability p, so the "
          "label's mean probability is at most %.2f, and the loss at least "
          "-log %.2f. Our FP32 networks have a test loss of %.3g.",
          -std::log(probability), probability, probability,
          EstimateOf(losses).mean()),
      "section 3.3", report);
}

// What a change of seed does, beside a change of precision.
void AddShareOfPrecision(const PairSets& sets, report::Report* report) {
  if (sets.controls.empty()) return;
  const auto mean_error = [](const PairStatistics& p) { return p.error.mean; };
  const double precision = EstimateOf(Each(sets.same_seed, mean_error)).mean();
  const double seeds = EstimateOf(Each(sets.controls, mean_error)).mean();
  AddFinding(Finding::UNSTATED, "How much of the error is precision",
             absl::StrCat(
                 "Two FP32 networks of different seeds have a mean δ of ",
                 Scientific(seeds), ", FP16 and FP32 of the same seed one of ",
                 Scientific(precision), ": ",
                 absl::StrFormat("%.0f%%", 100 * precision / seeds),
                 " of what a change of seed does. δ compares two trained "
                 "networks, and holds all that training makes of a rounding "
                 "error; the paper has no such control."),
             "section 3.2, definition 1", report);
}

void AddFindings(const RunSet& runs, const PairSets& sets,
                 report::Report* report) {
  AddContradictions(report);
  AddMnistProtocol(report);
  // Made-up data and runs of tests say nothing about the paper.
  if (!runs.Judged()) return;
  AddLossOfTolerance(runs, report);
  AddCauseOfLargestErrors(sets, report);
  AddShareOfPrecision(sets, report);
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFigure1(const RunSet& runs,
                                        const Golden& golden) {
  absl::StatusOr<PairSets> sets = ComparePairs(runs);
  if (!sets.ok()) return sets.status();

  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig1", runs);
  AddMnistReductions(runs, &report);
  report.set_title(
      "Floating-point error and classification tolerance on MNIST");
  report.mutable_claim()->set_text(
      "Our findings indicate that the mean floating-point error has a "
      "magnitude of approximately 1E-3 with a variance of up to 1E-4, while "
      "the classification tolerance is approximately 1E-1 with a variance of "
      "1E-2. "
      "In other words, the average classification tolerance is about 100 times "
      "larger than the average floating-point error, suggesting that Eq. 3 "
      "[...] holds for most samples in the MNIST dataset.");
  report.mutable_claim()->set_place("section 3.3, figure 1");
  report.add_summary(
      "For each test sample, δ is the largest difference between the class "
      "probabilities of the FP16 and the FP32 network of one seed, and Γ the "
      "largest minus the second-largest probability of the FP32 network. The "
      "paper concludes that Γ ≥ 2δ (Eq. 3) holds for most samples.");
  const NetworkResults network(NetworkOf("mlp"), &runs);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, runs.scale(), runs.Judged(), [&](const Asked& asked) {
        return MeasureFigure1(asked, network, sets->same_seed);
      });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(&report);
  AddAnswer({"ratio", "share_guaranteed"}, &report);
  *report.add_tables() =
      MomentsTable("Error and tolerance",
                   "FP16 against FP32 of the same seed; moments over "
                   "the test set.",
                   sets->same_seed);
  *report.add_tables() = LemmaTable(sets->same_seed);
  *report.add_tables() = AccuracyTable(runs);
  *report.add_tables() = LargestTable(sets->same_seed);
  if (!sets->controls.empty()) {
    *report.add_tables() = MomentsTable(
        "Control: what a change of seed does",
        "FP32 against FP32 of the next seed: no difference of precision.",
        sets->controls);
  }
  *report.add_figures() = HistogramFigure(sets->same_seed);
  *report.add_figures() = PlaneFigure(sets->same_seed);
  AddFindings(runs, *sets, &report);
  AddPartings(runs, "FP16", "FP32", &report);
  return analysis;
}

}  // namespace repro16
