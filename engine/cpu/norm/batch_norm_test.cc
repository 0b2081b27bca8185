#include "engine/cpu/norm/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/batch_norm_case.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/simd_target.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using A = FusedActivation;
using Case = BatchNormCase;
using Tensors = BatchNormTensors;

enum class Pass { kInference, kTraining };

void RunKernel(const Case& c, Pass pass, int threads, Tensors& t,
               bool in_place = false, StoreCounter* sum_counter = nullptr) {
  const auto kernel =
      MakeBatchNorm(c.in, {c.epsilon, c.momentum, c.activation});
  const bool training = pass == Pass::kTraining;
  RunBound(c, training, kernel->SavedBytes(c.batch), t, in_place, sum_counter,
           [&](const OpBuffers& buffers) {
             RunPass(*kernel, c.batch, threads, [&](PassContext context) {
               context.training = training;
               kernel->Forward(buffers, context);
               if (training) kernel->Backward(buffers, context);
             });
           });
}

// --- Tests

class BatchNormTest : public KernelTest {
 protected:
  // One number of threads, another for each call, or all.
  void Check(const Case& c, const Tensors& inputs, bool all_threads = false) {
    for (const Pass pass : {Pass::kInference, Pass::kTraining}) {
      Tensors expected = inputs;
      Reference(c, pass == Pass::kTraining, expected);
      for (size_t p = 0; p < std::size(kThreadCounts); ++p) {
        if (!all_threads && p != turn_ % std::size(kThreadCounts)) continue;
        SCOPED_TRACE(testing::Message()
                     << c.in.ToString() << " times " << c.batch << " "
                     << Name(c.type) << "/" << Name(c.parameter_type)
                     << " activation " << static_cast<int>(c.activation)
                     << " training " << (pass == Pass::kTraining) << ", "
                     << kThreadCounts[p] << " threads");
        Tensors t = inputs;
        RunKernel(c, pass, kThreadCounts[p], t, /*in_place=*/turn_ % 3 == 0);
        ExpectEqual(t, expected);
      }
      ++turn_;
    }
  }

  size_t turn_ = 0;
};

TEST_P(BatchNormTest, EqualsScalarContract) {
  for (const BatchNormTypes types : kPolicyTypes) {
    for (const int64_t channels : {1, 3, 10, 16, 24, 64, 130}) {
      for (const int64_t rows : {1, 2, 255, 256, 257}) {
        const A activation = kActivations[turn_ / 2 % 3];
        const Case c = {Shape({channels}), rows, types.activation,
                        types.batch_norm, activation};
        Check(c, MakeTensors(c));
      }
    }
  }
}

TEST_P(BatchNormTest, ManyRowsWithAnyThreads) {
  for (const BatchNormTypes types : kPolicyTypes) {
    for (const int64_t channels : {1, 3, 10, 16, 24, 64, 130}) {
      const A activation = kActivations[turn_ / 2 % 3];
      const Case c = {Shape({10, 15, channels}), 10, types.activation,
                      types.batch_norm, activation};
      Check(c, MakeTensors(c), /*all_threads=*/true);
    }
    // Several blocks of channels.
    const Case wide = {Shape({2, 2, 300}), 70, types.activation,
                       types.batch_norm};
    Check(wide, MakeTensors(wide), /*all_threads=*/true);
  }
}

TEST_P(BatchNormTest, CountsWhatStoresDo) {
  for (const DType type : kAllTypes) {
    for (const DType parameter_type : kAllTypes) {
      for (const A activation : kActivations) {
        const Case c = {Shape({3, 3, 90}), 5, type, parameter_type, activation};
        for (const bool with_nan : {false, true}) {
          Check(c, MakeExtremeTensors(c, with_nan));
        }
      }
    }
  }
}

// Against the kernel without an activation, and the activation after it.
TEST_P(BatchNormTest, FusedEqualsUnfused) {
  for (const DType type : kAllTypes) {
    for (const A activation : {A::kRelu, A::kRelu6}) {
      for (const bool with_nan : {false, true}) {
        Case c = {Shape({4, 4, 90}), 5, type, DType::kF32, activation};
        SCOPED_TRACE(testing::Message()
                     << Name(type) << with_nan << static_cast<int>(activation));
        const Tensors inputs = MakeExtremeTensors(c, with_nan);
        Tensors fused = inputs;
        RunKernel(c, Pass::kTraining, 2, fused);

        c.activation = A::kNone;
        Tensors forward = inputs;
        RunKernel(c, Pass::kTraining, 2, forward);
        Tensors unfused = inputs;
        for (int64_t i = 0; i < c.elements(); ++i) {
          if (!Passes(activation, forward.y.Get(i))) unfused.dy.Set(i, 0.0f);
        }
        RunKernel(c, Pass::kTraining, 2, unfused);
        for (int64_t i = 0; i < c.elements(); ++i) {
          unfused.y.Set(i, Activated(activation, unfused.y.Get(i)));
        }
        ExpectEqual(fused, unfused);
        EXPECT_EQ(fused.y_counter.nan > 0, with_nan);
        if (type == DType::kF16) {
          EXPECT_GT(fused.y_counter.underflow, 0u);
          EXPECT_GT(fused.dx_counter.underflow, 0u);
          EXPECT_GT(fused.dx_counter.infinite, 0u);
        }
      }
    }
  }
}

// As if an accumulation followed the kernel.
TEST_P(BatchNormTest, AddsItsGradientToASum) {
  for (const DType type : kAllTypes) {
    for (const A activation : kActivations) {
      for (const int64_t channels : {1, 3, 16, 90}) {
        const Case c = {Shape({3, 3, channels}), 5, type, DType::kF32,
                        activation};
        const Tensors inputs = MakeExtremeTensors(c, channels == 90);
        Tensors expected = inputs;
        RunKernel(c, Pass::kTraining, 2, expected);
        Tensors actual = inputs;
        FillNormal(actual.dx, 6, 0.0f, 1.0f);
        StoreCounter expected_counter, counter;
        for (int64_t i = 0; i < c.elements(); ++i) {
          const float sum = actual.dx.Get(i) + expected.dx.Get(i);
          expected.dx.SetCounted(i, sum, expected_counter);
        }
        RunKernel(c, Pass::kTraining, NextThreads(), actual,
                  /*in_place=*/false, &counter);
        ExpectEqual(actual, expected);
        EXPECT_TRUE(counter == expected_counter);
      }
    }
  }
}

// Values around those that round to 0 or 6: x is 1 and -1, so that
// normalisation gives gamma and -gamma.
TEST_P(BatchNormTest, ActivationsLookAtTheRoundedValue) {
  std::vector<float> values;
  for (const float edge : {0x1p-25f, 0x1p-24f, 0x1p-134f, 0x1p-133f, 0.0f, 6.0f,
                           6.0f - 0x1p-9f, 6.0f - 0x1p-8f, 6.0f - 0x1p-6f,
                           6.0f - 0x1p-5f, 6.0f + 0x1p-9f, 6.0f + 0x1p-6f}) {
    values.push_back(edge);
    values.push_back(std::nextafter(edge, -1.0f));
    values.push_back(std::nextafter(edge, 10.0f));
  }
  const auto channels = static_cast<int64_t>(values.size());
  for (const DType type : kAllTypes) {
    for (const A activation : {A::kRelu, A::kRelu6}) {
      Case c = {Shape({channels}), 2, type, DType::kF32, activation};
      c.epsilon = 0;
      Tensors t = MakeTensors(c);
      for (int64_t i = 0; i < channels; ++i) {
        t.x.Set(i, 1.0f);
        t.x.Set(i + channels, -1.0f);
        t.parameters[0].Set(i, values[static_cast<size_t>(i)]);
        t.parameters[1].Set(i, 0.0f);
      }
      Check(c, t);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, BatchNormTest,
                         testing::ValuesIn(UsableSimdTargets()));

// sum_i w[i] * y[i] of a batch with one channel, in f64.
double WeightedOutput(const std::vector<double>& x, double gamma, double beta,
                      const std::vector<double>& w, A activation,
                      double epsilon) {
  double mean = 0, variance = 0, sum = 0;
  const double n = static_cast<double>(x.size());
  for (const double v : x) mean += v / n;
  for (const double v : x) variance += (v - mean) * (v - mean) / n;
  for (size_t i = 0; i < x.size(); ++i) {
    double y = gamma * (x[i] - mean) / std::sqrt(variance + epsilon) + beta;
    if (activation != A::kNone) y = std::max(y, 0.0);
    if (activation == A::kRelu6) y = std::min(y, 6.0);
    sum += w[i] * y;
  }
  return sum;
}

TEST(BatchNormGradientTest, EqualsCentralDifferences) {
  for (const A activation : kActivations) {
    const Case c = {Shape({1}), 37, DType::kF32, DType::kF32, activation};
    Tensors t(c);
    FillNormal(t.x, 1, 0.5f, 2.0f);
    FillNormal(t.dy, 2, 0.2f, 1.0f);
    const double gamma = 3.5, beta = 2.25;
    t.parameters[0].Set(0, static_cast<float>(gamma));
    t.parameters[1].Set(0, static_cast<float>(beta));
    for (int p : {2, 3}) t.parameters[p].Set(0, 1.0f);
    RunKernel(c, Pass::kTraining, 1, t);

    std::vector<double> x, w;
    for (int64_t i = 0; i < c.rows(); ++i) {
      x.push_back(t.x.Get(i));
      w.push_back(t.dy.Get(i));
    }
    const double h = 1e-6;
    const auto loss = [&](double g, double b) {
      return WeightedOutput(x, g, b, w, activation, c.epsilon);
    };
    EXPECT_NEAR(t.gradients[0].Get(0),
                (loss(gamma + h, beta) - loss(gamma - h, beta)) / (2 * h),
                2e-5);
    EXPECT_NEAR(t.gradients[1].Get(0),
                (loss(gamma, beta + h) - loss(gamma, beta - h)) / (2 * h),
                2e-5);
    for (size_t i = 0; i < x.size(); ++i) {
      const double at = x[i];
      x[i] = at + h;
      const double above = loss(gamma, beta);
      x[i] = at - h;
      const double below = loss(gamma, beta);
      x[i] = at;
      EXPECT_NEAR(t.dx.Get(static_cast<int64_t>(i)), (above - below) / (2 * h),
                  5e-6);
    }
  }
}

TEST(BatchNormMovingTest, VarianceIsUnbiasedForImagesOnly) {
  for (const bool image : {false, true}) {
    Case c = {image ? Shape({1, 2, 1}) : Shape({1}), image ? 2 : 4, DType::kF32,
              DType::kF32};
    c.momentum = 0.5;
    Tensors t(c);
    for (int64_t i = 0; i < 4; ++i) t.x.Set(i, static_cast<float>(2 * i));
    FillNormal(t.dy, 1, 0, 1);
    for (TypedArray& p : t.parameters) p.Set(0, 1.0f);
    RunKernel(c, Pass::kTraining, 1, t);
    // Mean 3, squares 20.
    EXPECT_EQ(t.parameters[2].Get(0), 2.0f);
    EXPECT_EQ(t.parameters[3].Get(0),
              1.0f - (1.0f - 20.0f / (image ? 3.0f : 4.0f)) * 0.5f);
  }
}

// The moving mean after many batches whose mean is 1, from 0.
float MovedToOne(double momentum, DType type, int steps) {
  Case c = {Shape({1}), 2, type, type};
  c.momentum = momentum;
  Tensors t(c);
  for (TypedArray& p : t.parameters) p.Set(0, 0.0f);
  for (int64_t i = 0; i < 2; ++i) {
    t.x.Set(i, 1.0f);
    t.dy.Set(i, 0.0f);
  }
  for (int step = 0; step < steps; ++step) {
    RunKernel(c, Pass::kTraining, 1, t);
  }
  return t.parameters[2].Get(0);
}

// A moving average in binary16 stops short of its target x, where
// (x - s) * (1 - momentum) is no more than half a unit in the last place of s:
// here 2^-12. In binary32 it arrives.
TEST(BatchNormMovingTest, StallsInBinary16) {
  for (const double momentum : {0.99, 0.999}) {
    const int steps = momentum == 0.99 ? 500 : 4000;
    const float reached = MovedToOne(momentum, DType::kF16, steps);
    EXPECT_EQ(MovedToOne(momentum, DType::kF16, steps + 50), reached);
    const double rate = RoundToType(1 - momentum, DType::kF16);
    EXPECT_NEAR(1 - reached, 0x1p-12 / rate, 0x1p-10);
    EXPECT_NEAR(MovedToOne(momentum, DType::kF32, steps), 1, 0.02);
  }
  EXPECT_NEAR(MovedToOne(0.99, DType::kF16, 500), 0.976, 1e-3);
  EXPECT_NEAR(MovedToOne(0.999, DType::kF16, 4000), 0.756, 1e-3);
}

}  // namespace
}  // namespace repro16
