#include "engine/cpu/norm/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/cpu/testing/typed_array.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/simd_target.h"
#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using A = FusedActivation;

struct Types {
  DType activation;
  DType batch_norm;
};
// Of the policies; other pairs are seen where stores are counted.
constexpr Types kPolicyTypes[] = {{DType::kF32, DType::kF32},
                                  {DType::kF16, DType::kF16},
                                  {DType::kF16, DType::kF32},
                                  {DType::kBF16, DType::kBF16}};
constexpr A kActivations[] = {A::kNone, A::kRelu, A::kRelu6};

struct Case {
  Shape in;  // of an example
  int64_t batch;
  DType type;
  DType parameter_type;
  A activation = A::kNone;
  double epsilon = 1e-3;
  double momentum = 0.9;

  int64_t channels() const { return in.dims().back(); }
  int64_t rows() const { return batch * in.NumElements() / channels(); }
  int64_t elements() const { return batch * in.NumElements(); }
};

// All that an operation reads and writes.
struct Tensors {
  explicit Tensors(const Case& c)
      : x(c.type, c.elements()),
        dy(c.type, c.elements()),
        y(c.type, c.elements()),
        dx(c.type, c.elements()),
        parameters(4, TypedArray(c.parameter_type, c.channels())),
        gradients(2, TypedArray(c.parameter_type, c.channels())) {}

  TypedArray x, dy, y, dx;
  std::vector<TypedArray> parameters;  // gamma, beta, moving mean, variance
  std::vector<TypedArray> gradients;   // of gamma, beta
  StoreCounter y_counter, dx_counter, parameter_counters[4],
      gradient_counters[2];
};

void ExpectEqual(const Tensors& a, const Tensors& b) {
  EXPECT_TRUE(a.y == b.y);
  EXPECT_TRUE(a.y_counter == b.y_counter);
  EXPECT_TRUE(a.dx == b.dx);
  EXPECT_TRUE(a.dx_counter == b.dx_counter);
  for (int p = 0; p < 4; ++p) {
    EXPECT_TRUE(a.parameters[p] == b.parameters[p]) << p;
    EXPECT_TRUE(a.parameter_counters[p] == b.parameter_counters[p]) << p;
  }
  for (int p = 0; p < 2; ++p) {
    EXPECT_TRUE(a.gradients[p] == b.gradients[p]) << p;
    EXPECT_TRUE(a.gradient_counters[p] == b.gradient_counters[p]) << p;
  }
}

Tensors MakeTensors(const Case& c) {
  Tensors t(c);
  FillNormal(t.x, 1, 0.3f, 2.0f);
  FillNormal(t.dy, 2, 0.1f, 1.0f);
  FillNormal(t.parameters[0], 3, 1.0f, 2.0f);
  FillNormal(t.parameters[1], 4, 0.5f, 1.0f);
  FillNormal(t.parameters[2], 5, 0.0f, 1.0f);
  for (int64_t i = 0; i < c.channels(); ++i) {
    t.parameters[3].Set(i, 0.5f + 0.25f * static_cast<float>(i % 7));
  }
  return t;
}

// Large and small values and what is no number, so that stores of all kinds
// happen.
Tensors MakeExtremeTensors(const Case& c, bool with_nan) {
  Tensors t = MakeTensors(c);
  std::mt19937 random(9);
  for (int64_t i = 0; i < t.x.size(); ++i) {
    const int exponent = static_cast<int>(i % c.channels() % 37) - 25;
    t.dy.Set(i, std::ldexp(t.dy.Get(i), exponent));
    if (random() % 20 == 0) t.x.Set(i, 0.0f);
  }
  for (int64_t i = 0; i < c.channels(); ++i) {
    const int exponent = static_cast<int>(i % 40) - 25;
    t.parameters[0].Set(i, std::ldexp(t.parameters[0].Get(i), exponent));
    t.parameters[1].Set(i, i % 3 == 0 ? 0.0f : t.parameters[1].Get(i));
  }
  if (with_nan) {
    const float inf = std::numeric_limits<float>::infinity();
    t.x.Set(0, inf);
    t.dy.Set(1, -inf);
    t.x.Set(2, std::nanf(""));
    t.dy.Set(3, std::nanf(""));
    t.parameters[1].Set(4, inf);
    t.parameters[1].Set(5, -inf);
  }
  return t;
}

enum class Pass { kInference, kTraining };

// Runs the kernel; in place writes y over x (inference) and dx over dy, and
// puts the results where they belong. With `sum_counter` dx is added to what is
// there.
void RunKernel(const Case& c, Pass pass, int threads, Tensors& t,
               bool in_place = false, StoreCounter* sum_counter = nullptr) {
  const auto kernel =
      MakeBatchNorm(c.in, {c.epsilon, c.momentum, c.activation});
  AlignedBuffer saved(kernel->SavedBytes(c.batch));
  const int64_t size = c.in.NumElements();
  const bool training = pass == Pass::kTraining;
  TypedArray x = t.x, dy = t.dy;
  void* y = in_place && !training ? x.data() : t.y.data();
  void* dx = in_place ? dy.data() : t.dx.data();
  OpBuffers buffers;
  buffers.inputs = {{x.data(), c.type, size, nullptr}};
  buffers.output = {y, c.type, size, &t.y_counter};
  buffers.output_gradient = {dy.data(), c.type, size, nullptr};
  buffers.input_gradients = {{dx, c.type, size, &t.dx_counter}};
  for (int p = 0; p < 4; ++p) {
    buffers.parameters.push_back({t.parameters[p].data(), c.parameter_type,
                                  c.channels(), &t.parameter_counters[p]});
    buffers.parameter_gradients.push_back(
        p < 2 ? TensorRef{t.gradients[p].data(), c.parameter_type, c.channels(),
                          &t.gradient_counters[p]}
              : TensorRef{});
  }
  buffers.saved = training ? saved.data() : nullptr;
  buffers.sum_counter = sum_counter;
  RunPass(*kernel, c.batch, threads, [&](PassContext context) {
    context.training = training;
    kernel->Forward(buffers, context);
    if (training) kernel->Backward(buffers, context);
  });
  if (in_place && !training) t.y = x;
  if (in_place && training) t.dx = dy;
}

// --- The scalar contract, channel by channel

float Activated(A activation, float y) {
  if (activation == A::kNone || std::isnan(y)) return y;
  const float positive = y > 0 ? y : 0.0f;
  return activation == A::kRelu6 && positive > 6 ? 6.0f : positive;
}

bool Passes(A activation, float y) {
  return activation == A::kNone || (y > 0 && (activation == A::kRelu || y < 6));
}

void MoveStatistic(const Case& c, float batch, int64_t channel,
                   TypedArray& moving, StoreCounter& counter) {
  const auto r = [&](float v) { return RoundToType(v, c.parameter_type); };
  const float rate = RoundToType(1.0 - c.momentum, c.parameter_type);
  const float s = moving.Get(channel);
  moving.SetCounted(channel, s - r(r(s - r(batch)) * rate), counter);
}

void ReferenceBackward(const Case& c, int64_t channel, float mean, float inv,
                       Tensors& t) {
  const int64_t channels = c.channels();
  const float n = static_cast<float>(c.rows());
  const float scale = t.parameters[0].Get(channel) * inv;
  const float beta = t.parameters[1].Get(channel);
  std::vector<float> dz;
  RowSum s1;
  DotSum s2(DType::kF32);
  for (int64_t i = channel; i < c.elements(); i += channels) {
    const float d = t.x.Get(i) - mean;
    const float y = RoundToType(std::fma(d, scale, beta), c.type);
    dz.push_back(Passes(c.activation, y) ? t.dy.Get(i) : 0.0f);
    s1.AddTerm(dz.back());
    s2.AddTerm(dz.back(), d);
  }
  t.gradients[0].SetCounted(channel, s2.Total() * inv, t.gradient_counters[0]);
  t.gradients[1].SetCounted(channel, s1.Total(), t.gradient_counters[1]);
  const float mean_gradient = s1.Total() / n;
  const float k = (s2.Total() / n) * (inv * inv);
  for (int64_t i = channel, row = 0; i < c.elements(); i += channels, ++row) {
    const float d = t.x.Get(i) - mean;
    t.dx.SetCounted(
        i,
        scale * std::fma(-d, k, dz[static_cast<size_t>(row)] - mean_gradient),
        t.dx_counter);
  }
}

void Reference(const Case& c, Pass pass, Tensors& t) {
  const int64_t channels = c.channels();
  for (int64_t channel = 0; channel < channels; ++channel) {
    std::vector<float> x;
    for (int64_t i = channel; i < c.elements(); i += channels) {
      x.push_back(t.x.Get(i));
    }
    float mean = t.parameters[2].Get(channel);
    float variance = t.parameters[3].Get(channel);
    if (pass == Pass::kTraining) {
      const Moments moments =
          ComputeMoments(x.data(), static_cast<int64_t>(x.size()));
      mean = moments.mean;
      variance = moments.biased_variance;
      MoveStatistic(c, mean, channel, t.parameters[2], t.parameter_counters[2]);
      MoveStatistic(c, c.in.rank() == 3 ? moments.unbiased_variance : variance,
                    channel, t.parameters[3], t.parameter_counters[3]);
    }
    const float inv = Rsqrt(variance + static_cast<float>(c.epsilon));
    const float scale = t.parameters[0].Get(channel) * inv;
    const float beta = t.parameters[1].Get(channel);
    for (int64_t i = channel; i < c.elements(); i += channels) {
      t.y.SetCounted(i, std::fma(t.x.Get(i) - mean, scale, beta), t.y_counter);
      t.y.Set(i, Activated(c.activation, t.y.Get(i)));
    }
    if (pass == Pass::kTraining) ReferenceBackward(c, channel, mean, inv, t);
  }
}

// --- Tests

class BatchNormTest : public KernelTest {
 protected:
  // One number of threads, another for each call, or all.
  void Check(const Case& c, const Tensors& inputs, bool all_threads = false) {
    for (const Pass pass : {Pass::kInference, Pass::kTraining}) {
      Tensors expected = inputs;
      Reference(c, pass, expected);
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
  for (const Types types : kPolicyTypes) {
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
  for (const Types types : kPolicyTypes) {
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
