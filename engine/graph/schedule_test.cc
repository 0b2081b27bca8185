#include "engine/graph/schedule.h"

#include <gtest/gtest.h>

#include "engine/graph/builder.h"

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
  const Schedule schedule = TrainingSchedule(graph);

  std::vector<OpId> readers;  // in the order in which their contributions count
  const ValueId total = schedule.GradientOf(shared);
  for (const Step& step : schedule.steps) {
    if (step.kind == StepKind::kBackward &&
        step.input_gradients.back() == total) {
      readers.push_back(step.op);
    }
    if (step.kind == StepKind::kAccumulate) {
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

}  // namespace
}  // namespace repro16
