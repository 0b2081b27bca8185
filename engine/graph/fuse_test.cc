#include "engine/graph/fuse.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "engine/graph/builder.h"

namespace repro16 {
namespace {

FusedActivation ActivationOf(const Op& op) {
  return std::get<BatchNormAttributes>(op.attributes).activation;
}

Graph Fused(GraphBuilder b, TensorId output) {
  const absl::StatusOr<Graph> graph = std::move(b).Build(output);
  EXPECT_TRUE(graph.ok()) << graph.status();
  const Graph fused = FuseActivations(*graph);
  EXPECT_EQ(fused.tensors.size(), graph->tensors.size());
  EXPECT_EQ(fused.parameters.size(), graph->parameters.size());
  EXPECT_EQ(fused.output, graph->output);
  return fused;
}

TEST(FuseActivationsTest, JoinsBothActivationsToTheirNormalisation) {
  GraphBuilder b;
  const TensorId first = b.BatchNorm(b.Input(Shape({2, 2, 3})));
  const TensorId relu = b.Relu(first);
  const TensorId second = b.BatchNorm(b.Conv2D(relu, 4, Window::Square(1)));
  const TensorId relu6 = b.Relu6(second);
  const Graph graph = Fused(std::move(b), relu6);
  ASSERT_EQ(graph.ops.size(), 3u);
  EXPECT_EQ(ActivationOf(graph.ops[0]), FusedActivation::kRelu);
  EXPECT_EQ(graph.ops[0].output, relu);
  EXPECT_EQ(graph.ops[0].name, "batch_norm_1");
  EXPECT_EQ(graph.ops[1].inputs, std::vector<TensorId>{relu});
  EXPECT_EQ(graph.ops[1].parameters, (std::vector<ParameterId>{4, 5}));
  EXPECT_EQ(ActivationOf(graph.ops[2]), FusedActivation::kRelu6);
  EXPECT_EQ(graph.ops[2].output, relu6);
}

TEST(FuseActivationsTest, LeavesANormalisationThatOthersRead) {
  GraphBuilder b;
  const TensorId y = b.BatchNorm(b.Input(Shape({3})));
  const TensorId sum = b.Add(b.Relu(y), y);
  const Graph graph = Fused(std::move(b), sum);
  EXPECT_EQ(graph.ops.size(), 3u);
  EXPECT_EQ(ActivationOf(graph.ops[0]), FusedActivation::kNone);
}

TEST(FuseActivationsTest, LeavesANormalisationThatIsTheOutput) {
  GraphBuilder b;
  const TensorId y = b.BatchNorm(b.Input(Shape({3})));
  b.Relu(y);
  const Graph graph = Fused(std::move(b), y);
  EXPECT_EQ(graph.ops.size(), 2u);
  EXPECT_EQ(graph.ops[0].output, y);
}

TEST(FuseActivationsTest, TakesOneActivationAndNoOther) {
  GraphBuilder b;
  const TensorId capped = b.Relu6(b.BatchNorm(b.Input(Shape({3}))));
  const TensorId y = b.Tanh(b.Relu(capped));
  const Graph graph = Fused(std::move(b), y);
  ASSERT_EQ(graph.ops.size(), 3u);
  EXPECT_EQ(ActivationOf(graph.ops[0]), FusedActivation::kRelu6);
  EXPECT_EQ(graph.ops[1].kind, OpKind::kRelu);
}

}  // namespace
}  // namespace repro16
