#include "engine/graph/testing/op_case.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

namespace repro16 {
namespace {

using B = GraphBuilder;

constexpr ConvOptions kSame{};
constexpr ConvOptions kValid{Padding::kValid};
constexpr ConvOptions kSameNoBias{Padding::kSame, /*bias=*/false};
constexpr ConvOptions kValidNoBias{Padding::kValid, /*bias=*/false};

OpCase Conv(std::string name, Shape input, int64_t filters, Window window,
            ConvOptions options) {
  return {
      "conv2d_" + std::move(name), OpKind::kConv2D, std::move(input),
      [=](B& b, TensorId x) { return b.Conv2D(x, filters, window, options); }};
}

OpCase Depthwise(std::string name, Shape input, Window window,
                 ConvOptions options) {
  return {"depthwise_conv2d_" + std::move(name), OpKind::kDepthwiseConv2D,
          std::move(input), [=](B& b, TensorId x) {
            return b.DepthwiseConv2D(x, window, options);
          }};
}

OpCase MaxPool(std::string name, Shape input, Window window, Padding padding) {
  return {"max_pool_" + std::move(name),
          OpKind::kMaxPool,
          std::move(input),
          [=](B& b, TensorId x) { return b.MaxPool(x, window, padding); },
          1,
          InputKind::kDistinct};
}

OpCase AveragePool(std::string name, Shape input, Window window,
                   Padding padding) {
  return {"average_pool_" + std::move(name), OpKind::kAveragePool,
          std::move(input),
          [=](B& b, TensorId x) { return b.AveragePool(x, window, padding); }};
}

OpCase Attention(std::string name, OpKind kind, int64_t tokens, int64_t heads,
                 int64_t key_size) {
  return {std::move(name), kind, Shape({tokens, 5}), [=](B& b, TensorId x) {
            return b.MultiHeadAttention(x, heads, key_size);
          }};
}

// Channels that differ from image to image: the operations before it are
// elementwise.
TensorId ConcatOfThree(B& b, TensorId x) {
  return b.Concat(
      {b.Tanh(x), b.PadChannels(b.Gelu(x), 1, 0), b.Scale(b.Relu(x), 0.5)});
}

void AddCases(std::vector<OpCase>& to, std::vector<OpCase> cases) {
  for (OpCase& c : cases) to.push_back(std::move(c));
}

std::vector<OpCase> LinearCases() {
  return {
      {"dense", OpKind::kDense, Shape({37}),
       [](B& b, TensorId x) { return b.Dense(x, 11); }},
      {"dense_of_tokens", OpKind::kDense, Shape({5, 7}),
       [](B& b, TensorId x) { return b.Dense(x, 6); }},
      Conv("3x3_same", Shape({5, 4, 3}), 5, Window::Square(3), kSame),
      Conv("3x3_same_stride_2_even", Shape({6, 4, 3}), 4, Window::Square(3, 2),
           kSameNoBias),
      Conv("3x3_same_stride_2_odd", Shape({5, 7, 2}), 4, Window::Square(3, 2),
           kSame),
      Conv("3x3_valid_many_filters", Shape({5, 4, 2}), 37, Window::Square(3),
           kValid),
      Conv("5x5_valid_stride_2", Shape({7, 8, 3}), 5, Window::Square(5, 2),
           kValidNoBias),
      Conv("1x1", Shape({4, 3, 19}), 7, Window::Square(1), kSame),
      Conv("1x1_stride_2", Shape({5, 4, 6}), 3, Window::Square(1, 2),
           kSameNoBias),
      Conv("4x2_stride_3", Shape({8, 7, 2}), 4, {4, 2, 3}, kSame),
      Conv("2x2_with_gaps", Shape({7, 8, 2}), 3, Window::Square(2, 3), kValid),
      Conv("5x5_on_a_smaller_image", Shape({2, 3, 3}), 3, Window::Square(5),
           kSame),
      Conv("more_than_a_chunk", Shape({2, 2, 30}), 3, Window::Square(3),
           kSameNoBias),
      Depthwise("3x3_same", Shape({5, 4, 7}), Window::Square(3), kSame),
      Depthwise("3x3_same_stride_2", Shape({6, 5, 3}), Window::Square(3, 2),
                kSame),
      Depthwise("3x3_valid_stride_2", Shape({7, 7, 5}), Window::Square(3, 2),
                kValidNoBias),
      Depthwise("many_channels", Shape({3, 3, 37}), Window::Square(3),
                kSameNoBias),
      Depthwise("5x5_on_a_smaller_image", Shape({3, 4, 2}), Window::Square(5),
                kSameNoBias),
      Depthwise("2x3_with_gaps", Shape({7, 8, 3}), {2, 3, 4}, kSame),
  };
}

std::vector<OpCase> NormalisationCases() {
  return {
      {"batch_norm_of_features", OpKind::kBatchNorm, Shape({13}),
       [](B& b, TensorId x) { return b.BatchNorm(x); }},
      {"batch_norm_of_images", OpKind::kBatchNorm, Shape({3, 4, 5}),
       [](B& b, TensorId x) { return b.BatchNorm(x, 1.001e-5, 0.9); }},
      {"batch_norm_many_channels", OpKind::kBatchNorm, Shape({2, 1, 37}),
       [](B& b, TensorId x) { return b.BatchNorm(x, 1e-3, 0.999); }},
      {"layer_norm_of_features", OpKind::kLayerNorm, Shape({9}),
       [](B& b, TensorId x) { return b.LayerNorm(x, 1e-6); }},
      {"layer_norm_of_tokens", OpKind::kLayerNorm, Shape({4, 19}),
       [](B& b, TensorId x) { return b.LayerNorm(x, 1e-3); }},
      {"softmax", OpKind::kSoftmax, Shape({10}),
       [](B& b, TensorId x) { return b.Softmax(x); }, 4},
      {"softmax_of_scores", OpKind::kSoftmax, Shape({2, 3, 17}),
       [](B& b, TensorId x) { return b.Softmax(x); }, 4},
      {"softmax_cross_entropy", OpKind::kSoftmaxCrossEntropy, Shape({3, 2, 1}),
       [](B& b, TensorId x) { return b.Dense(b.Flatten(x), 7); }},
      Attention("attention_scores", OpKind::kAttentionScores, 4, 2, 3),
      Attention("attention_scores_long_keys", OpKind::kAttentionScores, 3, 3,
                19),
      Attention("attention_context", OpKind::kAttentionContext, 4, 2, 3),
      Attention("attention_context_many_tokens", OpKind::kAttentionContext, 18,
                1, 2),
  };
}

std::vector<OpCase> ElementwiseCases() {
  return {
      {"relu", OpKind::kRelu, Shape({37}),
       [](B& b, TensorId x) { return b.Relu(x); }},
      {"relu6", OpKind::kRelu6, Shape({37}),
       [](B& b, TensorId x) { return b.Relu6(x); }, 9},
      {"tanh", OpKind::kTanh, Shape({37}),
       [](B& b, TensorId x) { return b.Tanh(x); }, 3},
      {"gelu", OpKind::kGelu, Shape({37}),
       [](B& b, TensorId x) { return b.Gelu(x); }, 4},
      {"dropout", OpKind::kDropout, Shape({37}),
       [](B& b, TensorId x) { return b.Dropout(x, 0.3); }},
      {"scale", OpKind::kScale, Shape({4, 9}),
       [](B& b, TensorId x) { return b.Scale(x, 1 / std::sqrt(3.0)); }},
      {"position_embedding", OpKind::kPositionEmbedding, Shape({4, 9}),
       [](B& b, TensorId x) { return b.PositionEmbedding(x); }},
      {"add", OpKind::kAdd, Shape({37}),
       [](B& b, TensorId x) { return b.Add(b.Tanh(x), b.Relu(x)); }},
  };
}

std::vector<OpCase> LayoutCases() {
  return {
      {"flatten", OpKind::kFlatten, Shape({3, 2, 5}),
       [](B& b, TensorId x) { return b.Flatten(x); }},
      {"concat_of_features", OpKind::kConcat, Shape({6}),
       [](B& b, TensorId x) {
         return b.Concat({b.Dense(x, 3), b.Tanh(x), b.Dense(x, 1)});
       }},
      {"concat_of_images", OpKind::kConcat, Shape({3, 2, 5}), ConcatOfThree},
      {"concat_of_one", OpKind::kConcat, Shape({3, 2}),
       [](B& b, TensorId x) { return b.Concat({x}); }},
      {"zero_pad", OpKind::kZeroPad, Shape({3, 2, 5}),
       [](B& b, TensorId x) { return b.ZeroPad(x, 1, 2, 0, 3); }},
      {"pad_channels", OpKind::kPadChannels, Shape({3, 2, 5}),
       [](B& b, TensorId x) { return b.PadChannels(x, 2, 1); }},
      {"patches", OpKind::kPatches, Shape({5, 4, 3}),
       [](B& b, TensorId x) { return b.Patches(x, 2); }},
  };
}

std::vector<OpCase> PoolCases() {
  return {
      MaxPool("2x2", Shape({4, 6, 2}), Window::Square(2, 2), Padding::kValid),
      MaxPool("3x3_stride_2", Shape({5, 6, 1}), Window::Square(3, 2),
              Padding::kValid),
      MaxPool("3x3_stride_2_same", Shape({5, 4, 2}), Window::Square(3, 2),
              Padding::kSame),
      MaxPool("3x3_overlapping_same", Shape({3, 5, 3}), Window::Square(3),
              Padding::kSame),
      MaxPool("2x3_with_gaps", Shape({5, 9, 1}), {2, 3, 4}, Padding::kValid),
      MaxPool("many_channels", Shape({1, 2, 19}), {1, 2, 1}, Padding::kValid),
      AveragePool("2x2", Shape({4, 6, 2}), Window::Square(2, 2),
                  Padding::kValid),
      AveragePool("3x3_overlapping_same", Shape({3, 5, 3}), Window::Square(3),
                  Padding::kSame),
      AveragePool("3x3_stride_2_same", Shape({6, 5, 2}), Window::Square(3, 2),
                  Padding::kSame),
      AveragePool("2x3_with_gaps", Shape({7, 8, 1}), {2, 3, 4},
                  Padding::kValid),
      AveragePool("many_channels", Shape({2, 2, 37}), Window::Square(2, 2),
                  Padding::kValid),
      {"global_average_pool", OpKind::kGlobalAveragePool, Shape({3, 5, 7}),
       [](B& b, TensorId x) { return b.GlobalAveragePool(x); }},
      {"global_average_pool_many_channels", OpKind::kGlobalAveragePool,
       Shape({2, 2, 37}),
       [](B& b, TensorId x) { return b.GlobalAveragePool(x); }},
  };
}

}  // namespace

const std::vector<OpCase>& OpCases() {
  static const auto& cases = *[] {
    auto* all = new std::vector<OpCase>;
    AddCases(*all, LinearCases());
    AddCases(*all, NormalisationCases());
    AddCases(*all, ElementwiseCases());
    AddCases(*all, LayoutCases());
    AddCases(*all, PoolCases());
    return all;
  }();
  return cases;
}

Graph BuildGraph(const OpCase& c) {
  GraphBuilder b;
  const TensorId y = c.build(b, b.Input(c.input));
  absl::StatusOr<Graph> graph = c.kind == OpKind::kSoftmaxCrossEntropy
                                    ? std::move(b).Classifier(y)
                                    : std::move(b).Build(y);
  EXPECT_TRUE(graph.ok()) << c.name << ": " << graph.status();
  return *std::move(graph);
}

Graph BuildGraph(const NetworkCase& c) {
  GraphBuilder b;
  absl::StatusOr<Graph> graph =
      std::move(b).Classifier(c.build(b, b.Input(c.input)));
  EXPECT_TRUE(graph.ok()) << c.name << ": " << graph.status();
  return *std::move(graph);
}

}  // namespace repro16
