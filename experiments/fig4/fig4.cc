#include "experiments/fig4/fig4.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "experiments/fig4/published.h"
#include "experiments/fig4/statements.h"

namespace repro16 {
namespace {

constexpr std::string_view kPolicies[] = {"FP16", "FP16_BN32", "FP32", "MP"};

// "71.25 ± 0.43", and what was published.
report::Cell MedianCell(const Golden& golden, std::string_view model,
                        std::string_view policy,
                        const std::vector<double>& values) {
  if (values.empty()) return TextCell("-");
  const double median = BoxPlotOf(values).median;
  std::string text = absl::StrFormat("%.2f", median);
  if (values.size() > 1) {
    absl::StrAppendFormat(&text, " ± %.2f", SampleOf(values).sd);
  }
  report::Cell cell = NumberCell(median, text);
  if (const PaperValue* paper = FindPublished(golden, model, policy)) {
    cell.set_paper(absl::StrFormat("%.1f ± %.1f", paper->value(), paper->sd()));
  }
  return cell;
}

report::Table MedianTable(absl::Span<const RunSet> sets, const Golden& golden) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch");
  table.set_caption(
      "Median ± standard deviation over seeds, in percent. Published: mean ± "
      "standard deviation of 50 seeds, at the full protocol.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP"}, &table);
  for (const RunSet& set : sets) {
    const std::string& model = set.spec().model();
    std::vector<report::Cell> cells = {TextCell(NetworkName(model))};
    for (std::string_view policy : kPolicies) {
      cells.push_back(
          MedianCell(golden, model, policy, FinalTestAccuracies(set, policy)));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

// "1.25", or "-" where a deviation is 0 or there is none.
report::Cell RatioCell(const std::vector<double>& a,
                       const std::vector<double>& b) {
  const Sample sa = SampleOf(a), sb = SampleOf(b);
  if (sa.n < 2 || sb.n < 2 || sb.sd == 0) return TextCell("-");
  return NumberCell(sa.sd / sb.sd, absl::StrFormat("%.2f", sa.sd / sb.sd));
}

report::Table DeviationTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("Ratios of the standard deviations");
  table.set_caption(
      "Beside the ratio from which so many seeds would show two deviations to "
      "be unlike (F test at 5%, with probability 0.8, as if the runs of one "
      "seed were independent).");
  AddColumns({"network", "seeds", "FP16 / FP32", "FP16 / MP",
              "FP16_BN32 / FP32", "FP16_BN32 / MP", "could be seen from"},
             &table);
  for (const RunSet& set : sets) {
    const auto of = [&](std::string_view policy) {
      return FinalTestAccuracies(set, policy);
    };
    const auto seeds = static_cast<int64_t>(of("FP16").size());
    AddRow({TextCell(NetworkName(set.spec().model())), CountCell(seeds),
            RatioCell(of("FP16"), of("FP32")), RatioCell(of("FP16"), of("MP")),
            RatioCell(of("FP16_BN32"), of("FP32")),
            RatioCell(of("FP16_BN32"), of("MP")),
            seeds < 2
                ? TextCell("-")
                : NumberCell(
                      SmallestDetectableRatio(seeds),
                      absl::StrFormat("%.1f", SmallestDetectableRatio(seeds)))},
           &table);
  }
  return table;
}

report::Table OutlierTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("Outliers");
  table.set_caption(
      "Seeds below and above Tukey's whiskers (1.5 interquartile ranges beyond "
      "the quartiles); \"-\" under 5 seeds.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP"}, &table);
  for (const RunSet& set : sets) {
    std::vector<report::Cell> cells = {
        TextCell(NetworkName(set.spec().model()))};
    for (std::string_view policy : kPolicies) {
      const std::vector<double> values = FinalTestAccuracies(set, policy);
      if (!HasBox(values)) {
        cells.push_back(TextCell("-"));
        continue;
      }
      const BoxPlot box = BoxPlotOf(values);
      const auto below = std::count_if(
          box.outliers.begin(), box.outliers.end(),
          [&](double outlier) { return outlier < box.lower_quartile; });
      cells.push_back(TextCell(absl::StrCat(
          below, " below, ", box.outliers.size() - below, " above")));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

// ---- The figure -------------------------------------------------------------

// A record of one kind: "box" with its five numbers, or "point" with one.
void AddBox(const std::string& network, std::string_view policy,
            const BoxPlot& box, report::Dataset* data) {
  AddRecord({ChartText(network), ChartText(policy), ChartText("box"),
             ChartNumber(box.median), ChartNumber(box.lower_whisker),
             ChartNumber(box.lower_quartile), ChartNumber(box.upper_quartile),
             ChartNumber(box.upper_whisker)},
            data);
}

void AddPoint(const std::string& network, std::string_view policy, double value,
              report::Dataset* data) {
  AddRecord({ChartText(network), ChartText(policy), ChartText("point"),
             ChartNumber(value), ChartNumber(value), ChartNumber(value),
             ChartNumber(value), ChartNumber(value)},
            data);
}

report::Figure BoxFigure(absl::Span<const RunSet> sets) {
  report::Figure figure;
  figure.set_name("boxes");
  figure.set_title("Test accuracy over seeds");
  figure.set_caption(
      "A panel for each network, each with its own scale: test accuracy in "
      "percent after the last epoch. A box spans the quartiles, its line is "
      "the median, its whiskers end at the outermost seeds within 1.5 "
      "interquartile ranges, points are seeds beyond them. Under 5 seeds there "
      "is no box: each point is a seed.");
  figure.set_spec("boxes.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("boxes");
  for (const char* field :
       {"network", "policy", "kind", "accuracy", "lower_whisker",
        "lower_quartile", "upper_quartile", "upper_whisker"}) {
    data->add_fields(field);
  }
  for (const RunSet& set : sets) {
    const std::string network = NetworkName(set.spec().model());
    for (std::string_view policy : kPolicies) {
      const std::vector<double> values = FinalTestAccuracies(set, policy);
      if (values.empty()) continue;
      std::vector<double> points = values;
      if (HasBox(values)) {
        const BoxPlot box = BoxPlotOf(values);
        AddBox(network, policy, box, data);
        points = box.outliers;
      }
      for (double value : points) AddPoint(network, policy, value, data);
    }
  }
  return figure;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFigure4(const AnalysisInputs& inputs,
                                        const Golden& golden) {
  const std::vector<RunSet>& sets = inputs.sets;
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig4", inputs.scale, sets);
  AddCifar10Reductions(sets, &report);
  report.set_title("Test accuracy on CIFAR-10 over seeds");
  report.mutable_claim()->set_text(
      "The boxplot in Fig. 4 [...] further shows that FP16 yields similar or "
      "better median accuracy with lower standard deviation in most models, "
      "though occasional outliers suggest reduced robustness [...]. FP16 "
      "underperforms in 3 out of 7 architectures when considering outlier "
      "cases.");
  report.mutable_claim()->set_place("sections 4.3 and 5, figure 4");
  report.add_summary(
      "The networks, seeds and runs of table 2. FP16 is what the paper's text "
      "claims, FP16_BN32 what its framework did: batch normalisation in 32 "
      "bits. Each statement is counted over networks.");
  AddDiverged(sets, &report);
  if (absl::Status status = AddStatements(sets, golden, &report);
      !status.ok()) {
    return status;
  }
  if (!sets.empty()) {
    *report.add_tables() = MedianTable(sets, golden);
    *report.add_tables() = DeviationTable(sets);
    *report.add_tables() = OutlierTable(sets);
    *report.add_tables() = ProtocolTable(sets);
  }
  *report.add_figures() = BoxFigure(sets);
  AddContradictions(&report);
  AddShortTraining(sets, &report);
  AddPublishedDeviations(golden, &report);
  AddFinding(report::Finding::UNSTATED, "Which seven networks figure 4 shows",
             "Section 5 says that figure 4 has 7 architectures; section 4.2 "
             "and table 2 have 12. Which seven is not in the text, so \"3 out "
             "of 7\" cannot be held against any three of them.",
             "section 5", &report);
  return analysis;
}

}  // namespace repro16
