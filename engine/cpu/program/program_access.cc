// A program's tensors and parameters in and out.
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/cpu/program/program.h"
#include "engine/graph/pass_check.h"
#include "engine/graph/read_copy.h"
#include "engine/graph/update_rule.h"

namespace repro16 {
namespace {

absl::Status CopyIn(absl::Span<const uint8_t> bytes, const TensorRef& to) {
  const absl::Status status = CheckWholeTensor(bytes, to.Bytes(1));
  if (status.ok() && !bytes.empty()) {
    std::memcpy(to.data, bytes.data(), bytes.size());
  }
  return status;
}

std::vector<uint8_t> CopyOut(const TensorRef& from, int64_t count) {
  const auto* begin = static_cast<const uint8_t*>(from.data);
  return std::vector<uint8_t>(begin, begin + from.Bytes(count));
}

}  // namespace

absl::Status CpuProgram::WriteInput(absl::Span<const uint8_t> bytes) {
  const absl::Status status = CheckExamples(
      bytes, evaluation_.values[graph_.input].Bytes(1), options_.max_batch);
  if (status.ok()) input_.assign(bytes.begin(), bytes.end());
  return status;
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadTensor(TensorId id,
                                                            int64_t batch) {
  absl::Status status = CheckKept(options_, last_pass_ != nullptr);
  if (status.ok()) status = CheckReady(batch, /*trains=*/false);
  if (!status.ok()) return status;
  return CopyOut(last_pass_->values[id], batch);
}

absl::Status CpuProgram::WriteOutputGradient(absl::Span<const uint8_t> bytes) {
  const ValueId value = training_.layout->schedule.GradientOf(graph_.output);
  if (value == kNoValue || graph_.loss != kNoTensor) {
    return absl::FailedPreconditionError(
        "the gradient of the output comes from the loss");
  }
  const TensorRef& to = training_.values[value];
  const absl::Status status =
      CheckExamples(bytes, to.Bytes(1), options_.max_batch);
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
  absl::Status status = CheckKept(options_, /*after_a_pass=*/true);
  if (status.ok()) status = CheckReady(batch, /*trains=*/true);
  if (!status.ok()) return status;
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
  const std::vector<uint8_t> copy =
      ReadCopy(bytes, bound.kept.type, bound.read.type);
  std::memcpy(bound.read.data, copy.data(), copy.size());
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

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadSlot(ParameterId id,
                                                          int slot) {
  if (absl::Status status = CheckSlot(options_, slot); !status.ok())
    return status;
  return CopyOut(parameters_[id].slots[slot], 1);
}

absl::Status CpuProgram::WriteSlot(ParameterId id, int slot,
                                   absl::Span<const uint8_t> bytes) {
  if (absl::Status status = CheckSlot(options_, slot); !status.ok())
    return status;
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
