#include "engine/graph/cost.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <utility>

#include "engine/graph/builder.h"

namespace repro16 {
namespace {

using Build = std::function<TensorId(GraphBuilder&, TensorId)>;
using B = GraphBuilder;

Graph BuildOn(Shape input, const Build& build) {
  GraphBuilder b;
  const TensorId y = build(b, b.Input(std::move(input)));
  absl::StatusOr<Graph> graph = std::move(b).Build(y);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

int64_t CostOn(Shape input, const Build& build) {
  return ForwardMultiplyAdds(BuildOn(std::move(input), build));
}

TEST(CostTest, Dense) {
  EXPECT_EQ(
      CostOn(Shape({37}), [](B& b, TensorId x) { return b.Dense(x, 11); }),
      37 * 11);
  // Of each of four tokens.
  EXPECT_EQ(
      CostOn(Shape({4, 3}), [](B& b, TensorId x) { return b.Dense(x, 5); }),
      4 * 3 * 5);
}

TEST(CostTest, Convolutions) {
  // 3 x 2 outputs of 4 filters, each over 3 x 2 taps of 5 channels, those on
  // padding counted.
  EXPECT_EQ(CostOn(Shape({6, 4, 5}),
                   [](B& b, TensorId x) {
                     return b.Conv2D(x, 4, {3, 2, 2});
                   }),
            3 * 2 * 4 * 3 * 2 * 5);
  // 3 x 2 outputs of each of 5 channels, over 3 x 3 taps.
  EXPECT_EQ(CostOn(Shape({6, 4, 5}),
                   [](B& b, TensorId x) {
                     return b.DepthwiseConv2D(x, Window::Square(3, 2));
                   }),
            3 * 2 * 5 * 3 * 3);
  // The same, then 1 x 1 to 7 filters.
  EXPECT_EQ(CostOn(Shape({6, 4, 5}),
                   [](B& b, TensorId x) {
                     return b.SeparableConv2D(x, 7, Window::Square(3, 2));
                   }),
            3 * 2 * 5 * 3 * 3 + 3 * 2 * 7 * 5);
}

TEST(CostTest, Attention) {
  const int64_t tokens = 4;
  const int64_t features = 5;
  const int64_t heads = 2;
  const int64_t key_size = 3;
  const Graph graph = BuildOn(Shape({tokens, features}), [&](B& b, TensorId x) {
    return b.MultiHeadAttention(x, heads, key_size);
  });
  std::map<OpKind, int64_t> cost;
  for (const Op& op : graph.ops) cost[op.kind] += MultiplyAdds(graph, op);
  // Three projections in, one out.
  EXPECT_EQ(cost[OpKind::kDense], 4 * tokens * features * heads * key_size);
  EXPECT_EQ(cost[OpKind::kAttentionScores], heads * tokens * tokens * key_size);
  EXPECT_EQ(cost[OpKind::kAttentionContext],
            heads * tokens * tokens * key_size);
  EXPECT_EQ(ForwardMultiplyAdds(graph), 4 * 4 * 5 * 6 + 2 * 2 * 4 * 4 * 3);
}

// Every other operation, with a loss.
TEST(CostTest, ElementwiseWorkIsNotCounted) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({8, 8, 3}));
  TensorId y = b.Relu6(b.Relu(b.BatchNorm(b.ZeroPad(x, 1, 1, 1, 1))));
  y = b.MaxPool(b.PadChannels(y, 1, 1), Window::Square(2, 2));
  y = b.AveragePool(y, Window::Square(3), Padding::kSame);
  const TensorId tokens = b.Softmax(b.PositionEmbedding(b.Patches(y, 2)));
  y = b.Flatten(b.LayerNorm(b.Gelu(b.Scale(b.Dropout(tokens, 0.5), 2)), 1e-6));
  const TensorId pooled = b.GlobalAveragePool(x);
  const TensorId logits = b.Concat({y, b.Add(pooled, b.Tanh(pooled))});
  const absl::StatusOr<Graph> graph = std::move(b).Classifier(logits);
  ASSERT_TRUE(graph.ok()) << graph.status();
  std::map<OpKind, int> covered;
  for (const Op& op : graph->ops) {
    ++covered[op.kind];
    EXPECT_EQ(MultiplyAdds(*graph, op), 0) << op.name;
  }
  for (const OpTraits& op : kOps) {
    const bool multiplies = op.kind == OpKind::kDense ||
                            op.kind == OpKind::kConv2D ||
                            op.kind == OpKind::kDepthwiseConv2D ||
                            op.kind == OpKind::kAttentionScores ||
                            op.kind == OpKind::kAttentionContext;
    EXPECT_NE(covered[op.kind] > 0, multiplies) << op.name;
  }
}

}  // namespace
}  // namespace repro16
