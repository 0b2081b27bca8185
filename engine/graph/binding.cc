#include "engine/graph/binding.h"

#include "engine/graph/schedule.h"

namespace repro16 {
namespace {

TensorRef BindParameter(const Placed& placed, uint8_t* block) {
  if (placed.elements == 0) return {nullptr, placed.type, 0, nullptr};
  return {block + placed.offset, placed.type, placed.elements, nullptr};
}

class PassBinder {
 public:
  PassBinder(const Graph& graph, const std::vector<BoundParameter>& parameters,
             const BindOptions& options, BoundPass& pass)
      : graph_(graph),
        parameters_(parameters),
        options_(options),
        pass_(pass) {}

  void Run() {
    const PassLayout& layout = *pass_.layout;
    for (size_t v = 0; v < layout.values.size(); ++v) {
      const Placed& placed = layout.values[v];
      pass_.values.push_back(
          {options_.arena + placed.offset, placed.type, placed.elements,
           Counter(layout.CounterOfValue(static_cast<ValueId>(v)))});
    }
    for (size_t i = 0; i < layout.schedule.steps.size(); ++i) {
      const Step& step = layout.schedule.steps[i];
      pass_.buffers.push_back(BuffersOf(step));
      if (step.kind != StepKind::kAccumulate) continue;
      pass_.buffers.back().input_gradients[0].counter =
          Counter(layout.CounterOfSum(static_cast<int>(i)));
      if (options_.adds_to_gradient) AddWhereComputed(i);
    }
  }

 private:
  StoreCounter* Counter(int index) const { return pass_.counters + index; }

  // Lets the operation that computes a contribution add it, where it can, in
  // place of the accumulation at `step`.
  void AddWhereComputed(size_t step) {
    const std::vector<Step>& steps = pass_.layout->schedule.steps;
    const Step& before = steps[step - 1];
    const ValueId sum = steps[step].input_gradients[0];
    if (before.kind != StepKind::kBackward || before.output_gradient == sum ||
        before.input_gradients.size() != 1 ||
        before.input_gradients[0] != steps[step].output_gradient ||
        !options_.adds_to_gradient(before.op)) {
      return;
    }
    TensorRef& to = pass_.buffers[step].input_gradients[0];
    pass_.buffers[step - 1].input_gradients[0].data = to.data;
    pass_.buffers[step - 1].sum_counter = to.counter;
    to.data = nullptr;
  }

  TensorRef ValueOf(ValueId id, bool wanted = true) const {
    TensorRef ref =
        id == kNoValue ? TensorRef{} : pass_.values[static_cast<size_t>(id)];
    // What a pass does not read may be another tensor by then.
    if (!wanted) ref.data = nullptr;
    return ref;
  }

  TensorRef Counted(TensorRef ref, int counter) const {
    ref.counter = Counter(counter);
    return ref;
  }

  OpBuffers BuffersOf(const Step& step) const {
    const Op& op = graph_.ops[step.op];
    const OpTraits& traits = TraitsOf(op.kind);
    const bool backward = step.kind == StepKind::kBackward;
    OpBuffers buffers;
    if (!options_.saved.empty()) {
      buffers.saved = options_.saved[static_cast<size_t>(step.op)];
    }
    for (ValueId id : step.inputs) {
      buffers.inputs.push_back(
          ValueOf(id, !backward || traits.backward_reads_inputs));
    }
    buffers.output =
        ValueOf(step.output, !backward || traits.backward_reads_output);
    buffers.output_gradient = ValueOf(step.output_gradient);
    for (ValueId id : step.input_gradients) {
      buffers.input_gradients.push_back(ValueOf(id));
    }
    for (ParameterId id : op.parameters) {
      const BoundParameter& bound = parameters_[id];
      buffers.parameters.push_back(
          Counted(bound.read, pass_.layout->CounterOfParameter(id)));
      buffers.parameter_gradients.push_back(
          Counted(bound.gradient, pass_.layout->CounterOfGradient(id)));
    }
    return buffers;
  }

  const Graph& graph_;
  const std::vector<BoundParameter>& parameters_;
  const BindOptions& options_;
  BoundPass& pass_;
};

}  // namespace

std::vector<BoundParameter> BindParameters(const ProgramLayout& layout,
                                           const ProgramBlocks& blocks) {
  std::vector<BoundParameter> parameters;
  for (const ParameterLayout& placed : layout.parameters) {
    BoundParameter bound;
    bound.kept = BindParameter(placed.kept, blocks.kept);
    bound.read = placed.has_copy() ? BindParameter(placed.copy, blocks.copies)
                                   : bound.kept;
    bound.gradient = BindParameter(placed.gradient, blocks.gradients);
    for (size_t s = 0; s < placed.slots.size(); ++s) {
      bound.slots[s] = BindParameter(placed.slots[s], blocks.slots);
    }
    parameters.push_back(bound);
  }
  return parameters;
}

BoundPass BindPass(const Graph& graph, const PassLayout& layout,
                   const std::vector<BoundParameter>& parameters,
                   const BindOptions& options) {
  BoundPass pass;
  pass.layout = &layout;
  pass.counters = options.counters;
  PassBinder(graph, parameters, options, pass).Run();
  return pass;
}

}  // namespace repro16
