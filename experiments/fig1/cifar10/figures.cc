#include "experiments/fig1/cifar10/figures.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "experiments/common/report_parts.h"

namespace repro16 {
namespace {

// The axis begins here; its end stands in spread.vl.json as well.
constexpr double kLeastDrawn = 1e-7;

report::Dataset* AddDataset(std::string_view name,
                            std::initializer_list<std::string_view> fields,
                            report::Figure* figure) {
  report::Dataset* data = figure->add_datasets();
  data->set_name(std::string(name));
  for (std::string_view field : fields) data->add_fields(std::string(field));
  return data;
}

void AddSpread(const NetworkStatistics& network, std::string_view quantity,
               const Comparison& comparison, const Spread& spread,
               report::Dataset* data) {
  if (!comparison.pooled.Finite()) return;
  std::vector<report::Value> record = {ChartText(network.name),
                                       ChartText(quantity)};
  for (double value : {spread.low, spread.lower_quartile, spread.median,
                       spread.upper_quartile, spread.high}) {
    record.push_back(ChartNumber(std::max(value, kLeastDrawn)));
  }
  AddRecord(std::move(record), data);
}

void AddShares(const NetworkStatistics& network, std::string_view compared,
               const Comparison& comparison, report::Dataset* data) {
  for (size_t i = 0; i < comparison.names.size(); ++i) {
    AddRecord(
        {ChartText(network.name), ChartText(compared),
         ChartText(comparison.names[i]), ChartNumber(comparison.guaranteed[i])},
        data);
  }
}

}  // namespace

report::Figure SpreadFigure(absl::Span<const NetworkStatistics> networks) {
  report::Figure figure;
  figure.set_name("spread");
  figure.set_title("Error and tolerance, network by network");
  figure.set_caption(
      "The thin line spans 90% of the test samples of all seeds, the thick one "
      "their middle half, the dot is the median: the error δ between FP16 and "
      "FP32 of one seed, the error between two FP32 networks of different "
      "seeds, and the tolerance Γ of FP32. Values under 1E-7 are drawn there.");
  figure.set_spec("spread.vl.json");
  report::Dataset* data =
      AddDataset("spread",
                 {"network", "quantity", "low", "lower_quartile", "median",
                  "upper_quartile", "high"},
                 &figure);
  for (const NetworkStatistics& network : networks) {
    const Comparison& fp16 = network.Of("FP16");
    AddSpread(network, "error δ, FP16 and FP32", fp16, fp16.error, data);
    AddSpread(network, "error δ, FP32 of two seeds", network.seeds,
              network.seeds.error, data);
    AddSpread(network, "tolerance Γ, FP32", fp16, fp16.tolerance, data);
  }
  return figure;
}

report::Figure GuaranteedFigure(absl::Span<const NetworkStatistics> networks,
                                double large_majority) {
  report::Figure figure;
  figure.set_name("guaranteed");
  figure.set_title("Samples that satisfy Eq. 3");
  figure.set_caption(
      "Share of the test samples with Γ ≥ 2δ, for which Lemma 1 promises the "
      "same class; a dot is a pair of networks: a 16-bit network and FP32 of "
      "the same seed, or FP32 and FP32 of the next seed. Right of the dashed "
      "line it is a large majority, as we read it.");
  figure.set_spec("guaranteed.vl.json");
  report::Dataset* data = AddDataset(
      "guaranteed", {"network", "compared", "pair", "percent"}, &figure);
  for (const NetworkStatistics& network : networks) {
    for (const auto& [policy, comparison] : network.policies) {
      AddShares(network, policy, comparison, data);
    }
    AddShares(network, "FP32, another seed", network.seeds, data);
  }
  report::Dataset* rule = AddDataset("large_majority", {"percent"}, &figure);
  AddRecord({ChartNumber(large_majority)}, rule);
  return figure;
}

}  // namespace repro16
