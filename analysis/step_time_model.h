// A MODEL of the time of a training step on a device; it measures nothing.
//
// The roofline model (Williams, Waterman, Patterson: "Roofline: An Insightful
// Visual Performance Model for Multicore Architectures", Communications of the
// ACM 52(4), 2009) bounds a kernel's rate by the peak rate and by bandwidth
// times arithmetic intensity: its time is at least max(flops / peak, bytes /
// bandwidth). Kernels run one after another, and each costs a launch:
//
//   time = launch + max(flops / (peak * share), bytes / bandwidth)
//
// and a step takes the sum over its kernels. Only + - * / and max of f64:
// every machine gives the same bits.
#ifndef REPRO16_ANALYSIS_STEP_TIME_MODEL_H_
#define REPRO16_ANALYSIS_STEP_TIME_MODEL_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "analysis/device.pb.h"
#include "analysis/training_kernels.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"

namespace repro16 {

// Free parameters, the same for all networks and precisions.
struct StepTimeParameters {
  double attainable_share = 1;  // of peak rates, in (0, 1]
  double launch_us = 0;
};

// No assumption of our own: peak rates are reached, a launch costs what the
// device's file says.
StepTimeParameters ParametersOf(const Device& device);

// InvalidArgument, naming `name` and the field, for a figure that is missing
// (other than those of matrix units), not above 0, or without a source.
absl::Status CheckDevice(const Device& device, std::string_view name);

// Operations a second; matrix units that the device lacks are its vector units.
double PeakRate(const Device& device, MathUnit unit);

// Seconds, by what bounds them.
struct ModelTime {
  double launch = 0;
  double compute = 0;    // of kernels whose operations take longer
  double bandwidth = 0;  // of kernels whose bytes do
  int64_t kernels = 0;

  double Total() const { return launch + compute + bandwidth; }
  ModelTime& operator+=(const ModelTime& other);
  // Of `count` repetitions.
  ModelTime Times(int64_t count) const;
};

ModelTime KernelTime(const Kernel& kernel, const Device& device,
                     const StepTimeParameters& parameters);

// Of all kernels, one after another.
ModelTime TotalTime(absl::Span<const Kernel> kernels, const Device& device,
                    const StepTimeParameters& parameters);

// Epochs of training steps, the last batch of an epoch the rest, each followed
// by an evaluation of the test set.
struct Protocol {
  int64_t epochs = 100;
  int64_t train_examples = 50'000;
  int64_t test_examples = 10'000;
  int64_t batch = 256;
};

struct RepeatedKernels {
  int64_t count;
  std::vector<Kernel> kernels;
};

// What a run of that protocol launches.
std::vector<RepeatedKernels> RunKernels(const Graph& graph,
                                        const PrecisionPolicy& policy,
                                        const Protocol& protocol, bool tf32);

ModelTime TotalTime(absl::Span<const RepeatedKernels> run, const Device& device,
                    const StepTimeParameters& parameters);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_STEP_TIME_MODEL_H_
