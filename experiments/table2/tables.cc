#include "experiments/table2/tables.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

// Why a count of the paper is not that of the network that it names.
std::string_view NoteOnParameters(std::string_view model) {
  if (model == "alexnet") {
    return "2,089,834 are the convolutions and a classifier from 4096 to 10: "
           "the paper's count leaves out the two hidden dense layers, "
           "18,882,560 parameters.";
  }
  if (model == "vgg16") {
    return "We found no reading of the published layers that gives the paper's "
           "count.";
  }
  if (model == "vgg19") {
    return "With three convolutions in its third block instead of VGG-19's "
           "four it has 38,363,722, the paper's count.";
  }
  if (model == "resnet110") {
    return "We found no reading of the published layers that gives the paper's "
           "count; those of ResNet-32 and ResNet-56 fit.";
  }
  return "";
}

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
std::string Accidents(const NetworkRuns& row, std::string_view precision) {
  const std::vector<const TrainedRun*> runs = row.OfPrecision(precision);
  const auto not_finite = absl::c_count_if(
      runs, [](const TrainedRun* run) { return IsNotFinite(*run); });
  std::vector<std::string> parts;
  if (not_finite > 0) {
    parts.push_back(
        absl::StrCat("not finite in ", not_finite, " of ", runs.size()));
  }
  if (row.runs != nullptr) {
    const std::vector<uint64_t> diverged =
        DivergedSeeds(*row.runs, row.PolicyOf(precision));
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

absl::StatusOr<report::Cell> AccuracyCell(const NetworkRuns& row,
                                          const Comparison& published, size_t i,
                                          const Golden& golden) {
  if (row.PolicyOf(published.id) != published.id) return TextCell("as FP16");
  const absl::StatusOr<PaperValue> paper = PaperValueOf(
      golden, absl::StrCat(row.network.model, "/", published.paper_id));
  if (!paper.ok()) return paper.status();
  report::Cell cell = published.tests[i] ? EstimateCell(published.values[i])
                                         : TextCell("not run");
  cell.set_paper(absl::StrFormat("%.1f ± %.1f", paper->value(), paper->sd()));
  cell.set_note(Accidents(row, published.id));
  if (published.tests[i]) cell.set_verdict(CellVerdict(published.verdicts[i]));
  return cell;
}

// "+0.12 [-0.30, +0.54]"; without an interval the mean alone.
std::string DifferenceText(double mean, double low, double high) {
  if (!std::isfinite(low)) return absl::StrFormat("%+.2f", mean);
  return absl::StrFormat("%+.2f [%+.2f, %+.2f]", mean, low, high);
}

// "3 seeds: seen from 1.23"; "" where there are enough.
std::string PowerText(const Comparison& comparison, size_t i) {
  const Equivalence& test = *comparison.tests[i];
  if (test.verdict != Verdict::kUnderpowered) return "";
  const size_t seeds = comparison.values[i].size();
  std::string text = absl::StrCat(seeds, seeds == 1 ? " seed" : " seeds");
  if (std::isfinite(test.smallest_detectable)) {
    absl::StrAppendFormat(&text, ": seen from %.2f", test.smallest_detectable);
  }
  return text;
}

absl::StatusOr<report::Cell> DifferenceCell(const NetworkRuns& row,
                                            const Comparison& comparison,
                                            size_t i, const Golden& golden) {
  const absl::StatusOr<PaperValue> paper = PaperValueOf(
      golden, absl::StrCat(row.network.model, "/", comparison.paper_id));
  if (!paper.ok()) return paper.status();
  report::Cell cell;
  if (const auto& test = comparison.tests[i]) {
    cell = NumberCell(test->difference,
                      DifferenceText(test->difference, test->low, test->high));
    cell.set_note(PowerText(comparison, i));
  }
  cell.set_paper(absl::StrFormat("%+.1f", paper->value()));
  cell.set_verdict(CellVerdict(comparison.verdicts[i]));
  return cell;
}

report::Cell MeanCell(const report::Expectation& pooled) {
  report::Cell cell;
  if (pooled.has_difference()) {
    const double none = std::numeric_limits<double>::infinity();
    const bool any = pooled.has_interval();
    cell = NumberCell(pooled.difference(),
                      DifferenceText(pooled.difference(),
                                     any ? pooled.interval().low() : -none,
                                     any ? pooled.interval().high() : none));
  }
  cell.set_paper(absl::StrFormat("%+.1f", pooled.paper_value()));
  cell.set_verdict(CellVerdict(pooled.verdict()));
  return cell;
}

std::string Megabytes(int64_t bytes) {
  return FormatCount(std::llround(static_cast<double>(bytes) / 1e6));
}

}  // namespace

absl::StatusOr<report::Expectation> ExpectParameters(const NetworkRuns& row,
                                                     const Golden& golden) {
  absl::StatusOr<report::Expectation> expectation = ExpectationFromPaper(
      golden, absl::StrCat(row.network.model, "/parameters"),
      absl::StrCat("Parameters of ", row.network.name));
  if (!expectation.ok()) return expectation;
  const double millions = static_cast<double>(row.plan.parameters) / 1e6;
  expectation->mutable_ours()->set_mean(millions);
  expectation->set_ours_text(FormatCount(row.plan.parameters));
  expectation->set_difference(millions - expectation->paper_value());
  const bool match =
      std::abs(expectation->difference()) < expectation->margin();
  expectation->set_verdict(match ? report::VERDICT_MATCH
                                 : report::VERDICT_DIFFER);
  if (!match) {
    expectation->set_note(std::string(NoteOnParameters(row.network.model)));
  }
  return expectation;
}

absl::StatusOr<report::Table> AccuracyTable(
    absl::Span<const NetworkRuns> rows, absl::Span<const Comparison> published,
    const Golden& golden) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent. The paper's stand beside "
      "ours at every scale and are judged at scale paper only. The paper has "
      "one column FP16: it stands beside FP16, as its text has it, and beside "
      "FP16_BN32, as its framework computes. A run that stored an infinity "
      "or NaN counts as what it reached, and is told; steps that loss scaling "
      "dropped are not meant.");
  AddColumns({"network"}, &table);
  for (const Comparison& precision : published) {
    AddColumns({precision.title}, &table);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<report::Cell> cells = {TextCell(rows[i].network.name)};
    for (const Comparison& precision : published) {
      absl::StatusOr<report::Cell> cell =
          AccuracyCell(rows[i], precision, i, golden);
      if (!cell.ok()) return cell.status();
      cells.push_back(*std::move(cell));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

absl::StatusOr<report::Table> DifferenceTable(
    absl::Span<const NetworkRuns> rows,
    absl::Span<const Comparison> differences,
    absl::Span<const report::Expectation> pooled, const Golden& golden) {
  report::Table table;
  table.set_title("Differences of test accuracy");
  table.set_caption(
      "In points, paired by seed, with the 90% interval. A network is judged "
      "against ±0.9 points, the mean against ±0.5. Verdicts on networks are "
      "adjusted for their number (Holm); under 5 seeds none is given, and the "
      "cell tells from where on a difference would have been seen.");
  AddColumns({"network"}, &table);
  for (const Comparison& difference : differences) {
    AddColumns({difference.title}, &table);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    std::vector<report::Cell> cells = {TextCell(rows[i].network.name)};
    for (const Comparison& difference : differences) {
      absl::StatusOr<report::Cell> cell =
          DifferenceCell(rows[i], difference, i, golden);
      if (!cell.ok()) return cell.status();
      cells.push_back(*std::move(cell));
    }
    AddRow(std::move(cells), &table);
  }
  std::vector<report::Cell> means = {TextCell("Mean")};
  for (const report::Expectation& mean : pooled) {
    means.push_back(MeanCell(mean));
  }
  AddRow(std::move(means), &table);
  return table;
}

report::Table SizeTable(absl::Span<const NetworkRuns> rows,
                        absl::Span<const report::Expectation> parameters) {
  report::Table table;
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
  for (size_t i = 0; i < rows.size(); ++i) {
    const NetworkRuns& row = rows[i];
    report::Cell count = CountCell(row.plan.parameters);
    count.set_paper(
        absl::StrCat(FormatShortest(parameters[i].paper_value()), " million"));
    count.set_verdict(parameters[i].verdict());
    std::vector<report::Cell> cells = {
        TextCell(row.network.name), std::move(count),
        row.runs == nullptr
            ? TextCell("not run")
            : CountCell(row.runs->runs().front().result.parameter_count())};
    for (int64_t bytes : row.plan.bytes) {
      cells.push_back(
          NumberCell(static_cast<double>(bytes) / 1e6, Megabytes(bytes)));
    }
    const double ratio = static_cast<double>(row.plan.bytes[0]) /
                         static_cast<double>(row.plan.bytes[2]);
    cells.push_back(NumberCell(ratio, absl::StrFormat("%.2f", ratio)));
    AddRow(std::move(cells), &table);
  }
  return table;
}

absl::StatusOr<report::Figure> DifferenceFigure(
    absl::Span<const NetworkRuns> rows,
    absl::Span<const Comparison> differences, const Golden& golden) {
  report::Figure figure;
  figure.set_name("difference");
  figure.set_title("Test accuracy: 16 bits - FP32, network by network");
  figure.set_caption(
      "Points of accuracy, mean over seeds with its 90% interval; FP16 in all "
      "layers, and FP16_BN32 with batch normalisation in 32 bits. The band is "
      "the margin, ±0.9 points; a black diamond is the paper's difference.");
  figure.set_spec("difference.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("difference");
  for (const char* field :
       {"network", "order", "series", "mean", "low", "high"}) {
    data->add_fields(field);
  }
  report::Dataset* published = figure.add_datasets();
  published->set_name("paper");
  for (const char* field : {"network", "order", "paper", "least", "most"}) {
    published->add_fields(field);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const absl::StatusOr<PaperValue> paper =
        PaperValueOf(golden, absl::StrCat(rows[i].network.model, "/FP16-FP32"));
    if (!paper.ok()) return paper.status();
    const double order = static_cast<double>(i);
    AddRecord({ChartText(rows[i].network.name), ChartNumber(order),
               ChartNumber(paper->value()), ChartNumber(-paper->margin()),
               ChartNumber(paper->margin())},
              published);
    for (const Comparison& difference : differences) {
      if (difference.paper_id != "FP16-FP32") continue;
      const auto& test = difference.tests[i];
      const std::string series =
          difference.id.substr(0, difference.id.find('-'));
      if (!test || rows[i].PolicyOf(series) != series) continue;
      AddRecord({ChartText(rows[i].network.name), ChartNumber(order),
                 ChartText(series), ChartNumber(test->difference),
                 ChartNumber(test->low), ChartNumber(test->high)},
                data);
    }
  }
  return figure;
}

}  // namespace repro16
