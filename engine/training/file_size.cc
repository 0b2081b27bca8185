#include "engine/training/file_size.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "engine/graph/storage_type.h"
#include "engine/graph/update_rule.h"
#include "engine/numerics/policy.h"
#include "engine/run/checkpoint.pb.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/round_up.h"
#include "engine/training/warnings.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace repro16 {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

// Of a field's number, and of its length in a message below 2 GiB.
constexpr int64_t kFieldBytes = 1 + 5;

// Gives a field that is not repeated its longest value, `text` where it is one.
void SetLongest(const FieldDescriptor& field, const std::string& text,
                Message& message) {
  const google::protobuf::Reflection& to = *message.GetReflection();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT64:
      to.SetInt64(&message, &field, -1);
      break;
    case FieldDescriptor::CPPTYPE_UINT64:
      to.SetUInt64(&message, &field, ~uint64_t{0});
      break;
    case FieldDescriptor::CPPTYPE_FLOAT:
      to.SetFloat(&message, &field, 1);
      break;
    case FieldDescriptor::CPPTYPE_DOUBLE:
      to.SetDouble(&message, &field, 1);
      break;
    case FieldDescriptor::CPPTYPE_BOOL:
      to.SetBool(&message, &field, true);
      break;
    case FieldDescriptor::CPPTYPE_STRING:
      to.SetString(&message, &field, text);
      break;
    default:  // of no field of a run's state
      break;
  }
}

// Every field at its longest; repeated ones stay empty.
template <class M>
M& Longest(const std::string& text, M& message) {
  const google::protobuf::Reflection& of = *message.GetReflection();
  for (int i = 0; i < message.GetDescriptor()->field_count(); ++i) {
    const FieldDescriptor& field = *message.GetDescriptor()->field(i);
    if (field.is_repeated()) continue;
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      Longest(text, *of.MutableMessage(&message, &field));
    } else {
      SetLongest(field, text, message);
    }
  }
  return message;
}

// At least as long as any name of a tensor or parameter in a RunState, and as
// a digest.
std::string LongestText(const Graph& graph) {
  size_t longest = std::string_view("second_moment").size();
  const auto add = [&](const std::string& name) {
    longest = std::max(longest, name.size());
  };
  for (const Op& op : graph.ops) add(op.name);
  for (const Tensor& tensor : graph.tensors) add(tensor.name);
  for (const Parameter& parameter : graph.parameters) add(parameter.name);
  constexpr size_t kDigest = 64;
  longest += std::string_view("gradient of ").size();
  return std::string(std::max(longest, kDigest), 'x');
}

// What one training step adds.
int64_t StepBytes(bool dynamic_loss_scale) {
  RunResult result;
  Longest("", *result.add_steps());
  if (dynamic_loss_scale) Longest("", *result.add_loss_scale_history());
  return static_cast<int64_t>(result.ByteSizeLong());
}

int64_t EpochBytes() {
  RunResult result;
  Longest("", *result.add_epochs());
  return static_cast<int64_t>(result.ByteSizeLong());
}

// What one epoch adds to the diagnosis.
int64_t DiagnosisBytes(const Graph& graph, int num_slots,
                       const std::string& text) {
  // The values that operations write, the gradients that they hand to what they
  // read and the sums of these, parameters and their gradients.
  size_t tensors = graph.ops.size() + 2 * graph.parameters.size();
  for (const Op& op : graph.ops) tensors += 2 * op.inputs.size();
  Diagnosis diagnosis;
  EpochDiagnosis& epoch = Longest(text, *diagnosis.add_epochs());
  for (size_t i = 0; i < tensors; ++i) Longest(text, *epoch.add_tensors());
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    ParameterDiagnosis& parameter = Longest(text, *epoch.add_parameters());
    for (int s = 0; s < num_slots; ++s) Longest(text, *parameter.add_slots());
  }
  return static_cast<int64_t>(diagnosis.ByteSizeLong());
}

// What warnings add to a result: all those before training, and the one after.
int64_t WarningBytes(const RunSpec& spec, const PrecisionPolicy& policy,
                     const Graph& graph, int64_t train_examples) {
  RunResult result;
  for (std::string& warning :
       WarningsBeforeTraining(spec, policy, graph, train_examples)) {
    result.add_warnings(std::move(warning));
  }
  if (policy.dynamic_loss_scale) {
    RunResult skipped;
    skipped.add_steps()->set_skipped(true);
    skipped.add_loss_scale_history()->set_loss_scale(1);
    // Its two numbers of steps may be longer.
    constexpr size_t kDigits = 2 * std::numeric_limits<int64_t>::digits10;
    result.add_warnings(*LossScaleWarning(skipped) + std::string(kDigits, '0'));
  }
  return static_cast<int64_t>(result.ByteSizeLong());
}

}  // namespace

int64_t MostStateBytes(const RunSpec& spec, const Graph& graph,
                       int64_t train_examples, bool diagnose) {
  const std::string text = LongestText(graph);
  RunState once;
  Longest(text, once);
  *once.mutable_result()->mutable_spec() = spec;
  const auto policy = FindPolicy(spec.policy());
  const int64_t steps = CeilDiv(train_examples, spec.batch_size());
  const int64_t epoch =
      EpochBytes() +
      steps * StepBytes(!policy.ok() || policy->dynamic_loss_scale) +
      (diagnose ? DiagnosisBytes(graph, NumSlots(spec.optimizer()), text) : 0);
  // Lengths of messages in messages.
  return static_cast<int64_t>(once.ByteSizeLong()) + 2 * kFieldBytes +
         (policy.ok() ? WarningBytes(spec, *policy, graph, train_examples)
                      : 0) +
         spec.epochs() * epoch;
}

int64_t MostCheckpointBytes(const RunSpec& spec, const Graph& graph,
                            const PrecisionPolicy& policy,
                            int64_t state_bytes) {
  Checkpoint once;
  Longest(LongestText(graph), once);
  once.clear_run();
  const int num_slots = NumSlots(spec.optimizer());
  int64_t values = 0;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const Parameter& parameter = graph.parameters[i];
    const DType type = StorageType(policy, parameter.role, ParameterUse::kKept);
    ParameterState& state = *once.add_parameters();
    state.set_name(parameter.name);
    for (int64_t dim : parameter.shape.dims()) state.add_shape(dim);
    state.set_type(std::string(Name(type)));
    const int64_t bytes =
        parameter.shape.NumElements() * static_cast<int64_t>(SizeOf(type));
    const int slots = parameter.trainable() ? num_slots : 0;
    values += (1 + slots) * bytes + (2 + num_slots) * kFieldBytes;
  }
  return static_cast<int64_t>(once.ByteSizeLong()) + values + kFieldBytes +
         state_bytes;
}

}  // namespace repro16
