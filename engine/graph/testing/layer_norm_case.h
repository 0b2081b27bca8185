// For tests of layer normalisation: cases, tensors, and what the operation
// gives, in scalar code that follows engine/cpu/norm/layer_norm.h.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_LAYER_NORM_CASE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_LAYER_NORM_CASE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "engine/graph/binding.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/testing/test_numbers.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"
#include "gtest/gtest.h"

namespace repro16 {

inline constexpr float kLayerNormEpsilon = 1e-6f;

struct LayerNormCase {
  int64_t rows_per_example;
  int64_t batch;
  int64_t cols;
  DType type;
  DType parameter_type;

  int64_t rows() const { return batch * rows_per_example; }
};

struct LayerNormTensors {
  explicit LayerNormTensors(const LayerNormCase& c)
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

inline void ExpectEqual(const LayerNormTensors& a, const LayerNormTensors& b) {
  EXPECT_TRUE(a.y == b.y);
  EXPECT_TRUE(a.y_counter == b.y_counter);
  EXPECT_TRUE(a.dx == b.dx);
  EXPECT_TRUE(a.dx_counter == b.dx_counter);
  for (int p = 0; p < 2; ++p) {
    EXPECT_TRUE(a.gradients[p] == b.gradients[p]) << p;
    EXPECT_TRUE(a.gradient_counters[p] == b.gradient_counters[p]) << p;
  }
}

inline LayerNormTensors MakeTensors(const LayerNormCase& c) {
  LayerNormTensors t(c);
  FillNormal(t.x, 1, 0.3f, 2.0f);
  FillNormal(t.dy, 2, 0.1f, 1.0f);
  FillNormal(t.parameters[0], 3, 1.0f, 2.0f);
  FillNormal(t.parameters[1], 4, 0.5f, 1.0f);
  return t;
}

// Stores overflow, underflow and give NaN.
inline LayerNormTensors MakeExtremeTensors(const LayerNormCase& c,
                                           bool with_nan) {
  LayerNormTensors t = MakeTensors(c);
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

// Calls forward(const OpBuffers&) and backward(const OpBuffers&) with the
// tensors bound. In place puts dx over dy, and then, in a second forward pass
// without saved values, y over x, and the results where they belong.
template <class Forward, class Backward>
void RunBound(const LayerNormCase& c, int64_t saved_bytes, LayerNormTensors& t,
              bool in_place, const Forward& forward, const Backward& backward) {
  AlignedBuffer saved(saved_bytes);
  const int64_t size = c.rows_per_example * c.cols;
  OpBuffers buffers;
  buffers.inputs = {{t.x.data(), c.type, size, nullptr}};
  buffers.output = {t.y.data(), c.type, size, &t.y_counter};
  buffers.output_gradient = {t.dy.data(), c.type, size, nullptr};
  buffers.input_gradients = {
      {in_place ? t.dy.data() : t.dx.data(), c.type, size, &t.dx_counter}};
  for (int p = 0; p < 2; ++p) {
    buffers.parameters.push_back(
        {t.parameters[p].data(), c.parameter_type, c.cols, nullptr});
    buffers.parameter_gradients.push_back({t.gradients[p].data(),
                                           c.parameter_type, c.cols,
                                           &t.gradient_counters[p]});
  }
  buffers.saved = saved.data();
  forward(buffers);
  backward(buffers);
  if (!in_place) return;
  t.dx = t.dy;
  t.y_counter = {};
  buffers.output.data = t.x.data();
  buffers.saved = nullptr;
  forward(buffers);
  t.y = t.x;
}

// The scalar contract.
inline void Reference(const LayerNormCase& c, LayerNormTensors& t) {
  const float n = static_cast<float>(c.cols);
  std::vector<DotSum> dgamma(static_cast<size_t>(c.cols), DotSum(DType::kF32));
  std::vector<RowSum> dbeta(static_cast<size_t>(c.cols));
  for (int64_t row = 0; row < c.rows(); ++row) {
    const int64_t first = row * c.cols;
    std::vector<float> x, xhat, g;
    for (int64_t l = 0; l < c.cols; ++l) x.push_back(t.x.Get(first + l));
    const Moments moments =
        ComputeMoments(x.data(), static_cast<int64_t>(x.size()));
    const float inv = Rsqrt(moments.biased_variance + kLayerNormEpsilon);
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

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_LAYER_NORM_CASE_H_
