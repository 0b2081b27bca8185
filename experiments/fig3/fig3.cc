#include "experiments/fig3/fig3.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr double kAlpha = 0.05;

// Which of an epoch's accuracies.
using Split = double (EpochResult::*)() const;
constexpr Split kTraining = &EpochResult::train_accuracy;
constexpr Split kTest = &EpochResult::test_accuracy;

int Epochs(const RunSet& runs) {
  return runs.runs().front().result.epochs_size();
}

// In percent after epoch `e` (from 0), a value a seed.
std::vector<double> Accuracies(const RunSet& runs, std::string_view policy,
                               Split split, int e) {
  std::vector<double> values;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    values.push_back(100 * (run->result.epochs(e).*split)());
  }
  return values;
}

// `policy` - FP32 after the last epoch, in points, a value a seed of both.
std::vector<double> Differences(const RunSet& runs, std::string_view policy,
                                Split split) {
  const int last = Epochs(runs) - 1;
  std::vector<double> values;
  for (const RunSet::Pair& pair : runs.Pairs(policy, "FP32")) {
    values.push_back(100 * ((pair.a->result.epochs(last).*split)() -
                            (pair.b->result.epochs(last).*split)()));
  }
  return values;
}

// ---- Who is ahead -----------------------------------------------------------

// The precisions of the figure, in the paper's order; the first is the policy
// that stands in its FP16 column.
using Contest = std::array<std::string_view, 3>;

Contest AsWritten(const RunSet&) { return {"FP16", "FP32", "MP"}; }

Contest AsInTheFramework(const RunSet& runs) {
  return {FrameworkFp16(runs), "FP32", "MP"};
}

// What is read as the paper's FP16.
struct Reading {
  std::string_view id;  // golden value
  std::string_view what;
  Contest (*contest_of)(const RunSet&);
};

constexpr Reading kReadings[] = {
    {"no_consistent_winner", "Networks won: FP16, FP32, MP", AsWritten},
    {"no_consistent_winner_bn32", "Networks won: FP16_BN32, FP32, MP",
     AsInTheFramework},
};

struct Lead {
  std::optional<size_t> winner;  // in the contest; none: a tie
  double points = 0;             // between the two highest means
};

// After epoch `e`; nothing where a precision did not run.
std::optional<Lead> LeadAfter(const RunSet& runs, const Contest& contest,
                              int e) {
  // Accuracies are multiples of 1 / examples; what is nearer than this differs
  // by the rounding of a mean.
  constexpr double kTie = 1e-9;
  std::array<double, 3> means;
  for (size_t i = 0; i < contest.size(); ++i) {
    const std::vector<double> values = Accuracies(runs, contest[i], kTest, e);
    if (values.empty()) return std::nullopt;
    means[i] = SampleOf(values).mean;
  }
  std::array<double, 3> sorted = means;
  std::sort(sorted.begin(), sorted.end());
  Lead lead;
  lead.points = sorted[2] - sorted[1];
  if (lead.points > kTie) {
    lead.winner = std::max_element(means.begin(), means.end()) - means.begin();
  }
  return lead;
}

// Wins over networks or epochs.
struct Wins {
  std::array<int64_t, 3> of = {};  // each precision's
  int64_t contests = 0;

  void Add(const Lead& lead) {
    ++contests;
    if (lead.winner) ++of[*lead.winner];
  }
  int64_t Most() const { return *std::max_element(of.begin(), of.end()); }
  // "FP16 5, FP32 4, MP 2 of 12"; ties are what is missing.
  std::string ToString() const {
    return absl::StrCat("FP16 ", of[0], ", FP32 ", of[1], ", MP ", of[2],
                        " of ", contests);
  }
};

// By the rule in golden.textproto.
report::Verdict JudgeWins(const Wins& wins, double consistent) {
  const int64_t most = wins.Most();
  if (1 - BinomialAtLeast(most + 1, wins.contests, consistent) <= kAlpha) {
    return report::VERDICT_MATCH;
  }
  const auto precisions = static_cast<double>(wins.of.size());
  if (precisions * BinomialAtLeast(most, wins.contests, 1 / precisions) <=
      kAlpha) {
    return report::VERDICT_DIFFER;
  }
  return report::VERDICT_INCONCLUSIVE;
}

// The golden value `id`: the share of networks that a consistent winner wins.
absl::StatusOr<PaperValue> ConsistentShare(const Golden& golden,
                                           std::string_view id) {
  for (const PaperValue& paper : golden.paper()) {
    if (paper.id() != id) continue;
    if (paper.value() > 0 && paper.value() < 1) return paper;
    return absl::InvalidArgumentError(
        absl::StrCat("golden values of fig3: paper value \"", id, "\" is ",
                     paper.value(), "; give a share between 0 and 1"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("golden values of fig3: paper value \"", id,
                   "\" is missing; add what the paper says"));
}

absl::StatusOr<report::Expectation> NoConsistentWinner(
    absl::Span<const RunSet> sets, const Golden& golden,
    const Reading& reading) {
  const absl::StatusOr<PaperValue> paper = ConsistentShare(golden, reading.id);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, reading.id, reading.what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;
  Wins wins;
  for (const RunSet& set : sets) {
    const std::optional<Lead> lead =
        LeadAfter(set, reading.contest_of(set), Epochs(set) - 1);
    if (lead) wins.Add(*lead);
  }
  e.set_note(paper->note());
  if (wins.contests == 0) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return expectation;
  }
  e.mutable_ours()->set_mean(static_cast<double>(wins.Most()));
  e.mutable_ours()->set_n(wins.contests);
  e.set_ours_text(absl::StrCat("wins: ", wins.ToString()));
  e.set_verdict(Judged(sets) ? JudgeWins(wins, paper->value())
                             : report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  return expectation;
}

// ---- Tables and the figure --------------------------------------------------

report::Table LeadTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch, and who is ahead");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent. The lead is that of "
      "FP16, FP32 or MP over the next of the three; the last column counts the "
      "epochs after which each was ahead, ties left out.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP", "ahead",
              "lead (points)", "epochs ahead: FP16 / FP32 / MP"},
             &table);
  for (const RunSet& set : sets) {
    const int last = Epochs(set) - 1;
    std::vector<report::Cell> cells = {
        TextCell(NetworkName(set.spec().model()))};
    for (const char* policy : {"FP16", "FP16_BN32", "FP32", "MP"}) {
      cells.push_back(EstimateCell(Accuracies(set, policy, kTest, last)));
    }
    const Contest contest = AsWritten(set);
    const std::optional<Lead> lead = LeadAfter(set, contest, last);
    if (!lead) {
      for (int i = 0; i < 3; ++i) cells.push_back(TextCell("-"));
      AddRow(std::move(cells), &table);
      continue;
    }
    Wins epochs;
    for (int e = 0; e <= last; ++e) epochs.Add(*LeadAfter(set, contest, e));
    cells.push_back(TextCell(lead->winner ? contest[*lead->winner] : "tie"));
    cells.push_back(
        NumberCell(lead->points, absl::StrFormat("%.2f", lead->points)));
    cells.push_back(TextCell(absl::StrJoin(epochs.of, " / ")));
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Table DifferenceTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("Differences from FP32 after the last epoch");
  table.set_caption(
      "What figure 2 shows of MNIST, training accuracy close and test accuracy "
      "slightly better, asked of each network on CIFAR-10: FP16 - FP32 and "
      "FP16_BN32 - FP32, paired by seed; mean ± standard deviation (seeds), in "
      "points.");
  AddColumns({"network", "training, FP16", "test, FP16", "training, FP16_BN32",
              "test, FP16_BN32"},
             &table);
  for (const RunSet& set : sets) {
    std::vector<report::Cell> cells = {
        TextCell(NetworkName(set.spec().model()))};
    for (const char* policy : {"FP16", "FP16_BN32"}) {
      for (const Split split : {kTraining, kTest}) {
        cells.push_back(EstimateCell(Differences(set, policy, split), true));
      }
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Figure AccuracyFigure(absl::Span<const RunSet> sets) {
  report::Figure figure;
  figure.set_name("accuracy");
  figure.set_title("Test accuracy by epoch");
  figure.set_caption(
      "A panel for each network, each with its own scale: test accuracy in "
      "percent after each epoch. A line is the mean over seeds, its band spans "
      "all seeds; FP16_BN32 is the thin dotted line.");
  figure.set_spec("accuracy.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("accuracy");
  for (const char* field :
       {"network", "policy", "epoch", "mean", "low", "high"}) {
    data->add_fields(field);
  }
  for (const RunSet& set : sets) {
    for (const std::string& policy : set.Policies()) {
      for (int e = 0; e < Epochs(set); ++e) {
        const std::vector<double> values = Accuracies(set, policy, kTest, e);
        const auto [low, high] =
            std::minmax_element(values.begin(), values.end());
        AddRecord(
            {ChartText(NetworkName(set.spec().model())), ChartText(policy),
             ChartNumber(e + 1), ChartNumber(SampleOf(values).mean),
             ChartNumber(*low), ChartNumber(*high)},
            data);
      }
    }
  }
  return figure;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFigure3(const AnalysisInputs& inputs,
                                        const Golden& golden) {
  const std::vector<RunSet>& sets = inputs.sets;
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig3", inputs.scale, sets);
  AddCifar10Reductions(sets, &report);
  report.set_title("Test accuracy by epoch on CIFAR-10");
  report.mutable_claim()->set_text(
      "Fig. 3 illustrates test accuracy trends over training epochs, showing "
      "no consistent winner across precisions.");
  report.mutable_claim()->set_place("section 4.3, figure 3");
  report.add_summary(
      "The networks, seeds and runs of table 2. FP16 is what the paper's text "
      "claims, FP16_BN32 what its framework did: batch normalisation in 32 "
      "bits. A lead says who was ahead, not that the difference is more than "
      "that of the seeds; table 2 tests the differences.");
  AddDiverged(sets, &report);
  for (const Reading& reading : kReadings) {
    absl::StatusOr<report::Expectation> expectation =
        NoConsistentWinner(sets, golden, reading);
    if (!expectation.ok()) return expectation.status();
    *report.add_expectations() = *std::move(expectation);
  }
  if (!sets.empty()) {
    *report.add_tables() = LeadTable(sets);
    *report.add_tables() = DifferenceTable(sets);
    *report.add_tables() = ProtocolTable(sets);
  }
  *report.add_figures() = AccuracyFigure(sets);
  const absl::StatusOr<RecordedRuns> recorded = LoadRecordedRuns(inputs.files);
  if (!recorded.ok()) return recorded.status();
  AddRecordedRuns(*recorded, &report);
  AddContradictions(&report);
  AddShortTraining(sets, &report);
  AddFinding(report::Finding::UNSTATED, "What figure 3's curves are",
             "The text says neither which networks figure 3 shows nor whether "
             "a curve is one seed or the mean of the 50. Ours: all networks of "
             "table 2, means over seeds.",
             "section 4.3", &report);
  return analysis;
}

}  // namespace repro16
