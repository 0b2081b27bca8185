#include "analysis/step_time_model.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace repro16 {
namespace {

bool IsOptional(std::string_view field) {
  return field == "tf32_tflops" || field == "f16_tflops" ||
         field == "f16_acc16_tflops";
}

}  // namespace

StepTimeParameters ParametersOf(const Device& device) {
  return {/*attainable_share=*/1, device.launch_us().value()};
}

absl::Status CheckDevice(const Device& device, std::string_view name) {
  const auto fault = [&](std::string_view field, std::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat(name, ": ", field, ": ", what));
  };
  if (device.name().empty()) return fault("name", "is missing");
  const google::protobuf::Descriptor& type = *device.GetDescriptor();
  const google::protobuf::Reflection& fields = *device.GetReflection();
  for (int i = 0; i < type.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = type.field(i);
    if (field->message_type() != Figure::descriptor()) continue;
    if (!fields.HasField(device, field)) {
      if (IsOptional(field->name())) continue;
      return fault(field->name(), "is missing; give its value and source");
    }
    Figure figure;
    figure.CopyFrom(fields.GetMessage(device, field));
    if (!(figure.value() > 0) || !std::isfinite(figure.value())) {
      return fault(field->name(),
                   absl::StrCat("value ", figure.value(), " is not above 0"));
    }
    if (figure.source().empty()) {
      return fault(field->name(), "has no source; say where it is from");
    }
  }
  return absl::OkStatus();
}

double PeakRate(const Device& device, MathUnit unit) {
  double tflops = device.f32_tflops().value();
  if (unit == MathUnit::kTf32 && device.has_tf32_tflops()) {
    tflops = device.tf32_tflops().value();
  } else if (unit == MathUnit::kF16 && device.has_f16_tflops()) {
    tflops = device.f16_tflops().value();
  } else if (unit == MathUnit::kF16Acc16 && device.has_f16_acc16_tflops()) {
    tflops = device.f16_acc16_tflops().value();
  }
  return tflops * 1e12;
}

ModelTime& ModelTime::operator+=(const ModelTime& other) {
  launch += other.launch;
  compute += other.compute;
  bandwidth += other.bandwidth;
  kernels += other.kernels;
  return *this;
}

ModelTime ModelTime::Times(int64_t count) const {
  const auto n = static_cast<double>(count);
  return {launch * n, compute * n, bandwidth * n, kernels * count};
}

ModelTime KernelTime(const Kernel& kernel, const Device& device,
                     const StepTimeParameters& parameters) {
  const double compute = kernel.flops / (PeakRate(device, kernel.unit) *
                                         parameters.attainable_share);
  const double bandwidth =
      kernel.bytes / (device.bandwidth_gb_per_s().value() * 1e9);
  ModelTime time;
  time.launch = parameters.launch_us / 1e6;
  (compute > bandwidth ? time.compute : time.bandwidth) =
      std::max(compute, bandwidth);
  time.kernels = 1;
  return time;
}

ModelTime TotalTime(absl::Span<const Kernel> kernels, const Device& device,
                    const StepTimeParameters& parameters) {
  ModelTime total;
  for (const Kernel& kernel : kernels) {
    total += KernelTime(kernel, device, parameters);
  }
  return total;
}

std::vector<RepeatedKernels> RunKernels(const Graph& graph,
                                        const PrecisionPolicy& policy,
                                        const Protocol& protocol, bool tf32) {
  std::vector<RepeatedKernels> run;
  const auto add = [&](auto kernels_of, int64_t examples) {
    const int64_t full = examples / protocol.batch;
    const int64_t rest = examples % protocol.batch;
    if (full > 0) {
      run.push_back(
          {protocol.epochs * full,
           kernels_of(graph, policy, KernelOptions{protocol.batch, tf32})});
    }
    if (rest > 0) {
      run.push_back({protocol.epochs,
                     kernels_of(graph, policy, KernelOptions{rest, tf32})});
    }
  };
  add(TrainingKernels, protocol.train_examples);
  add(EvaluationKernels, protocol.test_examples);
  return run;
}

ModelTime TotalTime(absl::Span<const RepeatedKernels> run, const Device& device,
                    const StepTimeParameters& parameters) {
  ModelTime total;
  for (const RepeatedKernels& part : run) {
    total += TotalTime(part.kernels, device, parameters).Times(part.count);
  }
  return total;
}

}  // namespace repro16
