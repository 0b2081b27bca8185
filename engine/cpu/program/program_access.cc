// A program's tensors and parameters in and out.
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/cpu/program/program.h"
#include "engine/graph/update_rule.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace {

// The whole tensor, no less and no more.
absl::Status CopyIn(absl::Span<const uint8_t> bytes, const TensorRef& to) {
  if (static_cast<int64_t>(bytes.size()) != to.Bytes(1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "a tensor of ", to.Bytes(1), " bytes was given ", bytes.size()));
  }
  if (!bytes.empty()) std::memcpy(to.data, bytes.data(), bytes.size());
  return absl::OkStatus();
}

std::vector<uint8_t> CopyOut(const TensorRef& from, int64_t count) {
  const auto* begin = static_cast<const uint8_t*>(from.data);
  return std::vector<uint8_t>(begin, begin + from.Bytes(count));
}

absl::Status NotKept() {
  return absl::FailedPreconditionError(
      "tensors can be read after a pass of a program compiled with "
      "keep_all_tensors");
}

// One to max_batch examples, none in part.
absl::Status CheckExamples(absl::Span<const uint8_t> bytes,
                           const TensorRef& tensor, int64_t max_batch) {
  const auto size = static_cast<int64_t>(bytes.size());
  if (size > 0 && size <= tensor.Bytes(max_batch) &&
      size % tensor.Bytes(1) == 0) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat(size, " bytes are not 1 to ", max_batch, " examples of ",
                   tensor.Bytes(1), " bytes each"));
}

}  // namespace

absl::Status CpuProgram::WriteInput(absl::Span<const uint8_t> bytes) {
  const absl::Status status = CheckExamples(
      bytes, evaluation_.values[graph_.input], options_.max_batch);
  if (status.ok()) input_.assign(bytes.begin(), bytes.end());
  return status;
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadTensor(TensorId id,
                                                            int64_t batch) {
  if (!options_.keep_all_tensors || last_pass_ == nullptr) {
    return NotKept();
  }
  if (absl::Status status = CheckReady(batch, /*trains=*/false); !status.ok()) {
    return status;
  }
  return CopyOut(last_pass_->values[id], batch);
}

absl::Status CpuProgram::WriteOutputGradient(absl::Span<const uint8_t> bytes) {
  const ValueId value = training_.layout->schedule.GradientOf(graph_.output);
  if (value == kNoValue || graph_.loss != kNoTensor) {
    return absl::FailedPreconditionError(
        "the gradient of the output comes from the loss");
  }
  const TensorRef& to = training_.values[value];
  const absl::Status status = CheckExamples(bytes, to, options_.max_batch);
  if (status.ok()) std::memcpy(to.data, bytes.data(), bytes.size());
  return status;
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadGradient(TensorId id,
                                                              int64_t batch) {
  const ValueId value = training_.layout->schedule.GradientOf(id);
  if (value == kNoValue) {
    return absl::NotFoundError(
        absl::StrCat(graph_.tensors[id].name, " has no gradient"));
  }
  if (!options_.keep_all_tensors) return NotKept();
  if (absl::Status status = CheckReady(batch, /*trains=*/true); !status.ok()) {
    return status;
  }
  return CopyOut(training_.values[value], batch);
}

DType CpuProgram::ParameterType(ParameterId id) const {
  return parameters_[id].kept.type;
}

absl::Status CpuProgram::WriteParameter(ParameterId id,
                                        absl::Span<const uint8_t> bytes) {
  const BoundParameter& bound = parameters_[id];
  if (absl::Status status = CopyIn(bytes, bound.kept); !status.ok()) {
    return status;
  }
  if (bound.read.data == bound.kept.data) return absl::OkStatus();
  VisitDType(bound.kept.type, [&](auto tag) {
    const auto* kept = static_cast<const decltype(tag)*>(bound.kept.data);
    auto* read = static_cast<uint8_t*>(bound.read.data);
    const auto size = static_cast<int64_t>(SizeOf(bound.read.type));
    for (int64_t i = 0; i < bound.read.elements; ++i) {
      StoreAsType(ToFloat(kept[i]), bound.read.type, read + i * size);
    }
  });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadParameter(ParameterId id) {
  return CopyOut(parameters_[id].kept, 1);
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadParameterGradient(
    ParameterId id) {
  return CopyOut(parameters_[id].gradient, 1);
}

int CpuProgram::num_slots() const {
  return options_.optimizer.has_value() ? NumSlots(*options_.optimizer) : 0;
}

absl::Status CpuProgram::CheckSlot(int slot) const {
  if (slot >= 0 && slot < num_slots()) return absl::OkStatus();
  return absl::OutOfRangeError(absl::StrCat(
      "slot ", slot, "; the optimizer has ", num_slots(), " slots"));
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadSlot(ParameterId id,
                                                          int slot) {
  if (absl::Status status = CheckSlot(slot); !status.ok()) return status;
  return CopyOut(parameters_[id].slots[slot], 1);
}

absl::Status CpuProgram::WriteSlot(ParameterId id, int slot,
                                   absl::Span<const uint8_t> bytes) {
  if (absl::Status status = CheckSlot(slot); !status.ok()) return status;
  return CopyIn(bytes, parameters_[id].slots[slot]);
}

absl::Status CpuProgram::WriteUpdateState(const UpdateState& state) {
  state_.updates = state.updates;
  if (policy_.dynamic_loss_scale) {
    state_.loss_scale = state.loss_scale;
    state_.good_steps = state.good_steps;
  }
  return absl::OkStatus();
}

}  // namespace repro16
