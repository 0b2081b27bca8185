#include "engine/graph/builder.h"

#include <gtest/gtest.h>

namespace repro16 {
namespace {

TEST(GraphBuilderTest, InfersShapesAndCountsParameters) {
  GraphBuilder b;
  TensorId x = b.Input(Shape({4, 3, 2}));
  x = b.Flatten(x);
  x = b.Relu(b.Dense(x, 5));
  x = b.Dropout(x, 0.5);
  const TensorId logits = b.Dense(b.Tanh(x), 10);
  const absl::StatusOr<Graph> graph = std::move(b).Classifier(logits);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->tensors[graph->output].shape, Shape({10}));
  EXPECT_EQ(graph->tensors[graph->probabilities].shape, Shape({10}));
  EXPECT_EQ(graph->tensors[graph->loss].shape, Shape());
  EXPECT_EQ(graph->ParameterCount(), 24 * 5 + 5 + 5 * 10 + 10);
  EXPECT_EQ(graph->parameters[2].name, "dense_2/kernel");
  EXPECT_EQ(graph->parameters[2].fan_in, 5);
  EXPECT_EQ(graph->parameters[2].fan_out, 10);
}

TEST(GraphBuilderTest, DenseOnAnImageNamesBothOperations) {
  GraphBuilder b;
  const TensorId x = b.Relu(b.Input(Shape({4, 3, 2})));
  const TensorId y = b.Relu(b.Dense(x, 5));
  EXPECT_EQ(std::move(b).Build(y).status().message(),
            "dense needs [N, features], but relu_1 gives [4, 3, 2]; put a "
            "flatten between them");
}

TEST(GraphBuilderTest, AddOfDifferentShapesNamesBoth) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({4}));
  const TensorId three = b.Dense(x, 3);
  const TensorId five = b.Dense(x, 5);
  const TensorId y = b.Add(three, five);
  EXPECT_EQ(std::move(b).Build(y).status().message(),
            "add needs two tensors of one shape, but dense_1 gives [3] and "
            "dense_2 gives [5]");
}

TEST(GraphBuilderTest, TheFirstErrorIsReported) {
  GraphBuilder b;
  const TensorId x = b.Dropout(b.Input(Shape({4})), 1.0);
  const TensorId y = b.Dense(x, 0);
  EXPECT_EQ(std::move(b).Build(y).status().message(),
            "dropout after input gives [4]: rate 1 is not in [0, 1)");
}

TEST(GraphBuilderTest, ClassesAreTheValuesOfAByte) {
  for (int64_t classes : {256, 257}) {
    GraphBuilder b;
    const TensorId logits = b.Dense(b.Input(Shape({4})), classes);
    EXPECT_EQ(std::move(b).Classifier(logits).ok(), classes == 256);
  }
}

TEST(GraphBuilderTest, RefusesWhatDoesNotExist) {
  GraphBuilder b;
  b.Input(Shape({4}));
  EXPECT_EQ(std::move(b).Build(7).status().message(),
            "the graph has no tensor 7");
  GraphBuilder c;
  const TensorId empty = c.Input(Shape({0}));
  EXPECT_FALSE(std::move(c).Build(empty).ok());
}

}  // namespace
}  // namespace repro16
