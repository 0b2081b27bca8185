#include "engine/cpu/norm/layer_norm.h"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/layer_norm_case.h"
#include "engine/numerics/simd_target.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Case = LayerNormCase;
using Tensors = LayerNormTensors;

void RunKernel(const Case& c, int threads, Tensors& t, bool in_place = false) {
  const auto kernel =
      MakeLayerNorm(Shape({c.rows_per_example, c.cols}), {kLayerNormEpsilon});
  const auto run = [&](const auto& pass_of) {
    RunPass(*kernel, c.batch, threads, pass_of);
  };
  RunBound(
      c, kernel->SavedBytes(c.batch), t, in_place,
      [&](const OpBuffers& buffers) {
        run([&](PassContext pass) {
          pass.training = buffers.saved != nullptr;
          kernel->Forward(buffers, pass);
        });
      },
      [&](const OpBuffers& buffers) {
        run([&](const PassContext& pass) { kernel->Backward(buffers, pass); });
      });
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
          (x[first + l] - mean) / std::sqrt(variance + kLayerNormEpsilon);
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
