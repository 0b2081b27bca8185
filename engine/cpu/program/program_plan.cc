// Where a program's tensors lie: all memory is laid out when it is compiled.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/cpu/program/program.h"
#include "engine/graph/memory_plan.h"
#include "engine/graph/update_rule.h"

namespace repro16 {
namespace {

// Memory for all of them, one after another; sets each one's `data`.
AlignedBuffer Place(std::vector<TensorRef>& refs) {
  int64_t bytes = 0;
  std::vector<int64_t> offsets;
  for (const TensorRef& ref : refs) {
    offsets.push_back(bytes);
    bytes += AlignedBytes(ref.Bytes(1));
  }
  AlignedBuffer buffer(bytes);
  for (size_t i = 0; i < refs.size(); ++i) {
    refs[i].data = buffer.data() + offsets[i];
  }
  return buffer;
}

// For each value, the one whose memory it takes over, through all takeovers. A
// value comes after the one that it takes over from.
std::vector<size_t> Owners(const std::vector<Value>& values) {
  std::vector<size_t> owners;
  for (const Value& value : values) {
    owners.push_back(value.shares == kNoValue
                         ? owners.size()
                         : owners[static_cast<size_t>(value.shares)]);
  }
  return owners;
}

}  // namespace

DType CpuProgram::TypeOf(TensorId id) const {
  return id == graph_.loss ? DType::kF32 : policy_.activation;
}

void CpuProgram::PlaceParameters() {
  const size_t count = graph_.parameters.size();
  const bool trains =
      options_.optimizer.has_value() || options_.keep_all_tensors;
  parameter_counters_.resize(count);
  gradient_counters_.resize(count);
  std::vector<TensorRef> copies;
  for (size_t i = 0; i < count; ++i) {
    const Parameter& parameter = graph_.parameters[i];
    const int64_t elements = parameter.shape.NumElements();
    const int64_t trained = parameter.trainable() ? elements : 0;
    const bool weight = parameter.role == ParameterRole::kWeight;
    const auto type = [&](DType of_weights) {
      return weight ? of_weights : policy_.batch_norm;
    };
    parameters_.push_back(
        {nullptr, type(policy_.parameter), elements, &parameter_counters_[i]});
    copies.push_back(
        {nullptr, policy_.activation,
         weight && policy_.parameter != policy_.activation ? elements : 0,
         &parameter_counters_[i]});
    gradients_.push_back({nullptr, type(policy_.weight_gradient), trained,
                          &gradient_counters_[i]});
    for (auto& slots : slots_) {
      slots.push_back({nullptr, type(policy_.update), trained, nullptr});
    }
    for (int64_t begin = 0; begin < trained; begin += kElementsPerTask) {
      update_tasks_.push_back({static_cast<ParameterId>(i), begin,
                               std::min(kElementsPerTask, trained - begin)});
    }
  }
  task_counters_.resize(update_tasks_.size());
  parameter_memory_ = Place(parameters_);
  read_parameter_memory_ = Place(copies);
  for (size_t i = 0; i < count; ++i) {
    read_parameters_.push_back(copies[i].elements > 0 ? copies[i]
                                                      : parameters_[i]);
  }
  memory_.parameters =
      parameter_memory_.bytes() + read_parameter_memory_.bytes();
  if (!trains) return;
  gradient_memory_ = Place(gradients_);
  memory_.gradients = gradient_memory_.bytes();
  if (!options_.optimizer.has_value()) return;

  // Both slots' tensors in one stretch of memory.
  std::vector<TensorRef> slots;
  const int num_slots = NumSlots(*options_.optimizer);
  for (int s = 0; s < num_slots; ++s) {
    slots.insert(slots.end(), slots_[s].begin(), slots_[s].end());
  }
  slot_memory_ = Place(slots);
  memory_.slots = slot_memory_.bytes();
  for (int s = 0; s < num_slots; ++s) {
    std::copy_n(slots.begin() + static_cast<ptrdiff_t>(count) * s, count,
                slots_[s].begin());
  }
}

void CpuProgram::PlaceTensors() {
  const bool trains =
      options_.optimizer.has_value() || options_.keep_all_tensors;
  if (trains)
    training_.schedule = TrainingSchedule(graph_, {options_.input_gradient});
  evaluation_.schedule = EvaluationSchedule(graph_);

  int64_t arena_bytes = 0;
  std::vector<std::vector<int64_t>> offsets;
  for (const Bound* bound : {&training_, &evaluation_}) {
    std::vector<MemoryRequest> requests;
    const std::vector<size_t> owners = Owners(bound->schedule.values);
    for (size_t v = 0; v < owners.size(); ++v) {
      const Value& value = bound->schedule.values[v];
      const int64_t bytes = graph_.tensors[value.tensor].shape.NumElements() *
                            options_.max_batch *
                            static_cast<int64_t>(SizeOf(TypeOf(value.tensor)));
      if (options_.keep_all_tensors) {
        requests.push_back(
            {bytes, 0, static_cast<int>(bound->schedule.steps.size())});
        continue;
      }
      const bool own = owners[v] == v && value.first_step >= 0;
      requests.push_back({own ? bytes : 0, value.first_step, value.last_step});
      if (owners[v] != v) {
        int& last = requests[owners[v]].last_step;
        last = std::max(last, value.last_step);
      }
    }
    MemoryPlan plan = PlanMemory(requests);
    if (!options_.keep_all_tensors) {
      for (size_t v = 0; v < owners.size(); ++v) {
        plan.offsets[v] = plan.offsets[owners[v]];
      }
    }
    arena_bytes = std::max(arena_bytes, plan.arena_bytes);
    offsets.push_back(std::move(plan.offsets));
  }
  arena_ = AlignedBuffer(arena_bytes);
  memory_.arena = arena_bytes;
  Bind(training_, offsets[0]);
  Bind(evaluation_, offsets[1]);
}

void CpuProgram::Bind(Bound& bound, const std::vector<int64_t>& offsets) {
  bound.value_counters.resize(bound.schedule.values.size());
  bound.sum_counters.resize(bound.schedule.steps.size());
  for (size_t v = 0; v < bound.schedule.values.size(); ++v) {
    const TensorId tensor = bound.schedule.values[v].tensor;
    bound.values.push_back({arena_.data() + offsets[v], TypeOf(tensor),
                            graph_.tensors[tensor].shape.NumElements(),
                            &bound.value_counters[v]});
  }
  for (const Step& step : bound.schedule.steps) {
    bound.buffers.push_back(BuffersOf(bound, step));
  }
  ListStores(bound);
}

OpBuffers CpuProgram::BuffersOf(const Bound& bound, const Step& step) const {
  const auto value = [&](ValueId id, bool wanted = true) {
    TensorRef ref = id == kNoValue ? TensorRef{} : bound.values[id];
    // What a pass does not read may be another tensor by then.
    if (!wanted) ref.data = nullptr;
    return ref;
  };
  const OpTraits& traits = TraitsOf(graph_.ops[step.op].kind);
  const bool backward = step.kind == StepKind::kBackward;
  OpBuffers buffers;
  if (&bound == &training_) buffers.saved = saved_of_[step.op];
  for (ValueId id : step.inputs) {
    buffers.inputs.push_back(
        value(id, !backward || traits.backward_reads_inputs));
  }
  buffers.output =
      value(step.output, !backward || traits.backward_reads_output);
  buffers.output_gradient = value(step.output_gradient);
  for (ValueId id : step.input_gradients) {
    buffers.input_gradients.push_back(value(id));
  }
  for (ParameterId id : graph_.ops[step.op].parameters) {
    buffers.parameters.push_back(read_parameters_[id]);
    buffers.parameter_gradients.push_back(gradients_[id]);
  }
  return buffers;
}

void CpuProgram::ListStores(Bound& bound) const {
  const auto add = [&](RoundingTotals::Kind kind, ValueId id,
                       const StoreCounter* counter) {
    if (id == kNoValue) return;
    const TensorId tensor = bound.schedule.values[id].tensor;
    // Where an activation is fused, the values that are rounded are those of
    // the operation before it; the gradients are those of the activation.
    bound.stores.push_back(
        {kind, counter, bound.values[id].elements,
         /*per_example=*/true,
         kind == RoundingTotals::kActivations
             ? WriterOf(tensor)
             : absl::StrCat("gradient of ", graph_.tensors[tensor].name)});
  };
  for (size_t i = 0; i < bound.schedule.steps.size(); ++i) {
    const Step& step = bound.schedule.steps[i];
    const Op& op = graph_.ops[step.op];
    if (step.kind == StepKind::kForward && !TraitsOf(op.kind).forward_moves) {
      add(RoundingTotals::kActivations, step.output,
          &bound.value_counters[step.output]);
    } else if (step.kind == StepKind::kAccumulate) {
      add(RoundingTotals::kActivationGradients, step.input_gradients[0],
          &bound.sum_counters[i]);
    } else if (step.kind == StepKind::kBackward) {
      for (ParameterId id : op.parameters) {
        if (!graph_.parameters[id].trainable()) continue;
        bound.stores.push_back({RoundingTotals::kWeightGradients,
                                &gradient_counters_[id],
                                gradients_[id].elements, /*per_example=*/false,
                                graph_.parameters[id].name + " gradient"});
      }
      if (TraitsOf(op.kind).backward_moves) continue;
      for (ValueId id : step.input_gradients) {
        add(RoundingTotals::kActivationGradients, id,
            id == kNoValue ? nullptr : &bound.value_counters[id]);
      }
    }
  }
}

const std::string& CpuProgram::WriterOf(TensorId tensor) const {
  for (const Op& op : graph_.ops) {
    if (op.output == tensor) return op.name;
  }
  return graph_.tensors[tensor].name;
}

void CpuProgram::PlaceSaved() {
  int64_t bytes = 0;
  std::vector<int64_t> offsets;
  for (const auto& kernel : kernels_) {
    offsets.push_back(bytes);
    bytes += AlignedBytes(kernel->SavedBytes(options_.max_batch));
  }
  saved_ = AlignedBuffer(bytes);
  memory_.workspace += bytes;
  for (int64_t offset : offsets) saved_of_.push_back(saved_.data() + offset);
}

void CpuProgram::PlaceScratch() {
  int64_t workspace = 0;
  for (const auto& kernel : kernels_) {
    workspace = std::max(workspace, kernel->WorkspaceBytes(options_.max_batch));
  }
  workspace_ = AlignedBuffer(workspace);
  memory_.workspace += workspace;
  input_table_ =
      AlignedBuffer(256 * static_cast<int64_t>(SizeOf(policy_.activation)));
  labels_.resize(static_cast<size_t>(options_.max_batch));
}

}  // namespace repro16
