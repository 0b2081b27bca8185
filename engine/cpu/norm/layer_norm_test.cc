#include "engine/cpu/norm/layer_norm.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/cpu/testing/typed_array.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr float kEpsilon = 1e-6f;

struct Case {
  int64_t rows_per_example;
  int64_t batch;
  int64_t cols;
  DType type;
  DType parameter_type;

  int64_t rows() const { return batch * rows_per_example; }
};

struct Tensors {
  explicit Tensors(const Case& c)
      : x(c.type, c.rows() * c.cols),
        dy(c.type, c.rows() * c.cols),
        y(c.type, c.rows() * c.cols),
        dx(c.type, c.rows() * c.cols),
        parameters(2, TypedArray(c.parameter_type, c.cols)),
        gradients(2, TypedArray(c.parameter_type, c.cols)) {}

  TypedArray x, dy, y, dx;
  std::vector<TypedArray> parameters;  // gamma, beta
  std::vector<TypedArray> gradients;
  StoreCounter y_counter, dx_counter, gradient_counters[2];
};

void ExpectEqual(const Tensors& a, const Tensors& b) {
  EXPECT_TRUE(a.y == b.y);
  EXPECT_TRUE(a.y_counter == b.y_counter);
  EXPECT_TRUE(a.dx == b.dx);
  EXPECT_TRUE(a.dx_counter == b.dx_counter);
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
  return t;
}

// Stores overflow, underflow and give NaN.
Tensors MakeExtremeTensors(const Case& c, bool with_nan) {
  Tensors t = MakeTensors(c);
  for (int64_t i = 0; i < t.x.size(); ++i) {
    const int row = static_cast<int>(i / c.cols);
    t.dy.Set(i, std::ldexp(t.dy.Get(i), row % 37 - 25));
    t.x.Set(i, std::ldexp(t.x.Get(i), 4 * (row % 5 - 2)));
  }
  for (int64_t i = 0; i < c.cols; ++i) {
    const int exponent = static_cast<int>(i % 40) - 35;
    t.parameters[0].Set(i, std::ldexp(t.parameters[0].Get(i), exponent));
    t.parameters[1].Set(i, i % 3 == 0 ? 0.0f : t.parameters[1].Get(i));
  }
  if (with_nan) {
    t.x.Set(0, std::numeric_limits<float>::infinity());
    t.x.Set(2 * c.cols, std::nanf(""));
    t.dy.Set(4 * c.cols + 3, -std::numeric_limits<float>::infinity());
    t.parameters[1].Set(5, std::numeric_limits<float>::infinity());
  }
  return t;
}

// In place puts y over x, dx over dy, and the results where they belong.
void RunKernel(const Case& c, int threads, Tensors& t, bool in_place = false) {
  const auto kernel =
      MakeLayerNorm(Shape({c.rows_per_example, c.cols}), {kEpsilon});
  const int64_t size = c.rows_per_example * c.cols;
  TypedArray x = t.x, dy = t.dy;
  OpBuffers buffers;
  buffers.inputs = {{x.data(), c.type, size, nullptr}};
  buffers.output = {t.y.data(), c.type, size, &t.y_counter};
  buffers.output_gradient = {dy.data(), c.type, size, nullptr};
  buffers.input_gradients = {
      {in_place ? dy.data() : t.dx.data(), c.type, size, &t.dx_counter}};
  for (int p = 0; p < 2; ++p) {
    buffers.parameters.push_back(
        {t.parameters[p].data(), c.parameter_type, c.cols, nullptr});
    buffers.parameter_gradients.push_back({t.gradients[p].data(),
                                           c.parameter_type, c.cols,
                                           &t.gradient_counters[p]});
  }
  RunPass(*kernel, c.batch, threads, [&](const PassContext& pass) {
    kernel->Backward(buffers, pass);
    if (in_place) {
      t.dx = dy;
      buffers.output.data = x.data();
    }
    kernel->Forward(buffers, pass);
  });
  if (in_place) t.y = x;
}

// The scalar contract.
void Reference(const Case& c, Tensors& t) {
  const float n = static_cast<float>(c.cols);
  std::vector<DotSum> dgamma(static_cast<size_t>(c.cols), DotSum(DType::kF32));
  std::vector<RowSum> dbeta(static_cast<size_t>(c.cols));
  for (int64_t row = 0; row < c.rows(); ++row) {
    const int64_t first = row * c.cols;
    std::vector<float> x, xhat, g;
    for (int64_t l = 0; l < c.cols; ++l) x.push_back(t.x.Get(first + l));
    const Moments moments =
        ComputeMoments(x.data(), static_cast<int64_t>(x.size()));
    const float inv = Rsqrt(moments.biased_variance + kEpsilon);
    RowSum s1;
    DotSum s2(DType::kF32);
    for (int64_t l = 0; l < c.cols; ++l) {
      const auto i = static_cast<size_t>(l);
      const float gamma = t.parameters[0].Get(l);
      const float dy = t.dy.Get(first + l);
      xhat.push_back((x[i] - moments.mean) * inv);
      g.push_back(dy * gamma);
      s1.AddTerm(g[i]);
      s2.AddTerm(g[i], xhat[i]);
      dgamma[i].AddTerm(dy, xhat[i]);
      dbeta[i].AddTerm(dy);
      t.y.SetCounted(first + l,
                     std::fma(xhat[i], gamma, t.parameters[1].Get(l)),
                     t.y_counter);
    }
    for (int64_t l = 0; l < c.cols; ++l) {
      const auto i = static_cast<size_t>(l);
      t.dx.SetCounted(
          first + l,
          inv * std::fma(-xhat[i], s2.Total() / n, g[i] - s1.Total() / n),
          t.dx_counter);
    }
  }
  for (int64_t l = 0; l < c.cols; ++l) {
    const auto i = static_cast<size_t>(l);
    t.gradients[0].SetCounted(l, dgamma[i].Total(), t.gradient_counters[0]);
    t.gradients[1].SetCounted(l, dbeta[i].Total(), t.gradient_counters[1]);
  }
}

class LayerNormTest : public KernelTest {
 protected:
  // One number of threads, another for each call, or all.
  void Check(const Case& c, const Tensors& inputs, bool all_threads = false) {
    Tensors expected = inputs;
    Reference(c, expected);
    ++turn_;
    for (size_t p = 0; p < std::size(kThreadCounts); ++p) {
      if (!all_threads && p != turn_ % std::size(kThreadCounts)) continue;
      SCOPED_TRACE(testing::Message()
                   << c.rows() << "x" << c.cols << " " << Name(c.type) << "/"
                   << Name(c.parameter_type) << ", " << kThreadCounts[p]
                   << " threads");
      Tensors t = inputs;
      RunKernel(c, kThreadCounts[p], t, /*in_place=*/turn_ % 3 == 0);
      ExpectEqual(t, expected);
    }
  }

  size_t turn_ = 0;
};

TEST_P(LayerNormTest, EqualsScalarContract) {
  for (const DType type : kAllTypes) {
    for (const DType parameter_type : kAllTypes) {
      for (const int64_t cols : {1, 3, 10, 16, 24, 64, 130, 256}) {
        for (const int64_t rows : {1, 2, 17, 255, 256, 257}) {
          const Case c = {rows, 1, cols, type, parameter_type};
          Check(c, MakeTensors(c));
        }
      }
    }
  }
}

TEST_P(LayerNormTest, ManyRowsWithAnyThreads) {
  for (const DType type : kAllTypes) {
    for (const int64_t cols : {10, 64, 130}) {
      const Case c = {25, 60, cols, type, type};
      Check(c, MakeTensors(c), /*all_threads=*/true);
    }
  }
}

TEST_P(LayerNormTest, CountsWhatStoresDo) {
  for (const DType type : kAllTypes) {
    for (const DType parameter_type : kAllTypes) {
      const Case c = {20, 10, 90, type, parameter_type};
      for (const bool with_nan : {false, true}) {
        const Tensors inputs = MakeExtremeTensors(c, with_nan);
        Check(c, inputs);
        Tensors t = inputs;
        RunKernel(c, 1, t);
        EXPECT_EQ(t.y_counter.nan > 0, with_nan);
        if (type == DType::kF16) {
          EXPECT_GT(t.y_counter.underflow, 0u);
          EXPECT_GT(t.dx_counter.underflow, 0u);
          EXPECT_GT(t.dx_counter.infinite, 0u);
        }
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, LayerNormTest,
                         testing::ValuesIn(UsableSimdTargets()));

using Values = std::vector<double>;

// sum_i w[i] * y[i], in f64.
double WeightedOutput(const Values& x, const Values& gamma, const Values& beta,
                      const Values& w) {
  const size_t cols = gamma.size();
  double sum = 0;
  for (size_t first = 0; first < x.size(); first += cols) {
    double mean = 0, variance = 0;
    const double n = static_cast<double>(cols);
    for (size_t l = 0; l < cols; ++l) mean += x[first + l] / n;
    for (size_t l = 0; l < cols; ++l) {
      const double d = x[first + l] - mean;
      variance += d * d / n;
    }
    for (size_t l = 0; l < cols; ++l) {
      const double xhat =
          (x[first + l] - mean) / std::sqrt(variance + kEpsilon);
      sum += w[first + l] * (xhat * gamma[l] + beta[l]);
    }
  }
  return sum;
}

Values AllOf(const TypedArray& a) {
  Values values;
  for (int64_t i = 0; i < a.size(); ++i) values.push_back(a.Get(i));
  return values;
}

TEST(LayerNormGradientTest, EqualsCentralDifferences) {
  const Case c = {3, 7, 11, DType::kF32, DType::kF32};
  Tensors t = MakeTensors(c);
  RunKernel(c, 1, t);
  Values x = AllOf(t.x), gamma = AllOf(t.parameters[0]),
         beta = AllOf(t.parameters[1]);
  const Values w = AllOf(t.dy);
  const auto expect_gradient = [&](Values& of, const TypedArray& gradient) {
    for (size_t i = 0; i < of.size(); ++i) {
      const double at = of[i], h = 1e-6;
      of[i] = at + h;
      const double above = WeightedOutput(x, gamma, beta, w);
      of[i] = at - h;
      const double below = WeightedOutput(x, gamma, beta, w);
      of[i] = at;
      EXPECT_NEAR(gradient.Get(static_cast<int64_t>(i)),
                  (above - below) / (2 * h), 1e-5);
    }
  };
  expect_gradient(x, t.dx);
  expect_gradient(gamma, t.gradients[0]);
  expect_gradient(beta, t.gradients[1]);
}

}  // namespace
}  // namespace repro16
