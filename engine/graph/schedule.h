// The order in which the operations of a graph run, forward and backward, and
// how long each tensor must be kept. Shared by every backend, so that all of
// them add gradients in one order.
#ifndef REPRO16_ENGINE_GRAPH_SCHEDULE_H_
#define REPRO16_ENGINE_GRAPH_SCHEDULE_H_

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"

namespace repro16 {

using ValueId = int32_t;
inline constexpr ValueId kNoValue = -1;

// Something that is stored between steps: an activation, its gradient, or one
// further contribution to that gradient.
struct Value {
  TensorId tensor;
  bool is_gradient;
  // Steps at which it is first written and last read, inclusive.
  int first_step;
  int last_step;
  // Takes over the memory of that value, which no later step reads (OpTraits::
  // in_place).
  ValueId shares = kNoValue;
};

enum class StepKind : uint8_t {
  kForward,
  kBackward,
  // input_gradients[0] = r(input_gradients[0] + output_gradient): the next
  // contribution to a gradient of a tensor that several operations read.
  // Contributions are added in reverse order of their readers' creation, each
  // sum rounded to storage.
  kAccumulate,
};

struct Step {
  StepKind kind;
  OpId op;  // for kAccumulate: the reader whose contribution is added
  TensorId summed = kNoTensor;           // for kAccumulate: whose gradient
  std::vector<ValueId> inputs;           // activations
  ValueId output = kNoValue;             // activation
  ValueId output_gradient = kNoValue;    // kNoValue for the loss
  std::vector<ValueId> input_gradients;  // kNoValue where none is wanted
};

struct Schedule {
  std::vector<Step> steps;
  std::vector<Value>
      values;  // the first ones are the activations: ValueId == TensorId
  int first_backward_step = 0;  // == steps.size() without a backward pass

  // The gradient of a tensor, kNoValue where it has none. Written only where
  // no other value stands for it (TrainingOptions::keep_gradients).
  ValueId GradientOf(TensorId tensor) const;
};

struct TrainingOptions {
  // Also compute the gradient of the graph's input.
  bool input_gradient = false;
  // Every gradient is a value of its own. Else an addition's gradient, which is
  // that of its inputs too, is not copied where no later step could tell.
  bool keep_gradients = false;
};

// Forward pass without the operations that only evaluation needs, then the
// backward pass from the loss, or, in a graph without a loss, from a gradient
// of Graph::output that the caller provides.
Schedule TrainingSchedule(const Graph& graph,
                          const TrainingOptions& options = {});

// Forward pass alone, probabilities and loss included.
Schedule EvaluationSchedule(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_SCHEDULE_H_
