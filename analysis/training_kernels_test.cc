#include "analysis/training_kernels.h"

#include <gtest/gtest.h>

#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/graph/builder.h"

namespace repro16 {
namespace {

using B = GraphBuilder;

Graph BuildOn(Shape input, const std::function<TensorId(B&, TensorId)>& build) {
  GraphBuilder b;
  const TensorId y = build(b, b.Input(std::move(input)));
  absl::StatusOr<Graph> graph = std::move(b).Build(y);
  EXPECT_TRUE(graph.ok()) << graph.status();
  return *std::move(graph);
}

Graph TwoDense() {
  return BuildOn(Shape({5}),
                 [](B& b, TensorId x) { return b.Dense(b.Dense(x, 7), 3); });
}

PrecisionPolicy Policy(std::string_view name) { return *FindPolicy(name); }

std::vector<Kernel> Training(const Graph& graph, std::string_view policy,
                             int64_t batch = 2) {
  return TrainingKernels(graph, Policy(policy), {batch, /*tf32=*/true});
}

std::vector<Kernel> Of(const std::vector<Kernel>& kernels, Pass pass) {
  std::vector<Kernel> found;
  for (const Kernel& kernel : kernels) {
    if (kernel.pass == pass) found.push_back(kernel);
  }
  return found;
}

double Bytes(const std::vector<Kernel>& kernels) {
  double bytes = 0;
  for (const Kernel& kernel : kernels) bytes += kernel.bytes;
  return bytes;
}

double Flops(const std::vector<Kernel>& kernels) {
  double flops = 0;
  for (const Kernel& kernel : kernels) flops += kernel.flops;
  return flops;
}

void ExpectKernel(const Kernel& kernel, MathUnit unit, double flops,
                  double bytes) {
  EXPECT_EQ(kernel.unit, unit);
  EXPECT_EQ(kernel.flops, flops);
  EXPECT_EQ(kernel.bytes, bytes);
}

// Counted by hand: 2 examples of 5, to 7, to 3, in 4 bytes.
TEST(TrainingKernelsTest, DenseLayers) {
  const std::vector<Kernel> kernels = Training(TwoDense(), "FP32");
  const std::vector<Kernel> forward = Of(kernels, Pass::kForward);
  ASSERT_EQ(forward.size(), 4u);
  ExpectKernel(forward[0], MathUnit::kTf32, 2 * 2 * 5 * 7,
               4 * (2 * 5 + 5 * 7 + 2 * 7));
  ExpectKernel(forward[1], MathUnit::kF32, 0, 4 * (2 * 2 * 7));
  ExpectKernel(forward[2], MathUnit::kTf32, 2 * 2 * 7 * 3,
               4 * (2 * 7 + 7 * 3 + 2 * 3));
  ExpectKernel(forward[3], MathUnit::kF32, 0, 4 * (2 * 2 * 3));

  // Weights and input of the last, biases; the first has no gradient of its
  // input to compute.
  const std::vector<Kernel> backward = Of(kernels, Pass::kBackward);
  ASSERT_EQ(backward.size(), 5u);
  ExpectKernel(backward[0], MathUnit::kTf32, 2 * 2 * 7 * 3,
               4 * (2 * 7 + 7 * 3 + 2 * 3));
  ExpectKernel(backward[1], MathUnit::kTf32, 2 * 2 * 7 * 3,
               4 * (2 * 7 + 7 * 3 + 2 * 3));
  ExpectKernel(backward[2], MathUnit::kF32, 0, 4 * (2 * 3));
  ExpectKernel(backward[3], MathUnit::kTf32, 2 * 2 * 5 * 7,
               4 * (2 * 5 + 5 * 7 + 2 * 7));
  ExpectKernel(backward[4], MathUnit::kF32, 0, 4 * (2 * 7));

  // w, v, g read and w, v written.
  const std::vector<Kernel> update = Of(kernels, Pass::kUpdate);
  ASSERT_EQ(update.size(), 4u);
  ExpectKernel(update[0], MathUnit::kF32, 0, 4 * 5 * 5 * 7);
  ExpectKernel(update[3], MathUnit::kF32, 0, 4 * 5 * 3);
}

TEST(TrainingKernelsTest, BatchNormalisationReadsTwiceToTrainOnceToEvaluate) {
  const Graph graph = BuildOn(Shape({3, 4, 5}),
                              [](B& b, TensorId x) { return b.BatchNorm(x); });
  const double x = 2 * 3 * 4 * 5 * 4;
  const std::vector<Kernel> forward =
      Of(Training(graph, "FP32"), Pass::kForward);
  ASSERT_EQ(forward.size(), 3u);
  EXPECT_EQ(forward[0].bytes, 3 * x);
  EXPECT_EQ(forward[1].bytes, 2 * 5 * 4);  // a moving statistic, copied
  const std::vector<Kernel> backward =
      Of(Training(graph, "FP32"), Pass::kBackward);
  ASSERT_EQ(backward.size(), 1u);
  EXPECT_EQ(backward[0].bytes, 5 * x);
  const std::vector<Kernel> evaluation =
      EvaluationKernels(graph, Policy("FP32"), {2, true});
  ASSERT_EQ(evaluation.size(), 1u);
  EXPECT_EQ(evaluation[0].bytes, 2 * x);
}

// dx + dx: the gradient of a tensor with two readers is added up.
TEST(TrainingKernelsTest, FanInIsAKernelAndFlattenIsNone) {
  const Graph graph = BuildOn(Shape({2, 3}), [](B& b, TensorId x) {
    const TensorId y = b.Dense(x, 3);
    return b.Flatten(b.Add(b.Relu(y), b.Tanh(y)));
  });
  const std::vector<Kernel> kernels = Training(graph, "FP32");
  EXPECT_EQ(Of(kernels, Pass::kForward).size(), 2u + 1 + 1 + 1);
  // ReLU, tanh, the sum, weights, bias.
  const std::vector<Kernel> backward = Of(kernels, Pass::kBackward);
  ASSERT_EQ(backward.size(), 5u);
  const double y = 2 * 2 * 3 * 4;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(backward[i].bytes, 3 * y);
}

TEST(TrainingKernelsTest, PolicyChoosesTheUnit) {
  const auto unit = [](std::string_view policy, bool tf32) {
    return TrainingKernels(TwoDense(), Policy(policy), {2, tf32}).front().unit;
  };
  EXPECT_EQ(unit("FP32", true), MathUnit::kTf32);
  EXPECT_EQ(unit("FP32", false), MathUnit::kF32);
  EXPECT_EQ(unit("FP16", true), MathUnit::kF16);
  EXPECT_EQ(unit("FP16_BN32", true), MathUnit::kF16);
  EXPECT_EQ(unit("FP16_ACC16", true), MathUnit::kF16Acc16);
  const Graph depthwise = BuildOn(Shape({6, 4, 5}), [](B& b, TensorId x) {
    return b.DepthwiseConv2D(x, Window::Square(3, 2));
  });
  EXPECT_EQ(Training(depthwise, "FP16")[0].unit, MathUnit::kF32);
  EXPECT_GT(Training(depthwise, "FP16")[0].flops, 0);
}

TEST(TrainingKernelsTest, Fp16MovesHalfTheBytesAndComputesTheSame) {
  const Graph graph = BuildOn(Shape({6, 6, 3}), [](B& b, TensorId x) {
    const TensorId y = b.Relu(b.BatchNorm(b.Conv2D(x, 4, {3, 3, 1})));
    return b.Dense(b.GlobalAveragePool(y), 10);
  });
  const std::vector<Kernel> fp32 = Training(graph, "FP32");
  const std::vector<Kernel> fp16 = Training(graph, "FP16");
  ASSERT_EQ(fp16.size(), fp32.size());
  EXPECT_EQ(Bytes(fp16) * 2, Bytes(fp32));
  EXPECT_EQ(Flops(fp16), Flops(fp32));
  // Parameters of the normalisation: 2 statistics copied, 2 parameters updated
  // of 4 channels, 2 bytes more each.
  EXPECT_EQ(Bytes(Training(graph, "FP16_BN32")) - Bytes(fp16),
            2 * (2 * 2 * 4) + 2 * (2 * 5 * 4));
}

// Beyond FP16: each of 4 parameters is cast, its gradient cast back, unscaled
// and tested; the loss is scaled and the tests are combined.
TEST(TrainingKernelsTest, MixedPrecisionPaysForEachParameter) {
  const std::vector<Kernel> fp16 = Training(TwoDense(), "FP16");
  const std::vector<Kernel> mp = Training(TwoDense(), "MP");
  EXPECT_EQ(mp.size(), fp16.size() + 4 * 4 + 2);
  const double parameters = 5 * 7 + 7 + 7 * 3 + 3;
  // Casts 4 + 2 and 2 + 4, unscaling 4 + 4, test 4, update 5 * (4 - 2).
  EXPECT_EQ(Bytes(mp) - Bytes(fp16), parameters * (6 + 6 + 8 + 4 + 10));
  EXPECT_EQ(Of(mp, Pass::kForward).size(),
            Of(fp16, Pass::kForward).size() + 4 + 1);
}

TEST(TrainingKernelsTest, EvaluationCastsButDoesNotGoBack) {
  const std::vector<Kernel> kernels =
      EvaluationKernels(TwoDense(), Policy("MP"), {2, true});
  EXPECT_EQ(kernels.size(), 4u + 4u);
  EXPECT_EQ(Of(kernels, Pass::kForward).size(), kernels.size());
}

TEST(TrainingKernelsTest, RegularisationReadsTheWeightsTwice) {
  const auto regularised = [](double l2) {
    return Training(BuildOn(Shape({5}),
                            [l2](B& b, TensorId x) {
                              return b.Dense(x, 7, Initializer::kZeros, l2);
                            }),
                    "FP32");
  };
  EXPECT_EQ(regularised(1e-4).size(), regularised(0).size() + 2);
  EXPECT_EQ(Bytes(regularised(1e-4)) - Bytes(regularised(0)),
            4 * (5 * 7) * (1 + 3));
}

TEST(TrainingKernelsTest, AttentionProductsHaveTwoGradients) {
  const Graph graph = BuildOn(Shape({3, 4}), [](B& b, TensorId x) {
    return b.MultiHeadAttention(x, 2, 5);
  });
  double product_flops = 0;
  for (const Kernel& kernel : Training(graph, "FP32")) {
    if (kernel.unit == MathUnit::kTf32) product_flops += kernel.flops;
  }
  // Four projections between 4 and 10 channels, forward and weights; of the
  // output's projection also the input; the input of the graph has none. Scores
  // and context, 3 x 3 tokens by 10 channels, forward and two gradients each.
  const double projection = 2.0 * 2 * 3 * 4 * 10;
  const double product = 2.0 * 2 * 3 * 3 * 10;
  EXPECT_EQ(product_flops, 4 * 2 * projection + projection + 2 * 3 * product);
}

}  // namespace
}  // namespace repro16
