#include "engine/training/checkpoint.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/io/proto_file.h"
#include "engine/numerics/version.h"
#include "engine/training/graph_digest.h"
#include "google/protobuf/util/message_differencer.h"

namespace repro16 {
namespace {

constexpr std::string_view kCure =
    "start anew with another --checkpoint, or undo the change";

std::string AsString(const std::vector<uint8_t>& bytes) {
  return std::string(bytes.begin(), bytes.end());
}

absl::Span<const uint8_t> AsBytes(const std::string& bytes) {
  return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
}

// "modified: epochs: 2 -> 3", of the first field that differs; "" if none does.
// Backends give the same bits: a run that one of them has begun another may
// end.
std::string FirstDifference(const RunSpec& before, const RunSpec& now) {
  google::protobuf::util::MessageDifferencer differencer;
  std::string differences;
  differencer.ReportDifferencesToString(&differences);
  differencer.set_report_ignores(false);
  differencer.IgnoreField(
      RunSpec::descriptor()->FindFieldByNumber(RunSpec::kBackendFieldNumber));
  if (differencer.Compare(before, now)) return "";
  return differences.substr(0, differences.find('\n'));
}

// What makes a checkpoint foreign to a run; "" if nothing.
std::string Foreign(const Checkpoint& checkpoint, const RunSpec& spec,
                    const std::string& data_digest, const Graph& graph) {
  const RunResult& result = checkpoint.run().result();
  if (const std::string difference = FirstDifference(result.spec(), spec);
      !difference.empty()) {
    return absl::StrCat("another specification (", difference, ")");
  }
  if (result.numerics_version() != kNumericsVersion) {
    return absl::StrCat("numerics version ", result.numerics_version(),
                        ", while this program is of version ",
                        kNumericsVersion);
  }
  if (result.data_digest() != data_digest) {
    return absl::StrCat("other data (SHA-256 ", result.data_digest(),
                        ", now it is ", data_digest, ")");
  }
  if (checkpoint.graph_digest() != GraphDigest(graph)) {
    return absl::StrCat("another network that was called ", spec.model());
  }
  return "";
}

// The state of one parameter has the form that the program wants.
absl::Status CheckForm(const ParameterState& state, const Parameter& parameter,
                       DType type, int num_slots) {
  const auto bytes =
      static_cast<size_t>(parameter.shape.NumElements()) * SizeOf(type);
  const Shape shape(
      std::vector<int64_t>(state.shape().begin(), state.shape().end()));
  bool fits = state.name() == parameter.name && shape == parameter.shape &&
              state.type() == Name(type) && state.value().size() == bytes &&
              state.slots_size() == num_slots;
  for (const std::string& slot : state.slots()) {
    fits = fits && slot.size() == (parameter.trainable() ? bytes : 0);
  }
  if (fits) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the checkpoint's ", state.type(), " parameter ", state.name(), " ",
      shape.ToString(), " with ", state.slots_size(), " slots is not this ",
      "network's ", Name(type), " ", parameter.name, " ",
      parameter.shape.ToString(), " with ", num_slots, "; ", kCure));
}

}  // namespace

absl::StatusOr<Checkpoint> MakeCheckpoint(const RunState& run,
                                          const Graph& graph,
                                          Program& program) {
  Checkpoint checkpoint;
  *checkpoint.mutable_run() = run;
  checkpoint.set_graph_digest(GraphDigest(graph));
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const Parameter& parameter = graph.parameters[i];
    ParameterState& state = *checkpoint.add_parameters();
    state.set_name(parameter.name);
    for (int64_t dim : parameter.shape.dims()) state.add_shape(dim);
    state.set_type(std::string(Name(program.ParameterType(id))));
    auto value = program.ReadParameter(id);
    if (!value.ok()) return value.status();
    state.set_value(AsString(*value));
    for (int slot = 0; slot < program.num_slots(); ++slot) {
      auto bytes = program.ReadSlot(id, slot);
      if (!bytes.ok()) return bytes.status();
      state.add_slots(AsString(*bytes));
    }
  }
  const auto update = program.ReadUpdateState();
  if (!update.ok()) return update.status();
  checkpoint.set_updates(update->updates);
  checkpoint.set_loss_scale(update->loss_scale);
  checkpoint.set_good_steps(update->good_steps);
  return checkpoint;
}

absl::Status RestoreProgram(const Checkpoint& checkpoint, const Graph& graph,
                            Program& program) {
  if (checkpoint.parameters_size() !=
      static_cast<int>(graph.parameters.size())) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the checkpoint has ", checkpoint.parameters_size(),
        " parameters, this network ", graph.parameters.size(), "; ", kCure));
  }
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const ParameterState& state = checkpoint.parameters(static_cast<int>(i));
    absl::Status status =
        CheckForm(state, graph.parameters[i], program.ParameterType(id),
                  program.num_slots());
    if (!status.ok()) return status;
    status = program.WriteParameter(id, AsBytes(state.value()));
    if (!status.ok()) return status;
    for (int slot = 0; slot < state.slots_size(); ++slot) {
      status = program.WriteSlot(id, slot, AsBytes(state.slots(slot)));
      if (!status.ok()) return status;
    }
  }
  return program.WriteUpdateState(
      {checkpoint.updates(), checkpoint.loss_scale(), checkpoint.good_steps()});
}

absl::Status WriteCheckpoint(const std::string& path,
                             const Checkpoint& checkpoint) {
  return WriteBinaryProto(path, checkpoint);
}

absl::StatusOr<Checkpoint> ReadCheckpoint(const std::string& path,
                                          const RunSpec& spec,
                                          const std::string& data_digest,
                                          const Graph& graph) {
  Checkpoint checkpoint;
  const absl::Status status = ReadBinaryProto(path, &checkpoint);
  if (absl::IsDataLoss(status)) {
    return absl::DataLossError(
        absl::StrCat(path,
                     ": damaged, or not a checkpoint: its checksum does not "
                     "fit; remove it to start anew"));
  }
  if (!status.ok()) return status;
  if (const std::string difference =
          Foreign(checkpoint, spec, data_digest, graph);
      !difference.empty()) {
    return absl::FailedPreconditionError(
        absl::StrCat(path, ": a checkpoint of ", difference, "; ", kCure));
  }
  return checkpoint;
}

}  // namespace repro16
