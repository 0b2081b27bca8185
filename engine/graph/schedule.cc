#include "engine/graph/schedule.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace repro16 {
namespace {

ValueId NewGradient(Schedule& schedule, TensorId tensor) {
  schedule.values.push_back({tensor, true, -1, -1, kNoValue});
  return static_cast<ValueId>(schedule.values.size() - 1);
}

// Steps and activations of the forward pass.
Schedule Forward(const Graph& graph, bool training) {
  Schedule schedule;
  for (size_t t = 0; t < graph.tensors.size(); ++t) {
    schedule.values.push_back(
        {static_cast<TensorId>(t), false, -1, -1, kNoValue});
  }
  for (size_t i = 0; i < graph.ops.size(); ++i) {
    const Op& op = graph.ops[i];
    if (training && op.kind == OpKind::kSoftmax &&
        op.output == graph.probabilities) {
      continue;
    }
    schedule.steps.push_back({StepKind::kForward,
                              static_cast<OpId>(i),
                              kNoTensor,
                              op.inputs,
                              op.output,
                              kNoValue,
                              {}});
  }
  schedule.first_backward_step = static_cast<int>(schedule.steps.size());
  return schedule;
}

// Which tensors depend on a parameter (or on the input, if its gradient is
// wanted).
std::vector<bool> NeedsGradient(const Graph& graph,
                                const TrainingOptions& options) {
  std::vector<bool> needs(graph.tensors.size(), false);
  needs[graph.input] = options.input_gradient;
  for (const Op& op : graph.ops) {
    bool any = !op.parameters.empty();
    for (TensorId input : op.inputs) any = any || needs[input];
    needs[op.output] = any;
  }
  return needs;
}

class BackwardPass {
 public:
  BackwardPass(const Graph& graph, const TrainingOptions& options,
               Schedule& schedule)
      : graph_(graph),
        needs_(NeedsGradient(graph, options)),
        schedule_(schedule),
        gradient_(graph.tensors.size(), kNoValue) {}

  void Run() {
    const auto forward_steps =
        static_cast<size_t>(schedule_.first_backward_step);
    if (graph_.loss == kNoTensor && needs_[graph_.output]) {
      gradient_[graph_.output] = NewGradient(schedule_, graph_.output);
    }
    for (size_t i = forward_steps; i-- > 0;) Reverse(schedule_.steps[i].op);
  }

 private:
  void Reverse(OpId id) {
    const Op& op = graph_.ops[id];
    const bool is_loss = op.output == graph_.loss;
    if (!needs_[op.output] || (!is_loss && gradient_[op.output] == kNoValue)) {
      return;
    }
    Step step{StepKind::kBackward,  id, kNoTensor, op.inputs, op.output,
              gradient_[op.output], {}};
    std::vector<Step> sums;
    for (TensorId input : op.inputs) {
      if (!needs_[input]) {
        step.input_gradients.push_back(kNoValue);
        continue;
      }
      const ValueId contribution = NewGradient(schedule_, input);
      step.input_gradients.push_back(contribution);
      if (gradient_[input] == kNoValue) {
        gradient_[input] = contribution;
      } else {
        sums.push_back({StepKind::kAccumulate,
                        id,
                        input,
                        {},
                        kNoValue,
                        contribution,
                        {gradient_[input]}});
      }
    }
    schedule_.steps.push_back(step);
    schedule_.steps.insert(schedule_.steps.end(), sums.begin(), sums.end());
  }

  const Graph& graph_;
  const std::vector<bool> needs_;
  Schedule& schedule_;
  std::vector<ValueId> gradient_;  // the sum so far, by tensor
};

// The gradient of an addition is that of its inputs too.
class UncopiedGradients {
 public:
  UncopiedGradients(const Graph& graph, Schedule& schedule)
      : graph_(graph), schedule_(schedule) {}

  void Run() {
    for (size_t i = 0; i < schedule_.steps.size(); ++i) {
      const Step& step = schedule_.steps[i];
      if (step.kind != StepKind::kBackward ||
          graph_.ops[step.op].kind != OpKind::kAdd) {
        continue;
      }
      for (size_t input = 0; input < step.input_gradients.size(); ++input) {
        const ValueId copy = step.input_gradients[input];
        if (copy != kNoValue && CanStandFor(i, step.output_gradient, copy)) {
          Replace(i, copy, step.output_gradient);
        }
      }
    }
  }

 private:
  // Steps after `step` that read a value, and the first that adds to it.
  struct Uses {
    size_t last = 0;
    size_t first_sum = SIZE_MAX;
  };

  Uses UsesAfter(size_t step, ValueId id) const {
    Uses uses;
    for (size_t i = step + 1; i < schedule_.steps.size(); ++i) {
      const Step& s = schedule_.steps[i];
      const bool sum =
          s.kind == StepKind::kAccumulate && s.input_gradients[0] == id;
      if (!sum && s.output_gradient != id) continue;
      uses.last = i;
      if (sum) uses.first_sum = std::min(uses.first_sum, i);
    }
    return uses;
  }

  // Whether after `step` none of the two is read once the other was added to.
  bool CanStandFor(size_t step, ValueId gradient, ValueId copy) const {
    const Uses a = UsesAfter(step, gradient);
    const Uses b = UsesAfter(step, copy);
    return a.last < b.first_sum && b.last < a.first_sum;
  }

  void Replace(size_t step, ValueId copy, ValueId gradient) {
    for (ValueId& id : schedule_.steps[step].input_gradients) {
      if (id == copy) id = kNoValue;
    }
    for (size_t i = step + 1; i < schedule_.steps.size(); ++i) {
      Step& s = schedule_.steps[i];
      if (s.output_gradient == copy) s.output_gradient = gradient;
      if (s.kind == StepKind::kAccumulate && s.input_gradients[0] == copy) {
        s.input_gradients[0] = gradient;
      }
    }
  }

  const Graph& graph_;
  Schedule& schedule_;
};

// Extends the life of `id` to `step`.
void Use(Schedule& schedule, ValueId id, int step) {
  if (id == kNoValue) return;
  Value& value = schedule.values[id];
  if (value.first_step < 0) value.first_step = step;
  value.last_step = std::max(value.last_step, step);
}

// When each value is written and read.
void FindLives(const Graph& graph, Schedule& schedule) {
  Use(schedule, graph.input, 0);
  if (graph.loss == kNoTensor &&
      schedule.first_backward_step < static_cast<int>(schedule.steps.size())) {
    // The caller writes it before the backward pass.
    Use(schedule, schedule.GradientOf(graph.output),
        schedule.first_backward_step);
  }
  for (size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const int index = static_cast<int>(i);
    const bool forward = step.kind == StepKind::kForward;
    const OpTraits traits = step.kind == StepKind::kAccumulate
                                ? OpTraits{}
                                : TraitsOf(graph.ops[step.op].kind);
    if (forward || traits.backward_reads_inputs) {
      for (ValueId input : step.inputs) Use(schedule, input, index);
    }
    if (forward || traits.backward_reads_output) {
      Use(schedule, step.output, index);
    }
    Use(schedule, step.output_gradient, index);
    for (ValueId id : step.input_gradients) Use(schedule, id, index);
  }
  // What is read when the pass has ended lives to its end.
  const int last = static_cast<int>(schedule.steps.size()) - 1;
  for (TensorId id : {graph.output, graph.loss, graph.probabilities}) {
    if (id != kNoTensor && schedule.values[id].first_step >= 0) {
      Use(schedule, id, last);
    }
  }
}

// Lets `value`, written by `step`, take over the memory of `source` if that is
// not needed any more.
void Share(const Graph& graph, int step, ValueId source, ValueId value,
           Schedule& schedule) {
  if (source == kNoValue || value == kNoValue) return;
  const Value& from = schedule.values[source];
  Value& to = schedule.values[value];
  if (from.last_step != step || to.first_step != step ||
      graph.tensors[from.tensor].shape.NumElements() !=
          graph.tensors[to.tensor].shape.NumElements()) {
    return;
  }
  to.shares = source;
}

void ShareMemory(const Graph& graph, Schedule& schedule) {
  for (size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    if (step.kind == StepKind::kAccumulate ||
        !TraitsOf(graph.ops[step.op].kind).in_place) {
      continue;
    }
    if (step.kind == StepKind::kForward) {
      Share(graph, static_cast<int>(i), step.inputs[0], step.output, schedule);
    } else {
      Share(graph, static_cast<int>(i), step.output_gradient,
            step.input_gradients[0], schedule);
    }
  }
}

}  // namespace

ValueId Schedule::GradientOf(TensorId tensor) const {
  // Further contributions to a gradient come later than the sum they are added
  // to.
  for (size_t i = 0; i < values.size(); ++i) {
    if (values[i].is_gradient && values[i].tensor == tensor) {
      return static_cast<ValueId>(i);
    }
  }
  return kNoValue;
}

Schedule TrainingSchedule(const Graph& graph, const TrainingOptions& options) {
  Schedule schedule = Forward(graph, /*training=*/true);
  BackwardPass(graph, options, schedule).Run();
  if (!options.keep_gradients) UncopiedGradients(graph, schedule).Run();
  FindLives(graph, schedule);
  ShareMemory(graph, schedule);
  return schedule;
}

Schedule EvaluationSchedule(const Graph& graph) {
  Schedule schedule = Forward(graph, /*training=*/false);
  FindLives(graph, schedule);
  ShareMemory(graph, schedule);
  return schedule;
}

}  // namespace repro16
