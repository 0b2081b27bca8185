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
#include "analysis/statistics.h"
#include "experiments/common/answer.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statement_rules.h"
#include "experiments/common/statements.h"
#include "experiments/recorded/recorded.h"

namespace repro16 {
namespace {

using Results = std::vector<NetworkResults>;

constexpr double kAlpha = 0.05;

// ---- Who is ahead -----------------------------------------------------------

// The precisions of the figure, in the paper's order; the first is what stands
// for its FP16.
using Contest = std::array<std::string_view, 3>;

struct Lead {
  std::optional<size_t> winner;  // in the contest; none: a tie
  double points = 0;             // between the two highest means
};

// After epoch `e`, in the end by the final accuracy; nothing where a precision
// did not run.
std::optional<Lead> LeadAfter(const NetworkResults& network,
                              const Contest& contest, int e) {
  // Accuracies are multiples of 1 / examples; what is nearer than this differs
  // by the rounding of a mean.
  constexpr double kTie = 1e-9;
  std::array<double, 3> means;
  for (size_t i = 0; i < contest.size(); ++i) {
    const std::vector<double> values = network.Accuracies(
        contest[i], e + 1 == network.epochs() ? kFinal : kTest, e);
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

// That no precision is ahead of another by more than the margin, on average
// over the networks of the contest.
bool NoneIsAhead(const Results& results, const Contest& contest, double margin,
                 double level) {
  for (size_t i = 0; i < contest.size(); ++i) {
    for (size_t k = i + 1; k < contest.size(); ++k) {
      std::vector<std::vector<double>> differences;
      for (const NetworkResults& network : results) {
        std::vector<double> pairs = network.Differences(contest[i], contest[k]);
        if (!pairs.empty()) differences.push_back(std::move(pairs));
      }
      if (differences.empty() ||
          PooledEquivalence(differences, Within(margin), level).verdict !=
              Verdict::kMatch) {
        return false;
      }
    }
  }
  return true;
}

// So few wins that they refute a consistent winner.
bool WinsAreFew(const Wins& wins, const Statement& statement) {
  return 1 - BinomialAtLeast(wins.Most() + 1, wins.contests,
                             statement.value()) <=
         kAlpha;
}

// By the rule in golden.textproto, whose value is the share of networks that a
// consistent winner wins.
report::Verdict JudgeWins(const Wins& wins, const Statement& statement,
                          bool none_is_ahead) {
  const int64_t most = wins.Most();
  const auto precisions = static_cast<double>(wins.of.size());
  if (precisions * BinomialAtLeast(most, wins.contests, 1 / precisions) <=
      kAlpha) {
    return report::VERDICT_DIFFER;
  }
  return WinsAreFew(wins, statement) && none_is_ahead
             ? report::VERDICT_MATCH
             : report::VERDICT_INCONCLUSIVE;
}

absl::StatusOr<Measurement> MeasureWinner(const Asked& asked,
                                          std::string_view scale,
                                          const Results& results,
                                          const Golden& published) {
  const Statement& statement = asked.statement;
  if (!(statement.value() > 0 && statement.value() < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "golden values of fig3: the value of statement \"", statement.id(),
        "\" is ", statement.value(), "; give a share between 0 and 1"));
  }
  const Contest contest = {asked.reading, "FP32", "MP"};
  Wins wins;
  for (const NetworkResults& network : results) {
    const std::optional<Lead> lead =
        LeadAfter(network, contest, network.epochs() - 1);
    if (lead) wins.Add(*lead);
  }
  Measurement measured;
  if (wins.contests == 0) return measured;
  measured.networks = {{static_cast<double>(wins.Most())}};
  measured.cases = wins.contests;
  measured.text = absl::StrCat("wins: ", wins.ToString());
  std::vector<std::vector<double>> pairs;
  for (const NetworkResults& network : results) {
    pairs.push_back(network.Differences(contest[0], contest[1]));
  }
  const std::optional<double> level = LevelOf(statement, scale, pairs);
  if (!level) {
    measured.lacking = absl::StrCat("no look at ", PairsOf(pairs),
                                    " pairs of runs was planned");
  }
  const bool none_is_ahead =
      NoneIsAhead(results, contest, statement.margin(), level.value_or(kLevel));
  measured.verdict = JudgeWins(wins, statement, none_is_ahead);
  measured.note =
      absl::StrCat("That so few wins refute a consistent winner: ",
                   WinsAreFew(wins, statement) ? "yes" : "no",
                   "; that no mean is ahead of another by the margin: ",
                   none_is_ahead ? "yes" : "not shown", ".");
  SetTraining(results, published, &measured);
  return measured;
}

// ---- Tables and the figure --------------------------------------------------

report::Table LeadTable(const Results& results) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch, and who is ahead");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent. The lead is that of "
      "FP16, FP32 or MP over the next of the three; the last column counts the "
      "epochs after which each was ahead, ties left out. At the scales smoke "
      "and lite an epoch before the last is evaluated on few images only, and "
      "this table has statistics of batch normalisation that are estimated "
      "afterwards, where the figure has the moving averages.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP", "ahead",
              "lead (points)", "epochs ahead: FP16 / FP32 / MP"},
             &table);
  const Contest contest = {"FP16", "FP32", "MP"};
  for (const NetworkResults& network : results) {
    const int last = network.epochs() - 1;
    std::vector<report::Cell> cells = {TextCell(network.network().name)};
    for (std::string_view precision : kPrecisions) {
      cells.push_back(network.PolicyOf(precision) == precision
                          ? EstimateCell(network.Accuracies(precision))
                          : TextCell("-"));
    }
    const std::optional<Lead> lead = LeadAfter(network, contest, last);
    if (!lead) {
      for (int i = 0; i < 3; ++i) cells.push_back(TextCell("-"));
      AddRow(std::move(cells), &table);
      continue;
    }
    Wins epochs;
    for (int e = 0; e <= last; ++e) epochs.Add(*LeadAfter(network, contest, e));
    cells.push_back(TextCell(lead->winner ? contest[*lead->winner] : "tie"));
    cells.push_back(
        NumberCell(lead->points, absl::StrFormat("%.2f", lead->points)));
    cells.push_back(TextCell(absl::StrJoin(epochs.of, " / ")));
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Table DifferenceTable(const Results& results) {
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
  for (const NetworkResults& network : results) {
    std::vector<report::Cell> cells = {TextCell(network.network().name)};
    for (std::string_view precision : {"FP16", "FP16_BN32"}) {
      for (const Split split : {kTraining, kFinal}) {
        cells.push_back(
            network.PolicyOf(precision) == precision
                ? EstimateCell(network.Differences(precision, "FP32", split),
                               true)
                : TextCell("-"));
      }
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Figure AccuracyFigure(const Results& results) {
  report::Figure figure;
  figure.set_name("accuracy");
  figure.set_title("Test accuracy by epoch");
  figure.set_caption(
      "A panel for each network, each with its own scale: test accuracy in "
      "percent after each epoch, with the moving averages of batch "
      "normalisation; at the scales smoke and lite of few images but after the "
      "last. A line is the mean over seeds, its band spans "
      "all seeds; FP16_BN32 is the thin dotted line.");
  figure.set_spec("accuracy.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("accuracy");
  for (const char* field :
       {"network", "policy", "epoch", "mean", "low", "high"}) {
    data->add_fields(field);
  }
  for (const NetworkResults& network : results) {
    for (const std::string& policy : network.runs()->Policies()) {
      for (int e = 0; e < network.epochs(); ++e) {
        const std::vector<double> values = network.Accuracies(policy, kTest, e);
        const auto [low, high] =
            std::minmax_element(values.begin(), values.end());
        AddRecord({ChartText(network.network().name), ChartText(policy),
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
  const Results results = ResultsOf(sets);
  const absl::StatusOr<RecordedRuns> recorded = LoadRecordedRuns(inputs.files);
  if (!recorded.ok()) return recorded.status();
  const Golden& published = recorded->table2;
  const bool judged = Judged(sets);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, inputs.scale, judged, [&](const Asked& asked) {
        return MeasureWinner(asked, inputs.scale, results, published);
      });
  if (!judgements.ok()) return judgements.status();
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig3", inputs.scale, sets);
  AddCifar10Reductions(sets, &report);
  report.set_title("Test accuracy by epoch on CIFAR-10");
  report.mutable_claim()->set_text(
      "Fig. 3 illustrates test accuracy trends over training epochs, showing "
      "no consistent winner across precisions.");
  report.mutable_claim()->set_place("section 4.3, figure 3");
  if (judged) AddBaseline(results, published, &report);
  report.add_summary(
      "The networks, seeds and runs of table 2. FP16 is what the paper's text "
      "claims, FP16_BN32 what its framework did: batch normalisation in 32 "
      "bits. A lead says who was ahead, not that the difference is more than "
      "that of the seeds; table 2 tests the differences.");
  AddDiverged(sets, &report);
  judgements->AddTo(&report);
  AddAnswer({"no_consistent_winner/FP16", "no_consistent_winner/FP16_BN32"},
            &report);
  if (!sets.empty()) {
    *report.add_tables() = LeadTable(results);
    *report.add_tables() = DifferenceTable(results);
    *report.add_tables() = ProtocolTable(sets);
  }
  *report.add_figures() = AccuracyFigure(results);
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
