#include "engine/graph/builder.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

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
            "dense needs [N, features] or [N, tokens, features], but relu_1 "
            "gives [4, 3, 2]; put a flatten between them");
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

using Build = std::function<TensorId(GraphBuilder&, TensorId)>;

absl::StatusOr<Graph> BuildOn(Shape input, const Build& build) {
  GraphBuilder b;
  const TensorId y = build(b, b.Input(std::move(input)));
  return std::move(b).Build(y);
}

Shape OutputOn(Shape input, const Build& build) {
  const absl::StatusOr<Graph> graph = BuildOn(std::move(input), build);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return graph.ok() ? graph->tensors[graph->output].shape : Shape();
}

// One axis: what TensorFlow 2.15's Conv2D and pooling layers give.
struct AxisCase {
  Padding padding;
  int64_t size;
  int64_t window;
  int64_t stride;
  int64_t outputs;
  int64_t pad_before;
};

constexpr AxisCase kAxisCases[] = {
    {Padding::kSame, 32, 3, 1, 32, 1},   {Padding::kSame, 32, 3, 2, 16, 0},
    {Padding::kSame, 5, 3, 2, 3, 1},     {Padding::kSame, 5, 2, 1, 5, 0},
    {Padding::kSame, 7, 2, 2, 4, 0},     {Padding::kSame, 224, 7, 2, 112, 2},
    {Padding::kSame, 2, 5, 1, 2, 2},     {Padding::kSame, 1, 3, 2, 1, 1},
    {Padding::kSame, 3, 1, 2, 2, 0},     {Padding::kSame, 8, 2, 3, 3, 0},
    {Padding::kSame, 10, 4, 3, 4, 1},    {Padding::kValid, 32, 3, 2, 15, 0},
    {Padding::kValid, 15, 3, 2, 7, 0},   {Padding::kValid, 4, 3, 2, 1, 0},
    {Padding::kValid, 7, 7, 2, 1, 0},    {Padding::kValid, 9, 2, 4, 2, 0},
    {Padding::kValid, 224, 11, 4, 54, 0}};

// The axis as rows, then as columns.
TEST(WindowTest, PlacesWindowsAsTensorFlow) {
  for (const AxisCase& c : kAxisCases) {
    SCOPED_TRACE(testing::Message() << "size " << c.size << ", window "
                                    << c.window << ", stride " << c.stride);
    const auto placed = [&](Shape image, Window window) {
      const auto graph = BuildOn(std::move(image), [&](auto& b, TensorId x) {
        return b.MaxPool(x, window, c.padding);
      });
      EXPECT_TRUE(graph.ok()) << graph.status();
      return std::make_pair(
          std::get<WindowAttributes>(graph->ops[0].attributes),
          graph->tensors[graph->output].shape);
    };
    const auto [rows, tall] =
        placed(Shape({c.size, 1, 2}), {c.window, 1, c.stride});
    EXPECT_EQ(tall, Shape({c.outputs, 1, 2}));
    EXPECT_EQ(rows.pad_top, c.pad_before);
    EXPECT_EQ(rows.pad_left, 0);
    const auto [columns, wide] =
        placed(Shape({1, c.size, 2}), {1, c.window, c.stride});
    EXPECT_EQ(wide, Shape({1, c.outputs, 2}));
    EXPECT_EQ(columns.pad_left, c.pad_before);
    EXPECT_EQ(columns.pad_top, 0);
  }
}

// No table can hold every case: what makes a padding "same" is that each
// output's window starts `stride` after the one before, that padding is as
// little as that needs, and that the odd one is at the end.
TEST(WindowTest, SamePaddingIsLeastAndLastAtTheEnd) {
  for (int64_t size = 1; size <= 12; ++size) {
    for (int64_t window = 1; window <= 7; ++window) {
      for (int64_t stride = 1; stride <= 4; ++stride) {
        SCOPED_TRACE(testing::Message()
                     << size << " " << window << " " << stride);
        const auto graph =
            BuildOn(Shape({size, 1, 1}), [&](auto& b, TensorId x) {
              return b.AveragePool(x, {window, 1, stride}, Padding::kSame);
            });
        ASSERT_TRUE(graph.ok()) << graph.status();
        const int64_t outputs = graph->tensors[graph->output].shape[0];
        const int64_t before =
            std::get<WindowAttributes>(graph->ops[0].attributes).pad_top;
        EXPECT_EQ(outputs, static_cast<int64_t>(
                               std::ceil(static_cast<double>(size) / stride)));
        const int64_t after = (outputs - 1) * stride + window - before - size;
        if (after < 0) {
          EXPECT_EQ(before, 0);
        } else {
          EXPECT_TRUE(after == before || after == before + 1) << after;
        }
      }
    }
  }
}

TEST(GraphBuilderTest, ShapesOfEveryOperation) {
  using B = GraphBuilder;
  const Shape image({7, 5, 3});
  const auto expect = [](const Shape& in, const Shape& out,
                         const Build& build) {
    EXPECT_EQ(OutputOn(in, build).ToString(), out.ToString());
  };
  expect(image, Shape({4, 3, 8}),
         [](B& b, TensorId x) { return b.Conv2D(x, 8, Window::Square(3, 2)); });
  expect(image, Shape({3, 2, 8}), [](B& b, TensorId x) {
    return b.Conv2D(x, 8, Window::Square(3, 2), {Padding::kValid});
  });
  expect(image, Shape({4, 3, 3}), [](B& b, TensorId x) {
    return b.DepthwiseConv2D(x, Window::Square(3, 2));
  });
  expect(image, Shape({7, 5, 8}), [](B& b, TensorId x) {
    return b.SeparableConv2D(x, 8, Window::Square(3));
  });
  expect(image, Shape({3, 2, 3}), [](B& b, TensorId x) {
    return b.AveragePool(x, Window::Square(2, 2));
  });
  expect(image, Shape({3}),
         [](B& b, TensorId x) { return b.GlobalAveragePool(x); });
  expect(image, Shape({10, 12, 3}),
         [](B& b, TensorId x) { return b.ZeroPad(x, 1, 2, 3, 4); });
  expect(image, Shape({7, 5, 6}),
         [](B& b, TensorId x) { return b.PadChannels(x, 1, 2); });
  expect(image, Shape({7, 5, 10}), [](B& b, TensorId x) {
    return b.Concat({x, b.PadChannels(x, 0, 1), x});
  });
  expect(image, Shape({6, 12}),
         [](B& b, TensorId x) { return b.Patches(x, 2); });
  expect(image, Shape({105}), [](B& b, TensorId x) { return b.Flatten(x); });
  for (const Build& same :
       std::vector<Build>{[](B&b, TensorId x) { return b.BatchNorm(x); },
                          [](B&b, TensorId x) { return b.LayerNorm(x, 1e-6); },
                          [](B&b, TensorId x) { return b.Relu6(x); },
                          [](B&b, TensorId x) { return b.Gelu(x); },
                          [](B&b, TensorId x) { return b.Softmax(x); },
                          [](B&b, TensorId x) { return b.Scale(x, 2); }}) {
    expect(image, image, same);
  }
  const Shape tokens({6, 10});
  expect(tokens, Shape({6, 4}), [](B& b, TensorId x) { return b.Dense(x, 4); });
  expect(tokens, tokens,
         [](B& b, TensorId x) { return b.PositionEmbedding(x); });
  expect(tokens, tokens,
         [](B& b, TensorId x) { return b.MultiHeadAttention(x, 4, 3); });
}

const Parameter* FindParameter(const Graph& graph, const std::string& name) {
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.name == name) return &parameter;
  }
  ADD_FAILURE() << "no parameter " << name;
  return nullptr;
}

TEST(GraphBuilderTest, ParametersAsKerasHasThem) {
  const auto graph = BuildOn(Shape({6, 6, 5}), [](auto& b, TensorId x) {
    x = b.Conv2D(x, 7, {3, 2, 1},
                 {Padding::kSame, false, Initializer::kHeNormal, 1e-4});
    x = b.BatchNorm(b.DepthwiseConv2D(x, Window::Square(3)));
    return b.MultiHeadAttention(b.Patches(x, 3), 2, 4);
  });
  ASSERT_TRUE(graph.ok()) << graph.status();
  const Parameter* conv = FindParameter(*graph, "conv2d_1/kernel");
  EXPECT_EQ(conv->shape, Shape({3, 2, 5, 7}));
  EXPECT_EQ(conv->initializer, Initializer::kHeNormal);
  EXPECT_EQ(conv->fan_in, 3 * 2 * 5);
  EXPECT_EQ(conv->fan_out, 3 * 2 * 7);
  EXPECT_EQ(conv->l2, 1e-4);
  EXPECT_EQ(graph->ops[0].parameters.size(), 1u);
  const Parameter* depthwise =
      FindParameter(*graph, "depthwise_conv2d_1/kernel");
  EXPECT_EQ(depthwise->shape, Shape({3, 3, 7, 1}));
  EXPECT_EQ(depthwise->fan_in, 9 * 7);
  EXPECT_EQ(depthwise->fan_out, 9);
  for (const char* name : {"gamma", "beta"}) {
    EXPECT_TRUE(FindParameter(*graph, std::string("batch_norm_1/") + name)
                    ->trainable());
  }
  for (const char* name : {"moving_mean", "moving_variance"}) {
    EXPECT_FALSE(FindParameter(*graph, std::string("batch_norm_1/") + name)
                     ->trainable());
  }
  // Keras' kernels [features, heads, key] and [heads, key, features].
  const Parameter* query = FindParameter(*graph, "dense_1/kernel");
  EXPECT_EQ(query->shape, Shape({63, 8}));
  EXPECT_EQ(query->fan_in, 2 * 63);
  EXPECT_EQ(query->fan_out, 4 * 63);
  const Parameter* output = FindParameter(*graph, "dense_4/kernel");
  EXPECT_EQ(output->shape, Shape({8, 63}));
  EXPECT_EQ(output->fan_in, 4 * 2);
  EXPECT_EQ(output->fan_out, 63 * 2);
}

// Each way to misfit: the message names what was asked for, what came before it
// and its shape.
TEST(GraphBuilderTest, NamesBothOperationsAndTheirShapes) {
  using B = GraphBuilder;
  const Shape image({7, 5, 3});
  const Shape features({4});
  const struct {
    Shape input;
    Build build;
    const char* message;
  } cases[] = {
      {features,
       [](B& b, TensorId x) { return b.Conv2D(x, 8, Window::Square(3)); },
       "conv2d needs an image [N, H, W, C], but input gives [4]"},
      {image,
       [](B& b, TensorId x) {
         return b.Conv2D(b.Relu(x), 8, {6, 6, 1}, {Padding::kValid});
       },
       "conv2d with a window of 6 x 6 does not fit: relu_1 gives [7, 5, 3]"},
      {image,
       [](B& b, TensorId x) { return b.Conv2D(x, 0, Window::Square(3)); },
       "conv2d after input gives [7, 5, 3]: 0 filters; at least 1 is needed"},
      {image,
       [](B& b, TensorId x) {
         return b.DepthwiseConv2D(x, Window::Square(3, 0));
       },
       "depthwise_conv2d after input gives [7, 5, 3]: window 3 x 3, stride 0; "
       "all must be at least 1"},
      {image,
       [](B& b, TensorId x) { return b.MaxPool(x, Window::Square(8, 2)); },
       "max_pool with a window of 8 x 8 does not fit: input gives [7, 5, 3]"},
      {features,
       [](B& b, TensorId x) { return b.AveragePool(x, Window::Square(2)); },
       "average_pool needs an image [N, H, W, C], but input gives [4]"},
      {features, [](B& b, TensorId x) { return b.GlobalAveragePool(x); },
       "global_average_pool needs an image [N, H, W, C], but input gives [4]"},
      {features, [](B& b, TensorId x) { return b.ZeroPad(x, 1, 1, 1, 1); },
       "zero_pad needs an image [N, H, W, C], but input gives [4]"},
      {image, [](B& b, TensorId x) { return b.ZeroPad(x, 1, -1, 1, 1); },
       "zero_pad after input gives [7, 5, 3]: a padding is negative"},
      {features, [](B& b, TensorId x) { return b.PadChannels(x, 1, 1); },
       "pad_channels needs an image [N, H, W, C], but input gives [4]"},
      {image, [](B& b, TensorId x) { return b.PadChannels(x, -1, 1); },
       "pad_channels after input gives [7, 5, 3]: a padding is negative"},
      {image, [](B& b, TensorId x) { return b.Patches(x, 6); },
       "patches of 6 do not fit: input gives [7, 5, 3]"},
      {Shape({6, 3}), [](B& b, TensorId x) { return b.BatchNorm(x); },
       "batch_norm needs [N, C] or [N, H, W, C], but input gives [6, 3]"},
      {features, [](B& b, TensorId x) { return b.BatchNorm(x, 0); },
       "batch_norm after input gives [4]: epsilon 0 must be above 0 and "
       "momentum 0.99 in [0, 1)"},
      {Shape({257}), [](B& b, TensorId x) { return b.LayerNorm(x, 1e-6); },
       "layer_norm needs a last axis of at most 256, but input gives [257]"},
      {Shape({257}), [](B& b, TensorId x) { return b.Softmax(x); },
       "softmax needs a last axis of at most 256, but input gives [257]"},
      {image,
       [](B& b, TensorId x) {
         return b.Concat({x, b.ZeroPad(x, 0, 1, 0, 0)});
       },
       "concat needs tensors that differ in the last axis alone, but input "
       "gives [7, 5, 3] and zero_pad_1 gives [8, 5, 3]"},
      {image,
       [](B& b, TensorId x) {
         return b.Concat({x, b.Flatten(x)});
       },
       "concat needs tensors that differ in the last axis alone, but input "
       "gives [7, 5, 3] and flatten_1 gives [105]"},
      {image, [](B& b, TensorId) { return b.Concat({}); },
       "concat needs at least one tensor"},
      {image, [](B& b, TensorId x) { return b.PositionEmbedding(x); },
       "position_embedding needs [N, tokens, features], but input gives "
       "[7, 5, 3]"},
      {image, [](B& b, TensorId x) { return b.MultiHeadAttention(x, 2, 2); },
       "attention_scores needs [N, tokens, features], but input gives "
       "[7, 5, 3]"},
      {Shape({6, 3}),
       [](B& b, TensorId x) { return b.MultiHeadAttention(x, 0, 2); },
       "attention after input gives [6, 3]: 0 heads of 2; both must be at "
       "least 1, and tokens at most 256"},
      {Shape({6, 3}), [](B& b, TensorId x) { return b.Dense(x, 0); },
       "dense after input gives [6, 3]: 0 units; at least 1 is needed"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(BuildOn(c.input, c.build).status().message(), c.message);
  }
  GraphBuilder b;
  const TensorId y = b.Relu(b.Input(image));
  EXPECT_EQ(std::move(b).Classifier(y).status().message(),
            "a classifier needs logits [N, classes], but relu_1 gives "
            "[7, 5, 3]");
}

}  // namespace
}  // namespace repro16
