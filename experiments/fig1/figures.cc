#include "experiments/fig1/figures.h"

#include <initializer_list>
#include <string_view>

#include "experiments/common/report_parts.h"
#include "experiments/fig1/log_histogram.h"

namespace repro16 {
namespace {

// Axes of the charts; their ends stand in the *.vl.json as well.
constexpr LogAxis kAxis = {-9, 4};
constexpr LogAxis kToleranceAxis = {-4, 4};

report::Dataset* AddDataset(std::string_view name,
                            std::initializer_list<std::string_view> fields,
                            report::Figure* figure) {
  report::Dataset* data = figure->add_datasets();
  data->set_name(std::string(name));
  for (std::string_view field : fields) data->add_fields(std::string(field));
  return data;
}

using Values = std::vector<double> PairStatistics::*;

// The histogram of one quantity over all pairs, empty bins left out.
void AddHistogram(std::string_view quantity,
                  const std::vector<PairStatistics>& pairs, Values values,
                  report::Dataset* data) {
  std::vector<int64_t> counts(kAxis.bins());
  int64_t total = 0;
  double sum = 0;
  for (const PairStatistics& pair : pairs) {
    for (double value : pair.*values) {
      ++counts[kAxis.Bin(value)];
      ++total;
      sum += value;
    }
  }
  for (int bin = 0; bin < kAxis.bins(); ++bin) {
    if (counts[bin] == 0) continue;
    AddRecord(
        {ChartText(quantity), ChartNumber(kAxis.Edge(bin)),
         ChartNumber(kAxis.Edge(bin + 1)),
         ChartNumber(100.0 * counts[bin] / total), ChartNumber(sum / total)},
        data);
  }
}

}  // namespace

report::Figure HistogramFigure(const std::vector<PairStatistics>& pairs) {
  report::Figure figure;
  figure.set_name("histogram");
  figure.set_title("Error and tolerance over the test set");
  figure.set_caption(
      "Share of the test samples by floating-point error δ (above) and by "
      "classification tolerance Γ (below), all seeds together, on one "
      "logarithmic axis; the dashed lines are the means. Values under 1E-9 are "
      "in the first bin.");
  figure.set_spec("histogram.vl.json");
  report::Dataset* data = AddDataset(
      "histogram", {"quantity", "low", "high", "percent", "mean"}, &figure);
  AddHistogram("floating-point error δ", pairs, &PairStatistics::errors, data);
  AddHistogram("classification tolerance Γ", pairs, &PairStatistics::tolerances,
               data);
  return figure;
}

report::Figure PlaneFigure(const std::vector<PairStatistics>& pairs) {
  report::Figure figure;
  figure.set_name("plane");
  figure.set_title("Tolerance against error, sample by sample");
  figure.set_caption(
      "Samples of all seeds by error δ and tolerance Γ; above the dashed line "
      "Γ = 2δ, Lemma 1 guarantees that both networks name the same class. "
      "Values beyond an axis are in its first bin.");
  figure.set_spec("plane.vl.json");
  std::vector<int64_t> counts(kAxis.bins() * kToleranceAxis.bins());
  for (const PairStatistics& pair : pairs) {
    for (size_t i = 0; i < pair.errors.size(); ++i) {
      ++counts[kAxis.Bin(pair.errors[i]) * kToleranceAxis.bins() +
               kToleranceAxis.Bin(pair.tolerances[i])];
    }
  }
  report::Dataset* plane = AddDataset(
      "plane",
      {"error_low", "error_high", "tolerance_low", "tolerance_high", "samples"},
      &figure);
  for (int x = 0; x < kAxis.bins(); ++x) {
    for (int y = 0; y < kToleranceAxis.bins(); ++y) {
      const int64_t count = counts[x * kToleranceAxis.bins() + y];
      if (count == 0) continue;
      AddRecord({ChartNumber(kAxis.Edge(x)), ChartNumber(kAxis.Edge(x + 1)),
                 ChartNumber(kToleranceAxis.Edge(y)),
                 ChartNumber(kToleranceAxis.Edge(y + 1)), ChartNumber(count)},
                plane);
    }
  }
  report::Dataset* boundary =
      AddDataset("boundary", {"error", "tolerance"}, &figure);
  for (double tolerance : {kToleranceAxis.Edge(0), 1.0}) {
    AddRecord({ChartNumber(tolerance / 2), ChartNumber(tolerance)}, boundary);
  }
  report::Dataset* labels =
      AddDataset("labels", {"error", "tolerance", "text"}, &figure);
  AddRecord({ChartNumber(5e-4), ChartNumber(1e-3), ChartText("Γ = 2δ")},
            labels);
  return figure;
}

}  // namespace repro16
