// For tests of batch normalisation: cases, tensors, and what the operation
// gives, in scalar code that follows engine/cpu/norm/batch_norm.h.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_BATCH_NORM_CASE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_BATCH_NORM_CASE_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include "engine/graph/binding.h"
#include "engine/graph/graph.h"
#include "engine/graph/moving_average.h"
#include "engine/graph/rounded_factors.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/testing/test_numbers.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"
#include "gtest/gtest.h"

namespace repro16 {

struct BatchNormTypes {
  DType activation;
  DType batch_norm;
};
// Of the policies; other pairs are seen where stores are counted.
inline constexpr BatchNormTypes kPolicyTypes[] = {{DType::kF32, DType::kF32},
                                                  {DType::kF16, DType::kF16},
                                                  {DType::kF16, DType::kF32},
                                                  {DType::kBF16, DType::kBF16}};
inline constexpr FusedActivation kActivations[] = {
    FusedActivation::kNone, FusedActivation::kRelu, FusedActivation::kRelu6};

struct BatchNormCase {
  Shape in;  // of an example
  int64_t batch;
  DType type;
  DType parameter_type;
  FusedActivation activation = FusedActivation::kNone;
  double epsilon = 1e-3;
  double momentum = 0.9;

  int64_t channels() const { return in.dims().back(); }
  int64_t rows() const { return batch * in.NumElements() / channels(); }
  int64_t elements() const { return batch * in.NumElements(); }
};

// All that an operation reads and writes.
struct BatchNormTensors {
  explicit BatchNormTensors(const BatchNormCase& c)
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

inline void ExpectEqual(const BatchNormTensors& a, const BatchNormTensors& b) {
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

inline BatchNormTensors MakeTensors(const BatchNormCase& c) {
  BatchNormTensors t(c);
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
inline BatchNormTensors MakeExtremeTensors(const BatchNormCase& c,
                                           bool with_nan) {
  BatchNormTensors t = MakeTensors(c);
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

// Calls run(const OpBuffers&, saved bytes) with the tensors bound. In place
// puts y over x (inference) and dx over dy, and the results where they belong,
// so that x or dy is lost. With `sum_counter` dx is added to what is there.
template <class Run>
void RunBound(const BatchNormCase& c, bool training, int64_t saved_bytes,
              BatchNormTensors& t, bool in_place, StoreCounter* sum_counter,
              const Run& run) {
  AlignedBuffer saved(saved_bytes);
  const int64_t size = c.in.NumElements();
  TypedArray& y = in_place && !training ? t.x : t.y;
  TypedArray& dx = in_place && training ? t.dy : t.dx;
  OpBuffers buffers;
  buffers.inputs = {{t.x.data(), c.type, size, nullptr}};
  buffers.output = {y.data(), c.type, size, &t.y_counter};
  buffers.output_gradient = {t.dy.data(), c.type, size, nullptr};
  buffers.input_gradients = {{dx.data(), c.type, size, &t.dx_counter}};
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
  run(buffers);
  if (&y != &t.y) t.y = y;
  if (&dx != &t.dx) t.dx = dx;
}

// --- The scalar contract, channel by channel

inline float Activated(FusedActivation activation, float y) {
  if (activation == FusedActivation::kNone || std::isnan(y)) return y;
  const float positive = y > 0 ? y : 0.0f;
  return activation == FusedActivation::kRelu6 && positive > 6 ? 6.0f
                                                               : positive;
}

inline bool Passes(FusedActivation activation, float y) {
  return activation == FusedActivation::kNone ||
         (y > 0 && (activation == FusedActivation::kRelu || y < 6));
}

inline void MoveStatistic(const BatchNormCase& c, float batch, int64_t channel,
                          TypedArray& moving, StoreCounter& counter) {
  const float rate = MovingRate(c.momentum, c.parameter_type);
  VisitDType(c.parameter_type, [&](auto type) {
    moving.SetCounted(
        channel,
        MovedStatistic<decltype(type)>(moving.Get(channel), batch, rate),
        counter);
  });
}

inline void ReferenceBackward(const BatchNormCase& c, int64_t channel,
                              float mean, float inv, BatchNormTensors& t) {
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

// What the operation leaves in t.
inline void Reference(const BatchNormCase& c, bool training,
                      BatchNormTensors& t) {
  const int64_t channels = c.channels();
  for (int64_t channel = 0; channel < channels; ++channel) {
    std::vector<float> x;
    for (int64_t i = channel; i < c.elements(); i += channels) {
      x.push_back(t.x.Get(i));
    }
    float mean = t.parameters[2].Get(channel);
    float variance = t.parameters[3].Get(channel);
    if (training) {
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
    if (training) ReferenceBackward(c, channel, mean, inv, t);
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_BATCH_NORM_CASE_H_
