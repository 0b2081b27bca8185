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
  if (more.fp32_speedup() <= less.fp32_speedup() || more_fixed >= less_fixed) {
    return gains + ": the model does not show why the published gains differ.";
  }
  return absl::StrFormat(
      "%s: launches cost the same in 16 bits, and they take %.0f%% of the FP32 "
      "time of %s but %.0f%% of that of %s; only operations and bytes get "
      "cheaper.",
      gains, 100 * more_fixed, more.model(), 100 * less_fixed, less.model());
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
  if (PeakRate(device, MathUnit::kTf32) == PeakRate(device, MathUnit::kF32)) {
    return "Tensor cores in TF32 and CUDA cores in FP32 have the same peak "
           "rate here: the model cannot tell which of them the FP32 column "
           "ran on.";
  }
  if (!report.has_error()) {
    return "FP32 differs with TF32, TensorFlow's default, and without; the "
           "published times, of another device, cannot tell which fits.";
  }
  const double with = report.error().fp32_speedup();
  const double without = report.error_without_tf32().fp32_speedup();
  return absl::StrFormat(
      "FP32 %s TF32 fits the published speed-ups better: mean error %.0f%%, "
      "against %.0f%%.",
      with <= without ? "with" : "without", 100 * std::min(with, without),
      100 * std::max(with, without));
}

std::string LowerBound(const CostModelReport& report) {
  int below = 0;
  int count = 0;
  double ratio = 0;
  for (const Network& network : report.networks()) {
    for (int p : {kModelledFp16, kModelledFp32, kModelledMp}) {
      const CostModelReport::Precision& precision = network.precisions(p);
      below += precision.seconds() < precision.published_seconds() ? 1 : 0;
      ratio += precision.seconds() / precision.published_seconds();
      ++count;
    }
  }
  return absl::StrFormat(
      "A roofline bounds time from below: %d of %d predicted times are below "
      "the published ones, %.2f of them on average.",
      below, count, ratio / count);
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
  const Network* vgg = Find(report, "vgg16");
  const Network* resnet = Find(report, "resnet32");
  if (vgg != nullptr && resnet != nullptr) {
    report.add_findings(CompareGains(*vgg, *resnet));
  }
  report.add_findings(Tf32(device, report));
  if (!report.has_error()) return;
  report.add_findings(Bound(device, report));
  report.add_findings(LowerBound(report));
}

}  // namespace repro16
