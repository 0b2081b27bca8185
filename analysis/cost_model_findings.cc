#include "analysis/cost_model_findings.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "analysis/cost_model.h"
#include "analysis/step_time_model.h"

namespace repro16 {
namespace {

using Network = CostModelReport::Network;

const Network* Find(const CostModelReport& report, std::string_view model) {
  for (const Network& network : report.networks()) {
    if (network.model() == model) return &network;
  }
  return nullptr;
}

// Why one network gains more from 16 bits than another: the share of its FP32
// time that does not shrink with the size of a number.
std::string CompareGains(const Network& more, const Network& less) {
  const double more_fixed = more.precisions(kModelledFp32).launch_share();
  const double less_fixed = less.precisions(kModelledFp32).launch_share();
  const std::string gains = absl::StrFormat(
      "%s gains %.1fx from FP16 (published %.1fx), %s %.1fx (published %.1fx)",
      more.model(), more.fp32_speedup(), more.published_fp32_speedup(),
      less.model(), less.fp32_speedup(), less.published_fp32_speedup());
  if (more.published_fp32_speedup() <= less.published_fp32_speedup() ||
      more.fp32_speedup() <= less.fp32_speedup() || more_fixed >= less_fixed) {
    return gains + ": the model does not show why the published gains differ.";
  }
  return absl::StrFormat(
      "%s: launches cost the same in 16 bits, and they take %.0f%% of the FP32 "
      "time of %s but %.0f%% of that of %s; only operations and bytes get "
      "cheaper. That is %.0f%% of the published difference in gains.",
      gains, 100 * more_fixed, more.model(), 100 * less_fixed, less.model(),
      100 * (more.fp32_speedup() - less.fp32_speedup()) /
          (more.published_fp32_speedup() - less.published_fp32_speedup()));
}

// No kernel gets faster by more than the ratio of the peak rates or that of the
// bytes.
std::string Bound(const Device& device, const CostModelReport& report) {
  const double bound = std::max(2.0, PeakRate(device, MathUnit::kF16) /
                                         PeakRate(device, MathUnit::kTf32));
  std::vector<std::string> above;
  for (const Network& network : report.networks()) {
    if (network.published_fp32_speedup() > bound) {
      above.push_back(absl::StrFormat("%s %.2fx", network.model(),
                                      network.published_fp32_speedup()));
    }
  }
  return absl::StrCat(
      absl::StrFormat("The model allows no gain over FP32 above %.1fx, the "
                      "larger of the ratios of peak rates and of bytes; ",
                      bound),
      above.empty() ? "no published one is above"
                    : "published above it, and not explained: ",
      absl::StrJoin(above, ", "), ".");
}

std::string Tf32(const Device& device, const CostModelReport& report) {
  if (!device.has_tf32_tflops()) {
    return "The device has no matrix units for TF32: FP32 is the same with it "
           "and without.";
  }
  if (PeakRate(device, MathUnit::kTf32) == PeakRate(device, MathUnit::kF32)) {
    return "Tensor cores in TF32 and CUDA cores in FP32 have the same peak "
           "rate here: the model cannot tell which of them the FP32 column "
           "ran on.";
  }
  if (!report.has_error()) {
    return "FP32 differs with TF32, TensorFlow's default, and without; the "
           "published times, of another device or batch, cannot tell which "
           "fits.";
  }
  const double with = report.error().fp32_speedup();
  const double without = report.error_without_tf32().fp32_speedup();
  return absl::StrFormat(
      "FP32 %s TF32 fits the published speed-ups better: mean error %.0f%%, "
      "against %.0f%%.",
      with <= without ? "with" : "without", 100 * std::min(with, without),
      100 * std::max(with, without));
}

// Whether times are too short, as is to be expected of peak rates.
std::string TooShort(const CostModelReport& report) {
  int count = 0;
  double ratio = 0;
  std::vector<std::string> above;
  for (const Network& network : report.networks()) {
    for (int p : {kModelledFp16, kModelledFp32, kModelledMp}) {
      const CostModelReport::Precision& precision = network.precisions(p);
      ratio += precision.seconds() / precision.published_seconds();
      ++count;
      if (precision.seconds() >= precision.published_seconds()) {
        above.push_back(absl::StrCat(network.model(), " ", precision.name()));
      }
    }
  }
  return absl::StrFormat(
      "Predicted times are %.2f of the published ones on average: nothing real "
      "attains the peak rates. Not below them: %s.",
      ratio / count, above.empty() ? "none" : absl::StrJoin(above, ", "));
}

// How much the free parameters matter.
std::string Sensitivity(const CostModelReport& report) {
  std::vector<double> seconds;
  std::vector<double> gains;
  for (const CostModelReport::Sensitivity& point : report.sensitivity()) {
    seconds.push_back(point.error().seconds());
    gains.push_back(point.error().fp32_speedup());
  }
  const auto [least_seconds, most_seconds] =
      std::minmax_element(seconds.begin(), seconds.end());
  const auto [least_gain, most_gain] =
      std::minmax_element(gains.begin(), gains.end());
  return absl::StrFormat(
      "Over the grid of the two free parameters the mean error is %.0f%% to "
      "%.0f%% of the seconds and %.0f%% to %.0f%% of the gains over FP32; at "
      "the values used, which were not fitted, %.0f%% and %.0f%%.",
      100 * *least_seconds, 100 * *most_seconds, 100 * *least_gain,
      100 * *most_gain, 100 * report.error().seconds(),
      100 * report.error().fp32_speedup());
}

std::string Means(const CostModelReport& report) {
  double fp32 = 0;
  double mp = 0;
  double published_fp32 = 0;
  double published_mp = 0;
  for (const Network& network : report.networks()) {
    fp32 += network.fp32_speedup();
    mp += network.mp_speedup();
    published_fp32 += network.published_fp32_speedup();
    published_mp += network.published_mp_speedup();
  }
  const double n = report.networks_size();
  return absl::StrFormat(
      "Mean gain of FP16 over FP32: %.2fx (published %.2fx); over MP: %.2fx "
      "(published %.2fx).",
      fp32 / n, published_fp32 / n, mp / n, published_mp / n);
}

}  // namespace

void AddFindings(const Device& device, CostModelReport& report) {
  report.add_findings(Means(report));
  report.add_findings(Tf32(device, report));
  if (!report.has_error()) return;
  const Network* vgg = Find(report, "vgg16");
  const Network* resnet = Find(report, "resnet32");
  if (vgg != nullptr && resnet != nullptr) {
    report.add_findings(CompareGains(*vgg, *resnet));
  }
  report.add_findings(Bound(device, report));
  report.add_findings(TooShort(report));
  report.add_findings(Sensitivity(report));
}

}  // namespace repro16
