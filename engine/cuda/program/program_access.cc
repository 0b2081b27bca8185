// A program's tensors and parameters in and out.
#include "absl/strings/str_cat.h"
#include "engine/cuda/program/program.h"
#include "engine/graph/pass_check.h"
#include "engine/graph/read_copy.h"
#include "engine/graph/update_rule.h"

namespace repro16::cuda {

absl::StatusOr<std::vector<uint8_t>> CudaProgram::Read(const TensorRef& from,
                                                       int64_t count) {
  std::vector<uint8_t> bytes(static_cast<size_t>(from.Bytes(count)));
  if (bytes.empty()) return bytes;
  const absl::Status status = runtime_->CopyOut(
      bytes.data(), from.data, static_cast<int64_t>(bytes.size()));
  if (!status.ok()) return status;
  return bytes;
}

absl::Status CudaProgram::Write(absl::Span<const uint8_t> bytes,
                                const TensorRef& to) {
  const absl::Status status = CheckWholeTensor(bytes, to.Bytes(1));
  if (!status.ok() || bytes.empty()) return status;
  return runtime_->CopyIn(to.data, bytes.data(),
                          static_cast<int64_t>(bytes.size()));
}

absl::Status CudaProgram::WriteInput(absl::Span<const uint8_t> bytes) {
  const absl::Status status =
      CheckExamples(bytes, evaluation_.bound.values[graph_.input].Bytes(1),
                    options_.max_batch);
  if (status.ok()) input_.assign(bytes.begin(), bytes.end());
  return status;
}

absl::StatusOr<std::vector<uint8_t>> CudaProgram::ReadTensor(TensorId id,
                                                             int64_t batch) {
  absl::Status status = CheckKept(options_, last_pass_ != nullptr);
  if (status.ok()) status = CheckPass(options_, batch, /*trains=*/false);
  if (!status.ok()) return status;
  return Read(last_pass_->bound.values[id], batch);
}

absl::Status CudaProgram::WriteOutputGradient(absl::Span<const uint8_t> bytes) {
  const ValueId value = training_.layout().schedule.GradientOf(graph_.output);
  if (value == kNoValue || graph_.loss != kNoTensor) {
    return absl::FailedPreconditionError(
        "the gradient of the output comes from the loss");
  }
  const TensorRef& to = training_.bound.values[value];
  const absl::Status status =
      CheckExamples(bytes, to.Bytes(1), options_.max_batch);
  if (!status.ok()) return status;
  return runtime_->CopyIn(to.data, bytes.data(),
                          static_cast<int64_t>(bytes.size()));
}

absl::StatusOr<std::vector<uint8_t>> CudaProgram::ReadGradient(TensorId id,
                                                               int64_t batch) {
  const ValueId value = training_.layout().schedule.GradientOf(id);
  if (value == kNoValue) {
    return absl::NotFoundError(
        absl::StrCat(graph_.tensors[id].name, " has no gradient"));
  }
  absl::Status status = CheckKept(options_, /*after_a_pass=*/true);
  if (status.ok()) status = CheckPass(options_, batch, /*trains=*/true);
  if (!status.ok()) return status;
  return Read(training_.bound.values[value], batch);
}

DType CudaProgram::ParameterType(ParameterId id) const {
  return parameters_[id].kept.type;
}

absl::Status CudaProgram::WriteParameter(ParameterId id,
                                         absl::Span<const uint8_t> bytes) {
  const BoundParameter& bound = parameters_[id];
  const absl::Status status = Write(bytes, bound.kept);
  if (!status.ok() || bound.read.data == bound.kept.data) return status;
  return Write(ReadCopy(bytes, bound.kept.type, bound.read.type), bound.read);
}

absl::StatusOr<std::vector<uint8_t>> CudaProgram::ReadParameter(
    ParameterId id) {
  return Read(parameters_[id].kept, 1);
}

absl::StatusOr<std::vector<uint8_t>> CudaProgram::ReadParameterGradient(
    ParameterId id) {
  return Read(parameters_[id].gradient, 1);
}

int CudaProgram::num_slots() const {
  return options_.optimizer.has_value() ? NumSlots(*options_.optimizer) : 0;
}

absl::StatusOr<std::vector<uint8_t>> CudaProgram::ReadSlot(ParameterId id,
                                                           int slot) {
  const absl::Status status = CheckSlot(options_, slot);
  if (!status.ok()) return status;
  return Read(parameters_[id].slots[slot], 1);
}

absl::Status CudaProgram::WriteSlot(ParameterId id, int slot,
                                    absl::Span<const uint8_t> bytes) {
  const absl::Status status = CheckSlot(options_, slot);
  return status.ok() ? Write(bytes, parameters_[id].slots[slot]) : status;
}

absl::StatusOr<UpdateState> CudaProgram::ReadUpdateState() {
  UpdateState state;
  const absl::Status status =
      runtime_->CopyOut(&state, &state_->update, sizeof(state));
  if (!status.ok()) return status;
  return state;
}

absl::Status CudaProgram::WriteUpdateState(const UpdateState& state) {
  absl::StatusOr<UpdateState> kept = ReadUpdateState();
  if (!kept.ok()) return kept.status();
  kept->updates = state.updates;
  if (policy_.dynamic_loss_scale) {
    kept->loss_scale = state.loss_scale;
    kept->good_steps = state.good_steps;
  }
  return runtime_->CopyIn(&state_->update, &*kept, sizeof(*kept));
}

}  // namespace repro16::cuda
