#include "experiments/table2/tables.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

std::string SeedsText(const std::vector<uint64_t>& seeds) {
  return absl::StrCat(seeds.size() == 1 ? "seed " : "seeds ",
                      absl::StrJoin(seeds, ", "));
}

// Stored an infinity or NaN in a step that counted: dynamic loss scaling drops
// those in which the gradients overflow.
bool IsNotFinite(const TrainedRun& run) {
  return absl::c_any_of(run.result.steps(), [](const StepResult& step) {
    return step.non_finite() > 0 && !step.skipped();
  });
}

// What to know beside an accuracy; "" for runs without an accident.
std::string Accidents(const NetworkResults& row, std::string_view precision) {
  const std::vector<const TrainedRun*> runs = row.OfPrecision(precision);
  const auto not_finite = absl::c_count_if(
      runs, [](const TrainedRun* run) { return IsNotFinite(*run); });
  std::vector<std::string> parts;
  if (not_finite > 0) {
    parts.push_back(
        absl::StrCat("not finite in ", not_finite, " of ", runs.size()));
  }
  if (row.runs() != nullptr) {
    const std::vector<uint64_t> diverged =
        DivergedSeeds(*row.runs(), row.PolicyOf(precision));
    if (!diverged.empty()) {
      parts.push_back(absl::StrCat("diverged: ", SeedsText(diverged)));
    }
  }
  return absl::StrJoin(parts, "; ");
}

// A verdict as a cell of a table shows it: that a whole scale is not judged is
// said elsewhere.
report::Verdict CellVerdict(report::Verdict verdict) {
  return verdict == report::VERDICT_NOT_JUDGED_AT_THIS_SCALE
             ? report::VERDICT_NONE
             : verdict;
}

// What was published of row i; null where there is nothing.
const PaperValue* PaperOf(const Table2Data& data, size_t i,
                          std::string_view column) {
  return FindPaperValue(
      data.published,
      absl::StrCat(data.results[i].network().model, "/", PaperColumn(column)));
}

report::Cell AccuracyCell(const Table2Data& data, std::string_view precision,
                          size_t i) {
  const NetworkResults& row = data.results[i];
  if (row.PolicyOf(precision) != precision) return TextCell("as FP16");
  const std::vector<double> accuracies = row.Accuracies(precision);
  report::Cell cell =
      accuracies.empty() ? TextCell("not run") : EstimateCell(accuracies);
  if (const PaperValue* paper = PaperOf(data, i, precision)) {
    cell.set_paper(absl::StrFormat("%.1f ± %.1f", paper->value(), paper->sd()));
    cell.set_paper_number(paper->value());
  }
  cell.set_note(Accidents(row, precision));
  const Judgement* every =
      data.judgements.Find(absl::StrCat("every/", precision));
  if (every != nullptr && !accuracies.empty()) {
    cell.set_verdict(CellVerdict(every->verdicts[i]));
  }
  return cell;
}

// "+0.12 [-0.30, +0.54]"; without an interval the mean alone.
std::string DifferenceText(double mean, double low, double high) {
  if (!std::isfinite(low)) return absl::StrFormat("%+.2f", mean);
  return absl::StrFormat("%+.2f [%+.2f, %+.2f]", mean, low, high);
}

// "3 seeds: seen from 1.23"; "" where there are enough.
std::string PowerText(const Judgement& every, size_t i) {
  const Equivalence& test = *every.tests[i];
  if (test.verdict != Verdict::kUnderpowered) return "";
  const size_t seeds = every.measured.networks[i].size();
  std::string text = absl::StrCat(seeds, seeds == 1 ? " seed" : " seeds");
  if (std::isfinite(test.smallest_detectable)) {
    absl::StrAppendFormat(&text, ": seen from %.2f", test.smallest_detectable);
  }
  return text;
}

report::Cell DifferenceCell(const Table2Data& data, std::string_view column,
                            size_t i) {
  report::Cell cell;
  const Judgement* every = data.judgements.Find(absl::StrCat("every/", column));
  if (every != nullptr) {
    if (const auto& test = every->tests[i]) {
      cell =
          NumberCell(test->difference,
                     DifferenceText(test->difference, test->low, test->high));
      if (every->expectation.verdict() !=
          report::VERDICT_NOT_JUDGED_AT_THIS_SCALE) {
        cell.set_note(PowerText(*every, i));
      }
    }
    cell.set_verdict(CellVerdict(every->verdicts[i]));
  }
  if (const PaperValue* paper = PaperOf(data, i, column)) {
    cell.set_paper(absl::StrFormat("%+.1f", paper->value()));
  }
  return cell;
}

// Those of a column, "FP16-FP32".
std::vector<double> DifferencesOf(const NetworkResults& network,
                                  std::string_view column, Split split) {
  const std::pair<std::string, std::string> pair =
      absl::StrSplit(column, absl::MaxSplits('-', 1));
  return network.Differences(pair.first, pair.second, split);
}

// Of differences that nobody judges.
report::Cell PlainDifferenceCell(absl::Span<const double> seeds) {
  if (seeds.empty()) return TextCell("–");
  const Equivalence test = PooledEquivalence(
      {std::vector<double>(seeds.begin(), seeds.end())}, Within(0));
  return NumberCell(test.difference,
                    DifferenceText(test.difference, test.low, test.high));
}

report::Cell PlainMeanCell(const Table2Data& data, std::string_view column,
                           Split split) {
  const auto mean = MeanDifference(data, column, split);
  if (!mean) return TextCell("–");
  return NumberCell(mean->difference,
                    DifferenceText(mean->difference, mean->low, mean->high));
}

report::Cell MeanCell(const Table2Data& data, std::string_view column) {
  report::Cell cell;
  const Judgement* mean = data.judgements.Find(absl::StrCat("mean/", column));
  if (mean == nullptr) return cell;
  const report::Expectation& pooled = mean->expectation;
  if (pooled.has_difference()) {
    const double none = std::numeric_limits<double>::infinity();
    const bool any = pooled.has_interval();
    cell = NumberCell(pooled.difference(),
                      DifferenceText(pooled.difference(),
                                     any ? pooled.interval().low() : -none,
                                     any ? pooled.interval().high() : none));
  }
  cell.set_paper(pooled.paper_text());
  cell.set_verdict(CellVerdict(pooled.verdict()));
  return cell;
}

std::string Megabytes(int64_t bytes) {
  return FormatCount(std::llround(static_cast<double>(bytes) / 1e6));
}

}  // namespace

std::string ColumnTitle(std::string_view column) {
  return absl::StrReplaceAll(column,
                             {{"-", " - "}, {"FP32_CONTROL", "control"}});
}

std::string PaperColumn(std::string_view column) {
  return absl::StrReplaceAll(column, {{"FP16_BN32", "FP16"}});
}

report::Table AccuracyTable(const Table2Data& data) {
  report::Table table;
  table.set_id("accuracy");
  table.set_main(true);
  table.set_title("Test accuracy after the last epoch");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent; at lite of the last "
      "epochs' mean, with statistics of batch normalisation that are estimated "
      "afterwards (\"The runs\"). The paper's stand beside "
      "ours at every scale and are judged at scale paper only. The paper has "
      "one column FP16: it stands beside FP16, as its text has it, and beside "
      "FP16_BN32, as its framework computes. A run that stored an infinity "
      "or NaN counts as what it reached, and is told; steps that loss scaling "
      "dropped are not meant.");
  AddColumns({"network"}, &table);
  AddColumns(kPrecisions, &table);
  for (size_t i = 0; i < data.results.size(); ++i) {
    std::vector<report::Cell> cells = {
        TextCell(data.results[i].network().name)};
    for (std::string_view precision : kPrecisions) {
      cells.push_back(AccuracyCell(data, precision, i));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

std::optional<Equivalence> MeanDifference(const Table2Data& data,
                                          std::string_view column,
                                          Split split) {
  std::vector<std::vector<double>> networks;
  for (const NetworkResults& network : data.results) {
    std::vector<double> differences = DifferencesOf(network, column, split);
    if (!differences.empty()) networks.push_back(std::move(differences));
  }
  if (networks.empty()) return std::nullopt;
  const Judgement* judged = data.judgements.Find("mean/FP16-FP32");
  if (judged == nullptr || !judged->expectation.has_interval()) {
    return std::nullopt;
  }
  const report::Expectation& mean = judged->expectation;
  return PooledEquivalence(networks, Within(mean.margin()),
                           (1 - mean.interval().level()) / 2);
}

report::Table DifferenceTable(const Table2Data& data) {
  report::Table table;
  table.set_id("differences");
  table.set_main(true);
  table.set_title("Differences of test accuracy");
  table.set_caption(
      "In points, paired by seed; a network with the 90% interval, of which "
      "one "
      "in ten excludes 0 by chance, the mean with that of its tests. The mean "
      "is judged against ±0.5 points; "
      "networks, where they are trained as the paper trains, against ±0.9, "
      "adjusted for their number (Holm): under 5 seeds none has a verdict, and "
      "the cell tells from where on a difference would have been seen. The "
      "control is FP32 with the last bit of one initial weight flipped: what "
      "of a difference is chaos. BF16 has eight digits in place of FP16's "
      "eleven: whether these runs see a rounding eight times as coarse.");
  AddColumns({"network"}, &table);
  std::vector<report::Cell> means = {TextCell("Mean")};
  for (std::string_view column : kDifferences) {
    AddColumns({ColumnTitle(column)}, &table);
    means.push_back(MeanCell(data, column));
  }
  for (size_t i = 0; i < data.results.size(); ++i) {
    std::vector<report::Cell> cells = {
        TextCell(data.results[i].network().name)};
    for (std::string_view column : kDifferences) {
      cells.push_back(DifferenceCell(data, column, i));
    }
    for (std::string_view column : kBesideDifferences) {
      cells.push_back(
          PlainDifferenceCell(DifferencesOf(data.results[i], column, kFinal)));
    }
    AddRow(std::move(cells), &table);
  }
  for (std::string_view column : kBesideDifferences) {
    AddColumns({ColumnTitle(column)}, &table);
    means.push_back(PlainMeanCell(data, column, kFinal));
  }
  AddRow(std::move(means), &table);
  return table;
}

report::Table MovingAverageTable(const Table2Data& data) {
  constexpr std::string_view kShown[] = {"FP16-FP32", "FP16_BN32-FP32",
                                         "MP-FP32", kControlDifference};
  report::Table table;
  table.set_title("With the moving averages of batch normalisation");
  table.set_caption(
      "Test accuracy and differences after the last epoch as a user would "
      "evaluate, with moving averages, which here rest on some ten small "
      "batches; the tables above take statistics that are estimated from the "
      "training images. Not judged.");
  AddColumns({"network", "FP32"}, &table);
  std::vector<report::Cell> means = {TextCell("Mean"), TextCell("")};
  for (std::string_view column : kShown) {
    AddColumns({ColumnTitle(column)}, &table);
    means.push_back(PlainMeanCell(data, column, kTest));
  }
  for (const NetworkResults& network : data.results) {
    const std::vector<double> fp32 = network.Accuracies("FP32", kTest);
    std::vector<report::Cell> cells = {
        TextCell(network.network().name),
        fp32.empty() ? TextCell("not run") : EstimateCell(fp32)};
    for (std::string_view column : kShown) {
      cells.push_back(
          PlainDifferenceCell(DifferencesOf(network, column, kTest)));
    }
    AddRow(std::move(cells), &table);
  }
  AddRow(std::move(means), &table);
  return table;
}

report::Table SizeTable(const Table2Data& data) {
  report::Table table;
  table.set_id("parameters_and_memory");
  table.set_title("Parameters and planned memory");
  table.set_caption(absl::StrCat(
      "Parameters with the moving statistics of batch normalisation: of the "
      "full network beside the paper's, and of the network as it was run here. "
      "Memory in MB (10^6 bytes) that a training step of the full network "
      "plans, batch ",
      kPaperBatch,
      ": activations, workspace, parameters, gradients and momentum; without "
      "data set and program."));
  AddColumns({"network", "parameters", "as run"}, &table);
  for (std::string_view precision : kPrecisions) {
    AddColumns({absl::StrCat(precision, ", MB")}, &table);
  }
  AddColumns({"FP16 / FP32"}, &table);
  for (size_t i = 0; i < data.results.size(); ++i) {
    const NetworkResults& row = data.results[i];
    const TrainingPlan& plan = data.plans[i];
    report::Cell count = CountCell(plan.parameters);
    if (const Judgement* parameters = data.judgements.Find(
            absl::StrCat(row.network().model, "/parameters"))) {
      count.set_paper(absl::StrCat(parameters->measured.printed, " million"));
      count.set_verdict(parameters->expectation.verdict());
    }
    std::vector<report::Cell> cells = {
        TextCell(row.network().name), std::move(count),
        row.runs() == nullptr
            ? TextCell("not run")
            : CountCell(row.runs()->runs().front().result.parameter_count())};
    for (int64_t bytes : plan.bytes) {
      cells.push_back(
          NumberCell(static_cast<double>(bytes) / 1e6, Megabytes(bytes)));
    }
    const double ratio =
        static_cast<double>(plan.bytes[0]) / static_cast<double>(plan.bytes[2]);
    cells.push_back(NumberCell(ratio, absl::StrFormat("%.2f", ratio)));
    AddRow(std::move(cells), &table);
  }
  return table;
}

namespace {

// A row of the figure: ours with its interval, the paper's within the margin.
struct DifferenceRow {
  std::string_view name;
  double order;
  report::Dataset* ours;
  report::Dataset* paper;

  void AddOurs(std::string_view series, double mean, double low,
               double high) const {
    AddRecord({ChartText(name), ChartNumber(order), ChartText(series),
               ChartNumber(mean), ChartNumber(low), ChartNumber(high)},
              ours);
  }
  void AddPapers(double value, double margin) const {
    AddRecord({ChartText(name), ChartNumber(order), ChartNumber(value),
               ChartNumber(-margin), ChartNumber(margin)},
              paper);
  }
};

void AddNetworkRow(const Table2Data& data, size_t i, const DifferenceRow& row) {
  for (std::string_view series : {"FP16", "FP16_BN32"}) {
    const Judgement* every =
        data.judgements.Find(absl::StrCat("every/", series, "-FP32"));
    if (every == nullptr || data.results[i].PolicyOf(series) != series) {
      continue;
    }
    if (const auto& test = every->tests[i]) {
      row.AddOurs(series, test->difference, test->low, test->high);
    }
    const PaperValue* paper = PaperOf(data, i, "FP16-FP32");
    if (series == "FP16" && paper != nullptr) {
      row.AddPapers(paper->value(), every->expectation.margin());
    }
  }
}

void AddMeanRow(const Table2Data& data, const DifferenceRow& row) {
  for (std::string_view series : {"FP16", "FP16_BN32"}) {
    const Judgement* mean =
        data.judgements.Find(absl::StrCat("mean/", series, "-FP32"));
    if (mean == nullptr || !mean->expectation.has_interval()) continue;
    const report::Expectation& e = mean->expectation;
    row.AddOurs(series, e.difference(), e.interval().low(),
                e.interval().high());
    double papers = 0;
    if (series == "FP16" && absl::SimpleAtod(e.paper_text(), &papers)) {
      row.AddPapers(papers, e.margin());
    }
  }
}

}  // namespace

report::Figure DifferenceFigure(const Table2Data& data) {
  report::Figure figure;
  figure.set_name("difference");
  figure.set_title("Test accuracy: 16 bits - FP32, network by network");
  figure.set_caption(
      "Points of accuracy, mean over seeds with its 90% interval; FP16 in all "
      "layers, and FP16_BN32 with batch normalisation in 32 bits. The mean "
      "over "
      "networks has the interval of its tests. The band is the margin, ±0.9 "
      "points, of the mean ±0.5; a black diamond is the paper's difference. "
      "What lies beyond 4 points is cut off.");
  figure.set_spec("difference.vl.json");
  report::Dataset* ours = figure.add_datasets();
  ours->set_name("difference");
  for (const char* field :
       {"network", "order", "series", "mean", "low", "high"}) {
    ours->add_fields(field);
  }
  report::Dataset* published = figure.add_datasets();
  published->set_name("paper");
  for (const char* field : {"network", "order", "paper", "least", "most"}) {
    published->add_fields(field);
  }
  for (size_t i = 0; i < data.results.size(); ++i) {
    AddNetworkRow(data, i,
                  {data.results[i].network().name, static_cast<double>(i), ours,
                   published});
  }
  AddMeanRow(data, {"Mean", static_cast<double>(data.results.size()), ours,
                    published});
  return figure;
}

}  // namespace repro16
