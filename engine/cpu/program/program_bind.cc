// A program's tensors bound to memory, once, when it is compiled.
#include <algorithm>
#include <utility>

#include "engine/cpu/program/program.h"

namespace repro16 {

CpuProgram::CpuProgram(ProgramPlan plan, const PrecisionPolicy& policy,
                       const CompileOptions& options, ThreadPool* pool)
    : plan_(std::move(plan)),
      graph_(plan_.graph),
      policy_(policy),
      options_(options),
      pool_(pool),
      arena_(plan_.layout.arena_bytes),
      kept_(plan_.layout.kept_bytes),
      copies_(plan_.layout.copy_bytes),
      gradients_(plan_.layout.gradient_bytes),
      slots_(plan_.layout.slot_bytes),
      workspace_(plan_.workspace_bytes),
      saved_(plan_.saved_bytes),
      input_table_(256 * static_cast<int64_t>(SizeOf(policy.activation))),
      training_{&plan_.layout.training, {}, {}, {}},
      evaluation_{&plan_.layout.evaluation, {}, {}, {}},
      examples_(static_cast<size_t>(options.max_batch)),
      labels_(static_cast<size_t>(options.max_batch)),
      state_(InitialUpdateState(policy.dynamic_loss_scale)) {
  if (options_.time_operations) {
    for (const Op& op : graph_.ops) {
      operation_times_.push_back({op.name, op.kind});
    }
  }
  BindParameters();
  BindPass(training_);
  BindPass(evaluation_);
}

void CpuProgram::BindParameters() {
  const auto bind = [](const Placed& placed, AlignedBuffer& block) {
    return placed.elements == 0
               ? TensorRef{nullptr, placed.type, 0, nullptr}
               : TensorRef{block.data() + placed.offset, placed.type,
                           placed.elements, nullptr};
  };
  for (size_t p = 0; p < graph_.parameters.size(); ++p) {
    const ParameterLayout& layout = plan_.layout.parameters[p];
    BoundParameter bound;
    bound.kept = bind(layout.kept, kept_);
    bound.read = layout.has_copy() ? bind(layout.copy, copies_) : bound.kept;
    bound.gradient = bind(layout.gradient, gradients_);
    for (size_t s = 0; s < layout.slots.size(); ++s) {
      bound.slots[s] = bind(layout.slots[s], slots_);
    }
    parameters_.push_back(bound);
    for (int64_t begin = 0; begin < layout.gradient.elements;
         begin += kElementsPerTask) {
      update_tasks_.push_back(
          {static_cast<ParameterId>(p), begin,
           std::min(kElementsPerTask, layout.gradient.elements - begin)});
    }
  }
  task_counters_.resize(update_tasks_.size());
}

void CpuProgram::BindPass(BoundPass& pass) {
  const PassLayout& layout = *pass.layout;
  pass.counters.resize(static_cast<size_t>(layout.num_counters()));
  for (size_t v = 0; v < layout.values.size(); ++v) {
    const Placed& placed = layout.values[v];
    const int counter = layout.CounterOfValue(static_cast<ValueId>(v));
    pass.values.push_back({arena_.data() + placed.offset, placed.type,
                           placed.elements,
                           &pass.counters[static_cast<size_t>(counter)]});
  }
  for (size_t i = 0; i < layout.schedule.steps.size(); ++i) {
    const Step& step = layout.schedule.steps[i];
    pass.buffers.push_back(BuffersOf(pass, step));
    if (step.kind != StepKind::kAccumulate) continue;
    const int counter = layout.CounterOfSum(static_cast<int>(i));
    pass.buffers.back().input_gradients[0].counter =
        &pass.counters[static_cast<size_t>(counter)];
    if (!options_.keep_all_tensors) AddWhereComputed(pass, i);
  }
}

// Lets the kernel that computes a contribution add it, where it can, in place
// of the accumulation at `step`.
void CpuProgram::AddWhereComputed(BoundPass& pass, size_t step) {
  const std::vector<Step>& steps = pass.layout->schedule.steps;
  const Step& before = steps[step - 1];
  const ValueId sum = steps[step].input_gradients[0];
  if (before.kind != StepKind::kBackward || before.output_gradient == sum ||
      before.input_gradients.size() != 1 ||
      before.input_gradients[0] != steps[step].output_gradient ||
      !plan_.kernels[static_cast<size_t>(before.op)]->AddsToGradient()) {
    return;
  }
  TensorRef& to = pass.buffers[step].input_gradients[0];
  pass.buffers[step - 1].input_gradients[0].data = to.data;
  pass.buffers[step - 1].sum_counter = to.counter;
  to.data = nullptr;
}

OpBuffers CpuProgram::BuffersOf(BoundPass& pass, const Step& step) {
  const auto value = [&](ValueId id, bool wanted = true) {
    TensorRef ref =
        id == kNoValue ? TensorRef{} : pass.values[static_cast<size_t>(id)];
    // What a pass does not read may be another tensor by then.
    if (!wanted) ref.data = nullptr;
    return ref;
  };
  const auto counted = [&](TensorRef ref, int counter) {
    ref.counter = &pass.counters[static_cast<size_t>(counter)];
    return ref;
  };
  const OpTraits& traits = TraitsOf(graph_.ops[step.op].kind);
  const bool backward = step.kind == StepKind::kBackward;
  OpBuffers buffers;
  if (&pass == &training_) {
    buffers.saved =
        saved_.data() + plan_.saved_offsets[static_cast<size_t>(step.op)];
  }
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
    const BoundParameter& bound = parameters_[id];
    buffers.parameters.push_back(
        counted(bound.read, pass.layout->CounterOfParameter(id)));
    buffers.parameter_gradients.push_back(
        counted(bound.gradient, pass.layout->CounterOfGradient(id)));
  }
  return buffers;
}

}  // namespace repro16
