#include "experiments/table3/accuracy_report.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr std::string_view kNotRun = "not run";

report::Verdict VerdictOf(const report::Report& report, std::string_view id) {
  for (const report::Expectation& e : report.expectations()) {
    if (e.id() == id) return e.verdict();
  }
  return report::VERDICT_NONE;
}

// Runs that end with a loss, in training or on the test set, that is no number.
int64_t CountNotFinite(const RunSet& runs, std::string_view policy) {
  int64_t count = 0;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    const EpochResult& last = *run->result.epochs().rbegin();
    count += std::isfinite(last.train_loss()) && std::isfinite(last.test_loss())
                 ? 0
                 : 1;
  }
  return count;
}

// "38.2 ± 1.1", and under it how many runs ended without a number.
report::Cell AccuracyCell(const RunSet* runs, std::string_view policy) {
  const std::vector<double> values = runs == nullptr
                                         ? std::vector<double>()
                                         : FinalTestAccuracies(*runs, policy);
  if (values.empty()) return TextCell(kNotRun);
  const report::Estimate estimate = EstimateOf(values);
  std::string text = absl::StrFormat("%.1f", estimate.mean());
  if (estimate.has_sd()) absl::StrAppendFormat(&text, " ± %.1f", estimate.sd());
  report::Cell cell = NumberCell(estimate.mean(), text);
  const int64_t not_finite = CountNotFinite(*runs, policy);
  if (not_finite > 0) {
    cell.set_note(
        absl::StrCat(not_finite, " of ", values.size(), " not finite"));
  }
  return cell;
}

void AddEpsilonColumns(report::Table* table) {
  for (double epsilon : kTable3Epsilons) {
    table->add_columns()->set_title(PowerText(epsilon));
  }
}

// With the decimals of the paper's table.
std::string PaperAccuracy(const Golden& golden, std::string_view model,
                          double epsilon) {
  const Statement* paper = FindStatement(golden, AccuracyId(model, epsilon));
  return paper == nullptr ? "" : absl::StrFormat("%.1f", paper->value());
}

std::string PaperTime(const Golden& golden, std::string_view model) {
  const PaperValue* paper =
      FindPaperValue(golden, absl::StrCat("time_", model));
  return paper == nullptr ? "" : absl::StrFormat("%.2f s", paper->value());
}

void AddChartRow(std::string_view sweep, std::string_view what, double epsilon,
                 double accuracy, double low, double high,
                 report::Dataset* data) {
  AddRecord({ChartText(sweep), ChartText(what), ChartText(PowerText(epsilon)),
             ChartNumber(accuracy), ChartNumber(low), ChartNumber(high)},
            data);
}

}  // namespace

report::Table PaperTable(absl::Span<const Sweep> sweeps, const Golden& golden,
                         const report::Report& report) {
  report::Table table;
  table.set_title("Table 3: FP16, Adam, test accuracy by epsilon");
  table.set_caption(
      "In percent, mean ± standard deviation over seeds after the last epoch; "
      "not finite: the loss, in training or on the test set, is no number at "
      "the end. The verdict is on the collapse "
      "that the paper shows there: match, it collapses with us, too; differ, "
      "it "
      "does not. Time: of an epoch; ours is not taken from the runs, which "
      "share their processors, but see the training steps under Time.");
  AddColumns({"network, rate"}, &table);
  AddEpsilonColumns(&table);
  AddColumns({"time"}, &table);
  for (const PaperRow& row : kPaperRows) {
    const Sweep* sweep = FindSweep(sweeps, row.model, "Adam", row.rate);
    std::vector<report::Cell> cells = {TextCell(
        absl::StrCat(NetworkName(row.model), ", ", PowerText(row.rate)))};
    for (double epsilon : kTable3Epsilons) {
      report::Cell cell =
          AccuracyCell(sweep == nullptr ? nullptr : sweep->At(epsilon), "FP16");
      cell.set_paper(PaperAccuracy(golden, row.model, epsilon));
      cell.set_verdict(
          VerdictOf(report, CollapseId(row.model, row.rate, epsilon)));
      cells.push_back(cell);
    }
    cells.push_back(TextCell("not measured"));
    cells.back().set_paper(PaperTime(golden, row.model));
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Table BesideTable(absl::Span<const Sweep> sweeps) {
  report::Table table;
  table.set_title("Beside it: what the paper does not show");
  table.set_caption(
      "Test accuracy in percent, as above. MP keeps weights and moments in 32 "
      "bits.");
  AddColumns({"network, rule, rate", "precision"}, &table);
  AddEpsilonColumns(&table);
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule == "SGD") continue;
    for (const std::string& policy : sweep.Policies()) {
      if (sweep.rule == "Adam" && policy == "FP16") continue;
      std::vector<report::Cell> cells = {TextCell(sweep.Name()),
                                         TextCell(policy)};
      for (double epsilon : kTable3Epsilons) {
        cells.push_back(AccuracyCell(sweep.At(epsilon), policy));
      }
      AddRow(std::move(cells), &table);
    }
  }
  return table;
}

report::Table SgdTable(absl::Span<const Sweep> sweeps) {
  report::Table table;
  table.set_title("The control: SGD, which has no epsilon");
  table.set_caption("Test accuracy in percent, as above; momentum 0.9.");
  AddColumns({"network, rule, rate", "FP16", "FP32", "MP"}, &table);
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule != "SGD") continue;
    std::vector<report::Cell> cells = {TextCell(sweep.Name())};
    for (std::string_view policy : {"FP16", "FP32", "MP"}) {
      cells.push_back(AccuracyCell(sweep.points.front().runs, policy));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Figure AccuracyFigure(absl::Span<const Sweep> sweeps,
                              const Golden& golden) {
  report::Figure figure;
  figure.set_name("accuracy");
  figure.set_title("Test accuracy by epsilon");
  figure.set_caption(
      "Test accuracy in percent after the last epoch over epsilon, which falls "
      "from left to right; a line is the mean over seeds, its bars span all "
      "seeds. The paper's line is of networks of full width after 100 epochs: "
      "compare its shape, not its height.");
  figure.set_spec("accuracy.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("accuracy");
  for (const char* field :
       {"sweep", "what", "epsilon", "accuracy", "low", "high"}) {
    data->add_fields(field);
  }
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule == "SGD") continue;
    for (const SweepPoint& point : sweep.points) {
      for (const std::string& policy : point.runs->Policies()) {
        const std::vector<double> values =
            FinalTestAccuracies(*point.runs, policy);
        const auto [low, high] =
            std::minmax_element(values.begin(), values.end());
        AddChartRow(sweep.Name(), policy, point.epsilon,
                    EstimateOf(values).mean(), *low, *high, data);
      }
      const Statement* paper =
          sweep.rule == "Adam"
              ? FindStatement(golden, AccuracyId(sweep.model, point.epsilon))
              : nullptr;
      if (paper == nullptr) continue;
      AddChartRow(sweep.Name(), "FP16, the paper", point.epsilon,
                  paper->value(), paper->value(), paper->value(), data);
    }
  }
  return figure;
}

}  // namespace repro16
