#include "analysis/cost_model.h"

#include <array>
#include <cmath>
#include <set>

#include "absl/strings/str_cat.h"
#include "analysis/cost_model_findings.h"
#include "engine/numerics/policy.h"

namespace repro16 {
namespace {

struct PrecisionOption {
  std::string_view name;
  std::string_view policy;
  bool tf32;
};

// In the order of ModelledPrecision.
constexpr std::array<PrecisionOption, kModelledPrecisions> kPrecisions = {{
    {"FP16", "FP16", true},
    {"FP16_BN32", "FP16_BN32", true},
    {"FP32", "FP32", true},
    {"FP32 without TF32", "FP32", false},
    {"MP", "MP", true},
}};

// Grid of the sensitivity: from no launch cost to twice the longest that is
// usual, from the peak rate to a quarter of it.
constexpr double kLaunchMicroseconds[] = {0, 5, 10, 20, 40};
constexpr double kShares[] = {1, 0.75, 0.5, 0.25};

// By ModelledPrecision.
using NetworkRuns =
    std::array<std::vector<RepeatedKernels>, kModelledPrecisions>;
using NetworkSeconds = std::array<double, kModelledPrecisions>;

double PublishedSeconds(const PublishedTimes::Network& network, int precision) {
  switch (precision) {
    case kModelledFp16:
    case kModelledFp16Bn32:
      return network.fp16_seconds();
    case kModelledMp:
      return network.mp_seconds();
    default:
      return network.fp32_seconds();
  }
}

struct Pairs {
  std::vector<double> predicted;
  std::vector<double> published;

  void Add(double prediction, double publication) {
    predicted.push_back(prediction);
    published.push_back(publication);
  }
};

double MeanRelativeError(const Pairs& pairs) {
  double sum = 0;
  for (size_t i = 0; i < pairs.predicted.size(); ++i) {
    sum += std::abs(pairs.predicted[i] / pairs.published[i] - 1);
  }
  return sum / static_cast<double>(pairs.predicted.size());
}

double Mean(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

// Pearson's; 0 where either does not vary.
double Correlation(const Pairs& pairs) {
  const double mean_x = Mean(pairs.predicted);
  const double mean_y = Mean(pairs.published);
  double xx = 0;
  double yy = 0;
  double xy = 0;
  for (size_t i = 0; i < pairs.predicted.size(); ++i) {
    const double x = pairs.predicted[i] - mean_x;
    const double y = pairs.published[i] - mean_y;
    xx += x * x;
    yy += y * y;
    xy += x * y;
  }
  return xx > 0 && yy > 0 ? xy / std::sqrt(xx * yy) : 0;
}

CostModelReport::Error ErrorOf(const std::vector<NetworkSeconds>& predicted,
                               const PublishedTimes& published,
                               ModelledPrecision fp32) {
  Pairs seconds;
  Pairs fp32_speedups;
  Pairs mp_speedups;
  for (size_t i = 0; i < predicted.size(); ++i) {
    const NetworkSeconds& ours = predicted[i];
    const PublishedTimes::Network& theirs =
        published.networks(static_cast<int>(i));
    seconds.Add(ours[kModelledFp16], theirs.fp16_seconds());
    seconds.Add(ours[fp32], theirs.fp32_seconds());
    seconds.Add(ours[kModelledMp], theirs.mp_seconds());
    fp32_speedups.Add(ours[fp32] / ours[kModelledFp16],
                      theirs.fp32_seconds() / theirs.fp16_seconds());
    mp_speedups.Add(ours[kModelledMp] / ours[kModelledFp16],
                    theirs.mp_seconds() / theirs.fp16_seconds());
  }
  CostModelReport::Error error;
  error.set_seconds(MeanRelativeError(seconds));
  error.set_fp32_speedup(MeanRelativeError(fp32_speedups));
  error.set_mp_speedup(MeanRelativeError(mp_speedups));
  error.set_seconds_correlation(Correlation(seconds));
  error.set_fp32_speedup_correlation(Correlation(fp32_speedups));
  error.set_mp_speedup_correlation(Correlation(mp_speedups));
  return error;
}

NetworkRuns RunsOf(const Graph& graph, const Protocol& protocol) {
  NetworkRuns runs;
  for (int p = 0; p < kModelledPrecisions; ++p) {
    const PrecisionOption& option = kPrecisions[p];
    runs[p] =
        RunKernels(graph, *FindPolicy(option.policy), protocol, option.tf32);
  }
  return runs;
}

void Fill(const NetworkRuns& runs, const Device& device,
          const StepTimeParameters& parameters,
          const PublishedTimes::Network& published,
          CostModelReport::Network& network) {
  network.set_model(published.model());
  network.set_row(published.row());
  NetworkSeconds seconds;
  for (int p = 0; p < kModelledPrecisions; ++p) {
    const ModelTime time = TotalTime(runs[p], device, parameters);
    seconds[p] = time.Total();
    CostModelReport::Precision& precision = *network.add_precisions();
    precision.set_name(std::string(kPrecisions[p].name));
    precision.set_policy(std::string(kPrecisions[p].policy));
    precision.set_tf32(kPrecisions[p].tf32);
    precision.set_seconds(time.Total());
    precision.set_published_seconds(PublishedSeconds(published, p));
    precision.set_compute_share(time.compute / time.Total());
    precision.set_bandwidth_share(time.bandwidth / time.Total());
    precision.set_launch_share(time.launch / time.Total());
    precision.set_kernels(static_cast<int64_t>(runs[p][0].kernels.size()));
  }
  const double fp16 = seconds[kModelledFp16];
  network.set_fp32_speedup(seconds[kModelledFp32] / fp16);
  network.set_fp32_without_tf32_speedup(seconds[kModelledFp32WithoutTf32] /
                                        fp16);
  network.set_mp_speedup(seconds[kModelledMp] / fp16);
  network.set_published_fp32_speedup(published.fp32_seconds() /
                                     published.fp16_seconds());
  network.set_published_mp_speedup(published.mp_seconds() /
                                   published.fp16_seconds());
}

std::vector<NetworkSeconds> SecondsOf(const std::vector<NetworkRuns>& runs,
                                      const Device& device,
                                      const StepTimeParameters& parameters) {
  std::vector<NetworkSeconds> seconds(runs.size());
  for (size_t i = 0; i < runs.size(); ++i) {
    for (int p = 0; p < kModelledPrecisions; ++p) {
      seconds[i][p] = TotalTime(runs[i][p], device, parameters).Total();
    }
  }
  return seconds;
}

void AddErrors(const std::vector<NetworkRuns>& runs, const Device& device,
               const PublishedTimes& published, CostModelReport& report) {
  const std::vector<NetworkSeconds> seconds =
      SecondsOf(runs, device, ParametersOf(device));
  *report.mutable_error() = ErrorOf(seconds, published, kModelledFp32);
  *report.mutable_error_without_tf32() =
      ErrorOf(seconds, published, kModelledFp32WithoutTf32);
  for (double launch_us : kLaunchMicroseconds) {
    for (double share : kShares) {
      CostModelReport::Sensitivity& point = *report.add_sensitivity();
      point.set_attainable_share(share);
      point.set_launch_us(launch_us);
      *point.mutable_error() =
          ErrorOf(SecondsOf(runs, device, {share, launch_us}), published,
                  kModelledFp32);
    }
  }
}

}  // namespace

absl::Status CheckPublishedTimes(const PublishedTimes& published,
                                 std::string_view name) {
  const auto fault = [&](std::string_view what) {
    return absl::InvalidArgumentError(absl::StrCat(name, ": ", what));
  };
  if (published.batch() < 1) return fault("batch: is not above 0");
  if (published.networks().empty()) return fault("networks: there are none");
  std::set<std::string> models;
  for (const PublishedTimes::Network& network : published.networks()) {
    if (network.model().empty()) return fault("networks.model: is missing");
    if (!models.insert(network.model()).second) {
      return fault(
          absl::StrCat("networks.model: ", network.model(), " is there twice"));
    }
    if (!(network.fp16_seconds() > 0 && network.fp32_seconds() > 0 &&
          network.mp_seconds() > 0)) {
      return fault(absl::StrCat(network.model(),
                                ": fp16_seconds, fp32_seconds and mp_seconds "
                                "must all be above 0"));
    }
  }
  return absl::OkStatus();
}

CostModelReport MakeCostModelReport(const Device& device,
                                    std::string_view device_id,
                                    const PublishedTimes& published,
                                    absl::Span<const Graph> graphs,
                                    const Protocol& protocol) {
  const StepTimeParameters parameters = ParametersOf(device);
  CostModelReport report;
  report.set_caveat(std::string(kCostModelCaveat));
  report.set_device(std::string(device_id));
  report.set_device_name(device.name());
  report.set_epochs(protocol.epochs);
  report.set_train_examples(protocol.train_examples);
  report.set_test_examples(protocol.test_examples);
  report.set_batch(protocol.batch);
  report.set_attainable_share(parameters.attainable_share);
  report.set_launch_us(parameters.launch_us);
  report.set_launch_source(device.launch_us().source());
  report.set_published_table(published.table());
  report.set_published_device(published.device());
  report.set_published_batch(published.batch());
  std::vector<NetworkRuns> runs;
  for (const Graph& graph : graphs) runs.push_back(RunsOf(graph, protocol));
  for (size_t i = 0; i < runs.size(); ++i) {
    Fill(runs[i], device, parameters, published.networks(static_cast<int>(i)),
         *report.add_networks());
  }
  if (device_id == published.device() && protocol.batch == published.batch()) {
    AddErrors(runs, device, published, report);
  }
  AddFindings(device, report);
  return report;
}

}  // namespace repro16
