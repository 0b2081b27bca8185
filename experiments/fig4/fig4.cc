#include "experiments/fig4/fig4.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/fig4/published.h"
#include "experiments/table2/published.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

using Results = std::vector<NetworkResults>;

constexpr size_t kFewestForABox = 5;
// Figure 4 shows seven of table 2's twelve networks, with 50 seeds each.
constexpr int64_t kPaperNetworks = 12;
constexpr int64_t kNetworksInFigure = 7;
constexpr size_t kPaperSeeds = 50;

bool HasBox(const std::vector<double>& values) {
  return values.size() >= kFewestForABox;
}

// ---- What statements are about ----------------------------------------------

// The smallest and the largest of the numbers seen.
struct Extent {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool Seen() const { return low <= high; }
  std::string ToString() const {
    if (low == high) return absl::StrFormat("%.1f", low);
    return absl::StrFormat("%.1f to %.1f", low, high);
  }
};

// Of each network the median of `a` less that of `b`.
Measurement MeasureMedians(const Results& results, std::string_view a,
                           std::string_view b) {
  Measurement measured;
  Extent resolved;
  for (const NetworkResults& network : results) {
    const std::vector<double> ours = network.Accuracies(a);
    const std::vector<double> theirs = network.Accuracies(b);
    if (ours.empty() || theirs.empty()) continue;
    measured.networks.push_back(
        {BoxPlotOf(ours).median - BoxPlotOf(theirs).median});
    const double smallest =
        WelchEquivalence(SampleOf(ours), SampleOf(theirs), Within(1))
            .smallest_detectable;
    if (std::isfinite(smallest)) resolved.Add(smallest);
  }
  if (resolved.Seen()) {
    measured.note =
        absl::StrCat("In one network these seeds could show differences from ",
                     resolved.ToString(), " points.");
  }
  return measured;
}

// Of each network the deviation of `a` less that of `b`; NaN under two seeds.
Measurement MeasureDeviations(const Results& results, std::string_view a,
                              std::string_view b) {
  Measurement measured;
  Extent ratios;
  for (const NetworkResults& network : results) {
    const Sample ours = SampleOf(network.Accuracies(a));
    const Sample theirs = SampleOf(network.Accuracies(b));
    const int64_t seeds = std::min(ours.n, theirs.n);
    if (seeds == 0) continue;
    measured.networks.push_back({seeds < 2
                                     ? std::numeric_limits<double>::quiet_NaN()
                                     : ours.sd - theirs.sd});
    if (seeds >= 2) ratios.Add(SmallestDetectableRatio(seeds));
  }
  if (ratios.Seen()) {
    measured.note = absl::StrCat(
        "In one network these seeds could show a deviation only that is ",
        ratios.ToString(), " times the other.");
  }
  return measured;
}

bool HasOutlierBelowAll(const std::vector<double>& ours,
                        const NetworkResults& network) {
  const BoxPlot box = BoxPlotOf(ours);
  if (box.outliers.empty() || box.outliers.front() >= box.lower_quartile) {
    return false;
  }
  for (std::string_view other : {"FP32", "MP"}) {
    for (double value : network.Accuracies(other)) {
      if (value <= box.outliers.front()) return false;
    }
  }
  return true;
}

// Networks with an outlier of `precision` under every seed of FP32 and MP.
Measurement MeasureOutliers(const Results& results, const Asked& asked) {
  int64_t holds = 0, counted = 0, few = 0;
  size_t fewest_seeds = kPaperSeeds;
  for (const NetworkResults& network : results) {
    const std::vector<double> ours = network.Accuracies(asked.reading);
    const size_t seeds =
        std::min({ours.size(), network.Accuracies("FP32").size(),
                  network.Accuracies("MP").size()});
    if (seeds == 0) continue;
    if (seeds < kFewestForABox) {
      ++few;
      continue;
    }
    fewest_seeds = std::min(fewest_seeds, seeds);
    ++counted;
    holds += HasOutlierBelowAll(ours, network);
  }
  Measurement measured;
  if (counted + few == 0) return measured;
  measured.networks = {{static_cast<double>(holds)}};
  measured.cases = counted;
  measured.text = absl::StrCat(holds, " of ", counted,
                               counted == 1 ? " network" : " networks");
  if (few > 0)
    absl::StrAppend(&measured.text, ", ", few, " with too few seeds");
  measured.verdict = report::VERDICT_INCONCLUSIVE;
  if (counted == kPaperNetworks && fewest_seeds >= kPaperSeeds) {
    // The figure's networks are among ours: the others may count, or not.
    const auto least = static_cast<int64_t>(asked.statement.value());
    const int64_t most = least + kPaperNetworks - kNetworksInFigure;
    measured.verdict = holds >= least && holds <= most ? report::VERDICT_MATCH
                                                       : report::VERDICT_DIFFER;
  }
  return measured;
}

// "median/FP16-FP32", "deviation/FP16-MP", "outliers/FP16".
Measurement MeasureFigure4(const Asked& asked, const Results& results,
                           const Golden& published) {
  const std::pair<std::string, std::string> id =
      absl::StrSplit(asked.statement.id(), absl::MaxSplits('/', 1));
  const std::pair<std::string, std::string> pair =
      absl::StrSplit(id.second, absl::MaxSplits('-', 1));
  Measurement measured =
      id.first == "median" ? MeasureMedians(results, pair.first, pair.second)
      : id.first == "deviation"
          ? MeasureDeviations(results, pair.first, pair.second)
          : MeasureOutliers(results, asked);
  SetTraining(results, published, &measured);
  return measured;
}

// ---- Tables -----------------------------------------------------------------

// "71.25 ± 0.43", and what was published.
report::Cell MedianCell(const Golden& published, const NetworkResults& network,
                        std::string_view precision) {
  const std::vector<double> values = network.Accuracies(precision);
  if (values.empty() || network.PolicyOf(precision) != precision) {
    return TextCell("-");
  }
  const double median = BoxPlotOf(values).median;
  std::string text = absl::StrFormat("%.2f", median);
  if (values.size() > 1) {
    absl::StrAppendFormat(&text, " ± %.2f", SampleOf(values).sd);
  }
  report::Cell cell = NumberCell(median, text);
  if (const PaperValue* paper = FindPaperValue(
          published, absl::StrCat(network.network().model, "/", precision))) {
    cell.set_paper(absl::StrFormat("%.1f ± %.1f", paper->value(), paper->sd()));
  }
  return cell;
}

report::Table MedianTable(const Results& results, const Golden& published) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch");
  table.set_caption(
      "Median ± standard deviation over seeds, in percent. Published: mean ± "
      "standard deviation of 50 seeds, at the full protocol.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP"}, &table);
  for (const NetworkResults& network : results) {
    std::vector<report::Cell> cells = {TextCell(network.network().name)};
    for (std::string_view precision : kPrecisions) {
      cells.push_back(MedianCell(published, network, precision));
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

report::Table DeviationTable(const Results& results) {
  report::Table table;
  table.set_title("Ratios of the standard deviations");
  table.set_caption(
      "Beside the ratio from which so many seeds would show two deviations to "
      "be unlike (F test at 5%, with probability 0.8, as if the runs of one "
      "seed were independent).");
  AddColumns({"network", "seeds", "FP16 / FP32", "FP16 / MP",
              "FP16_BN32 / FP32", "FP16_BN32 / MP", "could be seen from"},
             &table);
  for (const NetworkResults& network : results) {
    const auto of = [&](std::string_view precision) {
      return network.PolicyOf(precision) == precision
                 ? network.Accuracies(precision)
                 : std::vector<double>();
    };
    const auto seeds = static_cast<int64_t>(of("FP16").size());
    AddRow({TextCell(network.network().name), CountCell(seeds),
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

report::Table OutlierTable(const Results& results) {
  report::Table table;
  table.set_title("Outliers");
  table.set_caption(
      "Seeds below and above Tukey's whiskers (1.5 interquartile ranges beyond "
      "the quartiles); \"-\" under 5 seeds.");
  AddColumns({"network", "FP16", "FP16_BN32", "FP32", "MP"}, &table);
  for (const NetworkResults& network : results) {
    std::vector<report::Cell> cells = {TextCell(network.network().name)};
    for (std::string_view precision : kPrecisions) {
      const std::vector<double> values = network.Accuracies(precision);
      if (!HasBox(values) || network.PolicyOf(precision) != precision) {
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

report::Figure BoxFigure(const Results& results) {
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
  for (const NetworkResults& result : results) {
    const std::string network(result.network().name);
    for (std::string_view policy : kPrecisions) {
      const std::vector<double> values = result.Accuracies(policy);
      if (values.empty() || result.PolicyOf(policy) != policy) continue;
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
  Golden published;
  for (const std::string& path : inputs.files) {
    absl::StatusOr<Published> read = ReadPublished(path);
    if (!read.ok()) return read.status();
    published = std::move(read->values);
  }
  const Results results = ResultsOf(sets);
  const bool judged = Judged(sets);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, inputs.scale, judged, [&](const Asked& asked) {
        return MeasureFigure4(asked, results, published);
      });
  if (!judgements.ok()) return judgements.status();
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
  if (judged) AddBaseline(results, published, &report);
  report.add_summary(
      "The networks, seeds and runs of table 2. FP16 is what the paper's text "
      "claims, FP16_BN32 what its framework did: batch normalisation in 32 "
      "bits. Each statement is counted over networks.");
  AddDiverged(sets, &report);
  judgements->AddTo(&report);
  if (!sets.empty()) {
    *report.add_tables() = MedianTable(results, published);
    *report.add_tables() = DeviationTable(results);
    *report.add_tables() = OutlierTable(results);
    *report.add_tables() = ProtocolTable(sets);
  }
  *report.add_figures() = BoxFigure(results);
  AddContradictions(&report);
  AddShortTraining(sets, &report);
  AddPublishedDeviations(published, &report);
  AddFinding(report::Finding::UNSTATED, "Which seven networks figure 4 shows",
             "Section 5 says that figure 4 has 7 architectures; section 4.2 "
             "and table 2 have 12. Which seven is not in the text, so \"3 out "
             "of 7\" cannot be held against any three of them.",
             "section 5", &report);
  return analysis;
}

}  // namespace repro16
