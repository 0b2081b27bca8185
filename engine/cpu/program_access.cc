// A program's tensors and parameters in and out.
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/cpu/optimizer.h"
#include "engine/cpu/program.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {
namespace {

absl::Status CopyIn(absl::Span<const uint8_t> bytes, const TensorRef& to,
                    int64_t capacity) {
  if (static_cast<int64_t>(bytes.size()) > to.Bytes(capacity)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "tensor of ", to.Bytes(capacity), " bytes cannot take ", bytes.size()));
  }
  std::memcpy(to.data, bytes.data(), bytes.size());
  return absl::OkStatus();
}

std::vector<uint8_t> CopyOut(const TensorRef& from, int64_t count) {
  const auto* begin = static_cast<const uint8_t*>(from.data);
  return std::vector<uint8_t>(begin, begin + from.Bytes(count));
}

}  // namespace

absl::Status CpuProgram::WriteTensor(TensorId id,
                                     absl::Span<const uint8_t> bytes) {
  // Either pass may follow.
  for (const Bound* bound : {&training_, &evaluation_}) {
    if (bound->values.empty()) continue;
    if (absl::Status status =
            CopyIn(bytes, bound->values[id], options_.max_batch);
        !status.ok()) {
      return status;
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadTensor(TensorId id,
                                                            int64_t batch) {
  if (!options_.keep_all_tensors || last_pass_ == nullptr ||
      batch > options_.max_batch) {
    return absl::FailedPreconditionError(
        "tensors can be read after a pass of a program compiled with "
        "keep_all_tensors, up to its max_batch");
  }
  return CopyOut(last_pass_->values[id], batch);
}

absl::Status CpuProgram::WriteGradient(TensorId id,
                                       absl::Span<const uint8_t> bytes) {
  const ValueId value = training_.schedule.GradientOf(id);
  if (value == kNoValue) {
    return absl::NotFoundError(
        absl::StrCat(graph_.tensors[id].name, " has no gradient"));
  }
  return CopyIn(bytes, training_.values[value], options_.max_batch);
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadGradient(TensorId id,
                                                              int64_t batch) {
  const ValueId value = training_.schedule.GradientOf(id);
  if (value == kNoValue) {
    return absl::NotFoundError(
        absl::StrCat(graph_.tensors[id].name, " has no gradient"));
  }
  return CopyOut(training_.values[value], batch);
}

DType CpuProgram::ParameterType(ParameterId id) const {
  return parameters_[id].type;
}

absl::Status CpuProgram::WriteParameter(ParameterId id,
                                        absl::Span<const uint8_t> bytes) {
  if (absl::Status status = CopyIn(bytes, parameters_[id], 1); !status.ok()) {
    return status;
  }
  if (!HasCopy(static_cast<size_t>(id))) return absl::OkStatus();
  // Only MP keeps two copies: the master is f32.
  const auto* master = static_cast<const float*>(parameters_[id].data);
  const TensorRef& read = read_parameters_[id];
  for (int64_t i = 0; i < read.elements; ++i) {
    StoreAsType(
        master[i], read.type,
        static_cast<uint8_t*>(read.data) + read.Bytes(1) / read.elements * i);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadParameter(ParameterId id) {
  return CopyOut(parameters_[id], 1);
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadParameterGradient(
    ParameterId id) {
  return CopyOut(gradients_[id], 1);
}

int CpuProgram::num_slots() const {
  return options_.optimizer.has_value() ? NumSlots(*options_.optimizer) : 0;
}

absl::StatusOr<std::vector<uint8_t>> CpuProgram::ReadSlot(ParameterId id,
                                                          int slot) {
  return CopyOut(slots_[slot][id], 1);
}

absl::Status CpuProgram::WriteSlot(ParameterId id, int slot,
                                   absl::Span<const uint8_t> bytes) {
  return CopyIn(bytes, slots_[slot][id], 1);
}

UpdateState CpuProgram::update_state() const { return state_; }

void CpuProgram::SetUpdateState(const UpdateState& state) {
  state_.updates = state.updates;
  if (!policy_.dynamic_loss_scale) return;
  state_.loss_scale = state.loss_scale;
  state_.good_steps = state.good_steps;
}

}  // namespace repro16
