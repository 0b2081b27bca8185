#include "engine/training/parameter_watch.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "engine/io/safetensors.h"

namespace repro16 {
namespace {

constexpr char kFirstMoment[] = "first_moment";
constexpr char kSecondMoment[] = "second_moment";

// Of the slots of Program::ReadSlot, in their order.
std::vector<std::string> SlotNames(const OptimizerSpec& optimizer) {
  switch (optimizer.rule_case()) {
    case OptimizerSpec::kSgd:
      if (optimizer.sgd().momentum() == 0) return {};
      return {"momentum"};
    case OptimizerSpec::kAdam:
      return {kFirstMoment, kSecondMoment};
    case OptimizerSpec::kRmsprop:
      return {kSecondMoment};
    case OptimizerSpec::RULE_NOT_SET:
      return {};
  }
  return {};
}

std::vector<double> Values(const std::vector<uint8_t>& bytes, DType type) {
  const auto elements = static_cast<int64_t>(bytes.size() / SizeOf(type));
  return ToDoubles({"", ToSafetensorsType(type), Shape({elements}),
                    std::string(bytes.begin(), bytes.end())});
}

int64_t CountNonFinite(const std::vector<double>& values) {
  return std::count_if(values.begin(), values.end(),
                       [](double x) { return !std::isfinite(x); });
}

// Of the elements that are finite before and after.
double LargestUpdate(const std::vector<double>& before,
                     const std::vector<double>& after) {
  double largest = 0;
  for (size_t i = 0; i < after.size(); ++i) {
    const double update = std::abs(after[i] - before[i]);
    // Of numbers of f32's range it is finite if both are.
    if (std::isfinite(update)) largest = std::max(largest, update);
  }
  return largest;
}

int64_t ZeroWhileOtherIsNot(const std::vector<double>& values,
                            const std::vector<double>& other) {
  int64_t count = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    count += values[i] == 0 && other[i] != 0 ? 1 : 0;
  }
  return count;
}

void AddSlot(const std::vector<double>& values, SlotDiagnosis& diagnosis) {
  diagnosis.set_zero(diagnosis.zero() +
                     std::count(values.begin(), values.end(), 0.0));
  diagnosis.set_non_finite(diagnosis.non_finite() + CountNonFinite(values));
}

}  // namespace

absl::Status ParameterWatch::Start() {
  before_.assign(graph_.parameters.size(), {});
  for (size_t i = 0; i < graph_.parameters.size(); ++i) {
    if (!graph_.parameters[i].trainable()) continue;
    auto bytes = program_.ReadParameter(static_cast<ParameterId>(i));
    if (!bytes.ok()) return bytes.status();
    before_[i] = *std::move(bytes);
  }
  return absl::OkStatus();
}

absl::Status ParameterWatch::AddStep(int64_t step, EpochDiagnosis& epoch) {
  int trained = 0;
  for (size_t i = 0; i < graph_.parameters.size(); ++i) {
    const Parameter& parameter = graph_.parameters[i];
    if (!parameter.trainable()) continue;
    if (trained == epoch.parameters_size()) {
      ParameterDiagnosis& added = *epoch.add_parameters();
      added.set_parameter(parameter.name);
      added.set_elements(parameter.shape.NumElements());
      for (const std::string& slot : SlotNames(optimizer_)) {
        added.add_slots()->set_slot(slot);
      }
    }
    const absl::Status status =
        AddParameter(static_cast<ParameterId>(i), step,
                     *epoch.mutable_parameters(trained++));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status ParameterWatch::AddParameter(ParameterId id, int64_t step,
                                          ParameterDiagnosis& diagnosis) {
  auto bytes = program_.ReadParameter(id);
  if (!bytes.ok()) return bytes.status();
  const DType type = program_.ParameterType(id);
  const std::vector<double> after = Values(*bytes, type);
  const double update = LargestUpdate(Values(before_[id], type), after);
  before_[id] = *std::move(bytes);
  if (update > diagnosis.largest_update()) {
    diagnosis.set_largest_update(update);
    diagnosis.set_largest_update_step(step);
  }
  const int64_t non_finite = CountNonFinite(after);
  diagnosis.set_non_finite(diagnosis.non_finite() + non_finite);
  if (non_finite > 0 && !diagnosis.has_first_non_finite_step()) {
    diagnosis.set_first_non_finite_step(step);
  }
  return AddSlots(id, diagnosis);
}

absl::Status ParameterWatch::AddSlots(ParameterId id,
                                      ParameterDiagnosis& diagnosis) {
  std::vector<double> first_moment;
  for (int i = 0; i < diagnosis.slots_size(); ++i) {
    const auto bytes = program_.ReadSlot(id, i);
    if (!bytes.ok()) return bytes.status();
    std::vector<double> values = Values(*bytes, program_.ParameterType(id));
    SlotDiagnosis& slot = *diagnosis.mutable_slots(i);
    AddSlot(values, slot);
    if (slot.slot() == kFirstMoment) {
      first_moment = std::move(values);
    } else if (slot.slot() == kSecondMoment && !first_moment.empty()) {
      slot.set_zero_while_first_moment_is_not(
          slot.zero_while_first_moment_is_not() +
          ZeroWhileOtherIsNot(values, first_moment));
    }
  }
  return absl::OkStatus();
}

}  // namespace repro16
