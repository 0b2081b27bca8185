#include "engine/graph/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "engine/graph/builder.h"
#include "engine/graph/memory_plan.h"

namespace repro16 {
namespace {

Graph Build(GraphBuilder b, TensorId output, bool classifier) {
  absl::StatusOr<Graph> graph =
      classifier ? std::move(b).Classifier(output) : std::move(b).Build(output);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

int CountKind(const Schedule& schedule, StepKind kind) {
  int count = 0;
  for (const Step& step : schedule.steps) count += step.kind == kind;
  return count;
}

TEST(ScheduleTest, TrainingOfAChain) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({4}));
  const TensorId hidden = b.Dense(x, 3);
  const TensorId active = b.Relu(hidden);
  const TensorId logits = b.Dense(active, 2);
  const Graph graph = Build(std::move(b), logits, /*classifier=*/true);
  const Schedule schedule = TrainingSchedule(graph);

  // Dense, ReLU, dense, loss; the probabilities are for evaluation only.
  EXPECT_EQ(schedule.first_backward_step, 4);
  EXPECT_EQ(CountKind(schedule, StepKind::kBackward), 4);
  EXPECT_EQ(CountKind(schedule, StepKind::kAccumulate), 0);
  // The loss has no gradient to read; the first dense layer has none to write.
  EXPECT_EQ(schedule.steps[4].output_gradient, kNoValue);
  EXPECT_EQ(schedule.steps.back().input_gradients,
            std::vector<ValueId>{kNoValue});
  EXPECT_EQ(schedule.GradientOf(x), kNoValue);

  // The input is read last by the backward pass of the first layer, the ReLU's
  // input by its forward pass, its output by the backward passes of the layer
  // above and of itself.
  EXPECT_EQ(schedule.values[x].last_step, 7);
  EXPECT_EQ(schedule.values[hidden].last_step, 1);
  EXPECT_EQ(schedule.values[active].last_step, 6);
  // A gradient lives from the step that writes it to the step that reads it.
  const Value& gradient = schedule.values[schedule.GradientOf(active)];
  EXPECT_EQ(gradient.first_step, 5);
  EXPECT_EQ(gradient.last_step, 6);
}

TEST(ScheduleTest, ContributionsAreAddedInReverseOrderOfTheirReaders) {
  GraphBuilder b;
  const TensorId shared = b.Dense(b.Input(Shape({4})), 4);  // op 0
  const TensorId left = b.Relu(shared);                     // op 1
  const TensorId right = b.Tanh(shared);                    // op 2
  const TensorId sum = b.Add(left, right);                  // op 3
  const TensorId output = b.Add(sum, shared);               // op 4
  const Graph graph = Build(std::move(b), output, /*classifier=*/false);
  const Schedule schedule = TrainingSchedule(
      graph, {/*input_gradient=*/false, /*keep_gradients=*/true});

  std::vector<OpId> readers;  // in the order in which their contributions count
  const ValueId total = schedule.GradientOf(shared);
  for (const Step& step : schedule.steps) {
    if (step.kind == StepKind::kBackward &&
        step.input_gradients.back() == total) {
      readers.push_back(step.op);
    }
    if (step.kind == StepKind::kAccumulate) {
      EXPECT_EQ(step.summed, shared);
      EXPECT_EQ(step.input_gradients, std::vector<ValueId>{total});
      EXPECT_NE(step.output_gradient, total);
      readers.push_back(step.op);
    }
  }
  EXPECT_EQ(readers, (std::vector<OpId>{4, 2, 1}));
  // The sum is complete before the layer that wrote the tensor reads it.
  EXPECT_EQ(schedule.steps.back().op, 0);
  EXPECT_EQ(schedule.steps.back().output_gradient, total);
  EXPECT_EQ(schedule.values[total].last_step,
            static_cast<int>(schedule.steps.size()) - 1);
}

TEST(ScheduleTest, ResultsLiveToTheEnd) {
  GraphBuilder b;
  const TensorId logits = b.Dense(b.Input(Shape({4})), 2);
  const Graph graph = Build(std::move(b), logits, /*classifier=*/true);
  const Schedule training = TrainingSchedule(graph);
  EXPECT_EQ(training.values[graph.loss].last_step,
            static_cast<int>(training.steps.size()) - 1);
  EXPECT_EQ(training.values[graph.probabilities].first_step, -1);
  const Schedule evaluation = EvaluationSchedule(graph);
  const int last = static_cast<int>(evaluation.steps.size()) - 1;
  EXPECT_EQ(evaluation.values[graph.loss].last_step, last);
  EXPECT_EQ(evaluation.values[graph.probabilities].last_step, last);
}

TEST(ScheduleTest, TheInputHasAGradientOnRequest) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({4}));
  const TensorId y = b.Relu(x);
  const Graph graph = Build(std::move(b), y, /*classifier=*/false);
  EXPECT_EQ(TrainingSchedule(graph).GradientOf(x), kNoValue);
  EXPECT_NE(TrainingSchedule(graph, {/*input_gradient=*/true}).GradientOf(x),
            kNoValue);
}

TEST(ScheduleTest, EvaluationKeepsNothingForABackwardPass) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({4}));
  const TensorId hidden = b.Relu(b.Dense(x, 3));
  const TensorId logits = b.Dense(hidden, 2);
  const Graph graph = Build(std::move(b), logits, /*classifier=*/true);
  const Schedule schedule = EvaluationSchedule(graph);
  EXPECT_EQ(schedule.steps.size(), graph.ops.size());
  EXPECT_EQ(CountKind(schedule, StepKind::kBackward), 0);
  EXPECT_EQ(schedule.values[x].last_step, 0);
  EXPECT_EQ(schedule.values[hidden].last_step, 2);
  // Logits feed both the probabilities and the loss.
  EXPECT_EQ(schedule.values[graph.output].last_step, 4);
}

// Graphs in which tensors have one reader, several, or the same one twice.
Graph WithSharedInputs() {
  GraphBuilder b;
  const TensorId x = b.Dense(b.Input(Shape({6})), 6);
  const TensorId active = b.Relu(b.Scale(x, 2));
  const TensorId doubled = b.Add(active, active);
  const TensorId y = b.Add(b.Tanh(b.Dropout(doubled, 0.5)), x);
  const TensorId normal = b.LayerNorm(b.BatchNorm(y), 1e-6);
  const TensorId last = b.Add(b.Gelu(normal), b.Softmax(b.Relu6(normal)));
  return Build(std::move(b), last, /*classifier=*/true);
}

Graph OfImages() {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({6, 6, 2}));
  TensorId y = b.Relu(b.BatchNorm(b.Conv2D(x, 4, Window::Square(3))));
  y = b.Concat({b.MaxPool(y, Window::Square(2, 2)),
                b.AveragePool(b.Relu(y), Window::Square(2, 2))});
  const TensorId tokens = b.PositionEmbedding(b.Patches(y, 1));
  y = b.Add(b.MultiHeadAttention(tokens, 2, 2), tokens);
  const TensorId logits = b.Relu(b.Dense(b.Flatten(y), 5));
  return Build(std::move(b), logits, /*classifier=*/true);
}

Graph WithoutLoss() {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({6}));
  const TensorId y = b.Relu(b.Tanh(b.Flatten(x)));
  return Build(std::move(b), y, /*classifier=*/false);
}

// For each value, the one whose memory it lies in.
std::vector<ValueId> Owners(const Schedule& schedule) {
  std::vector<ValueId> owners;
  for (size_t v = 0; v < schedule.values.size(); ++v) {
    const ValueId shares = schedule.values[v].shares;
    EXPECT_LT(shares, static_cast<ValueId>(v));
    owners.push_back(shares == kNoValue ? static_cast<ValueId>(v)
                                        : owners[shares]);
  }
  return owners;
}

// Which value each piece of memory holds, as the steps run.
class Memory {
 public:
  explicit Memory(const Schedule& schedule)
      : owners_(Owners(schedule)), holds_(owners_.size(), kNoValue) {}

  void Write(ValueId value) {
    if (value != kNoValue) holds_[owners_[value]] = value;
  }
  void ExpectHolds(ValueId value, const std::string& where) const {
    if (value != kNoValue) {
      EXPECT_EQ(holds_[owners_[value]], value) << where;
    }
  }

 private:
  const std::vector<ValueId> owners_;
  std::vector<ValueId> holds_;
};

void RunForward(const Step& step, const std::string& where, Memory& memory) {
  for (ValueId input : step.inputs) memory.ExpectHolds(input, where);
  memory.Write(step.output);
}

void RunBackward(const OpTraits& traits, const Step& step,
                 const std::string& where, Memory& memory) {
  if (traits.backward_reads_inputs) {
    for (ValueId input : step.inputs) memory.ExpectHolds(input, where);
  }
  if (traits.backward_reads_output) memory.ExpectHolds(step.output, where);
  memory.ExpectHolds(step.output_gradient, where);
  for (ValueId gradient : step.input_gradients) memory.Write(gradient);
}

// Runs a schedule on memory that holds names instead of numbers: each step must
// find what it reads.
void ExpectEveryReadFindsItsValue(const Graph& graph,
                                  const Schedule& schedule) {
  Memory memory(schedule);
  memory.Write(graph.input);
  for (size_t i = 0; i < schedule.steps.size(); ++i) {
    const Step& step = schedule.steps[i];
    const Op& op = graph.ops[step.op];
    const std::string where = "step " + std::to_string(i) + ", " + op.name;
    const bool first_backward =
        static_cast<int>(i) == schedule.first_backward_step;
    if (first_backward && graph.loss == kNoTensor) {
      memory.Write(schedule.GradientOf(graph.output));  // by the caller
    }
    switch (step.kind) {
      case StepKind::kForward:
        RunForward(step, where, memory);
        break;
      case StepKind::kBackward:
        RunBackward(TraitsOf(op.kind), step, where, memory);
        break;
      case StepKind::kAccumulate:
        memory.ExpectHolds(step.output_gradient, where);
        memory.ExpectHolds(step.input_gradients[0], where);
        break;
    }
  }
  for (TensorId result : {graph.output, graph.loss, graph.probabilities}) {
    if (result != kNoTensor && schedule.values[result].first_step >= 0) {
      memory.ExpectHolds(result, "result");
    }
  }
}

TEST(SharingTest, NothingIsReadAfterItsMemoryIsTakenOver) {
  for (const Graph& graph : {WithSharedInputs(), OfImages(), WithoutLoss()}) {
    for (bool input_gradient : {false, true}) {
      ExpectEveryReadFindsItsValue(graph,
                                   TrainingSchedule(graph, {input_gradient}));
    }
    ExpectEveryReadFindsItsValue(graph, EvaluationSchedule(graph));
  }
}

TEST(SharingTest, OnlyBetweenTheTensorsOfAnOperationThatIsInPlace) {
  for (const Graph& graph : {WithSharedInputs(), OfImages(), WithoutLoss()}) {
    const Schedule schedule = TrainingSchedule(graph);
    for (const Value& value : schedule.values) {
      if (value.shares == kNoValue) continue;
      const Step& step = schedule.steps[value.first_step];
      EXPECT_TRUE(TraitsOf(graph.ops[step.op].kind).in_place)
          << graph.ops[step.op].name;
      const bool forward = step.kind == StepKind::kForward;
      EXPECT_EQ(value.shares, forward ? step.inputs[0] : step.output_gradient);
      EXPECT_EQ(graph.tensors[value.tensor].shape.NumElements(),
                graph.tensors[schedule.values[value.shares].tensor]
                    .shape.NumElements());
    }
  }
}

TEST(SharingTest, AChainOfActivationsNeedsOneTensor) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({6}));
  const TensorId hidden = b.Dense(x, 6);
  const TensorId relu = b.Relu(hidden);
  const TensorId tanh = b.Tanh(relu);
  const Graph graph = Build(std::move(b), tanh, /*classifier=*/false);
  const Schedule schedule = TrainingSchedule(graph);
  EXPECT_EQ(schedule.values[hidden].shares, kNoValue);  // dense reads x
  EXPECT_EQ(schedule.values[relu].shares, hidden);
  // Relu's backward pass reads its output.
  EXPECT_EQ(schedule.values[tanh].shares, kNoValue);
  // All gradients are one piece of memory.
  EXPECT_EQ(schedule.values[schedule.GradientOf(relu)].shares,
            schedule.GradientOf(tanh));
  EXPECT_EQ(schedule.values[schedule.GradientOf(hidden)].shares,
            schedule.GradientOf(relu));
  EXPECT_EQ(EvaluationSchedule(graph).values[tanh].shares, relu);
}

// The gradient that each operation's backward pass reads, as a formula, where
// values lie in the memory that they share.
std::vector<std::string> GradientFormulas(const Graph& graph,
                                          const Schedule& schedule) {
  const std::vector<ValueId> owners = Owners(schedule);
  std::vector<std::string> memory(owners.size());
  if (graph.loss == kNoTensor) {
    memory[owners[schedule.GradientOf(graph.output)]] = "given";
  }
  std::vector<std::string> formulas(graph.ops.size());
  for (const Step& step : schedule.steps) {
    if (step.kind == StepKind::kForward) continue;
    const Op& op = graph.ops[step.op];
    const std::string gradient = step.output_gradient == kNoValue
                                     ? "loss"
                                     : memory[owners[step.output_gradient]];
    if (step.kind == StepKind::kAccumulate) {
      std::string& sum = memory[owners[step.input_gradients[0]]];
      sum = "(" + sum + " + " + gradient + ")";
      continue;
    }
    formulas[step.op] = gradient;
    for (size_t i = 0; i < step.input_gradients.size(); ++i) {
      if (step.input_gradients[i] == kNoValue) continue;
      memory[owners[step.input_gradients[i]]] =
          op.kind == OpKind::kAdd
              ? gradient
              : op.name + std::to_string(i) + "(" + gradient + ")";
    }
  }
  return formulas;
}

// A residual block after which its input is read again, and one that adds two
// tensors that both have further readers.
Graph Residual() {
  GraphBuilder b;
  const TensorId x = b.Conv2D(b.Input(Shape({4, 4, 2})), 3, Window::Square(1));
  TensorId y = b.Relu(b.BatchNorm(b.Conv2D(x, 3, Window::Square(3))));
  y = b.Relu(b.Add(b.BatchNorm(b.Conv2D(y, 3, Window::Square(3))), x));
  const TensorId left = b.Conv2D(y, 3, Window::Square(3));
  const TensorId both = b.Add(left, b.Tanh(y));
  y = b.Add(b.Add(both, b.Gelu(left)), b.Add(b.Relu(both), x));
  const TensorId logits = b.Dense(b.Flatten(y), 2);
  return Build(std::move(b), logits, /*classifier=*/true);
}

TEST(UncopiedGradientsTest, EveryOperationReadsTheSameGradient) {
  for (const Graph& graph :
       {WithSharedInputs(), OfImages(), WithoutLoss(), Residual()}) {
    EXPECT_EQ(GradientFormulas(
                  graph, TrainingSchedule(graph, {/*input_gradient=*/true})),
              GradientFormulas(
                  graph, TrainingSchedule(graph, {/*input_gradient=*/true,
                                                  /*keep_gradients=*/true})));
  }
}

TEST(UncopiedGradientsTest, AResidualBlockCopiesNone) {
  GraphBuilder b;
  const TensorId x = b.Conv2D(b.Input(Shape({4, 4, 2})), 3, Window::Square(1));
  TensorId y = b.Relu(b.BatchNorm(b.Conv2D(x, 3, Window::Square(3))));
  y = b.Relu(b.Add(b.BatchNorm(b.Conv2D(y, 3, Window::Square(3))), x));
  const TensorId logits = b.Dense(b.Flatten(y), 2);
  const Graph graph = Build(std::move(b), logits, /*classifier=*/true);
  for (const Step& step : TrainingSchedule(graph).steps) {
    if (step.kind != StepKind::kBackward ||
        graph.ops[step.op].kind != OpKind::kAdd) {
      continue;
    }
    EXPECT_EQ(step.input_gradients, (std::vector<ValueId>{kNoValue, kNoValue}));
  }
}

// Bytes of the plan, with one byte a number.
int64_t PlannedBytes(const Graph& graph, const Schedule& schedule,
                     bool sharing) {
  const std::vector<ValueId> owners = Owners(schedule);
  std::vector<MemoryRequest> requests;
  for (size_t v = 0; v < schedule.values.size(); ++v) {
    const Value& value = schedule.values[v];
    const bool own = !sharing || value.shares == kNoValue;
    const int64_t bytes =
        kArenaAlignment * graph.tensors[value.tensor].shape.NumElements();
    requests.push_back({own && value.first_step >= 0 ? bytes : 0,
                        value.first_step, value.last_step});
    if (sharing) {
      int& last = requests[owners[v]].last_step;
      last = std::max(last, value.last_step);
    }
  }
  return PlanMemory(requests).arena_bytes;
}

TEST(SharingTest, TakesLessMemory) {
  for (const Graph& graph : {WithSharedInputs(), OfImages()}) {
    for (const Schedule& schedule :
         {TrainingSchedule(graph), EvaluationSchedule(graph)}) {
      EXPECT_LE(PlannedBytes(graph, schedule, /*sharing=*/true),
                PlannedBytes(graph, schedule, /*sharing=*/false));
    }
  }
  const Schedule schedule = TrainingSchedule(OfImages());
  EXPECT_LT(PlannedBytes(OfImages(), schedule, /*sharing=*/true),
            PlannedBytes(OfImages(), schedule, /*sharing=*/false));
}

}  // namespace
}  // namespace repro16
