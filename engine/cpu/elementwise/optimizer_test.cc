#include "engine/cpu/elementwise/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "engine/graph/testing/values.h"
#include "engine/graph/update_rule.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

OptimizerSpec Sgd(double rate, double momentum) {
  OptimizerSpec spec;
  spec.mutable_sgd()->set_learning_rate(rate);
  spec.mutable_sgd()->set_momentum(momentum);
  return spec;
}

OptimizerSpec Adam(double rate, double epsilon) {
  OptimizerSpec spec;
  spec.mutable_adam()->set_learning_rate(rate);
  spec.mutable_adam()->set_beta_1(0.9);
  spec.mutable_adam()->set_beta_2(0.999);
  spec.mutable_adam()->set_epsilon(epsilon);
  return spec;
}

OptimizerSpec RmsProp(double rate, double epsilon) {
  OptimizerSpec spec;
  spec.mutable_rmsprop()->set_learning_rate(rate);
  spec.mutable_rmsprop()->set_rho(0.9);
  spec.mutable_rmsprop()->set_epsilon(epsilon);
  return spec;
}

// One element, in f64 with a rounding after every elementary operation: exact
// before it for sums and products of the types' values, and with 53 bits for
// quotients and roots.
struct Element {
  double w = 0;
  double s0 = 0;
  double s1 = 0;
};

void ReferenceStep(const OptimizerSpec& spec, DType type, int64_t step,
                   double l2, double g, Element& e) {
  const auto r = [type](double x) {
    return static_cast<double>(RoundToType(x, type));
  };
  if (l2 != 0) g = r(g + r(r(2 * l2) * e.w));
  if (spec.has_sgd()) {
    const double lr = r(spec.sgd().learning_rate());
    if (spec.sgd().momentum() == 0) {
      e.w = r(e.w - r(lr * g));
    } else {
      e.s0 = r(r(r(spec.sgd().momentum()) * e.s0) - r(lr * g));
      e.w = r(e.w + e.s0);
    }
  } else if (spec.has_adam()) {
    const OptimizerSpec::Adam& a = spec.adam();
    const double t = r(static_cast<double>(step + 1));
    const double b1t = r(std::pow(r(a.beta_1()), t));
    const double b2t = r(std::pow(r(a.beta_2()), t));
    const double alpha =
        r(r(r(a.learning_rate()) * r(std::sqrt(r(1 - b2t)))) / r(1 - b1t));
    e.s0 = r(e.s0 + r(r(g - e.s0) * r(1 - a.beta_1())));
    e.s1 = r(e.s1 + r(r(r(g * g) - e.s1) * r(1 - a.beta_2())));
    e.w = r(e.w - r(r(e.s0 * alpha) / r(r(std::sqrt(e.s1)) + r(a.epsilon()))));
  } else {
    const OptimizerSpec::RmsProp& p = spec.rmsprop();
    e.s0 = r(r(r(p.rho()) * e.s0) + r(r(1 - p.rho()) * r(g * g)));
    const double root = r(1 / std::sqrt(r(e.s0 + r(p.epsilon()))));
    e.w = r(e.w - r(r(r(p.learning_rate()) * g) * root));
  }
}

// A parameter with its slots, as stored.
struct Variables {
  std::vector<uint8_t> weights;
  std::vector<uint8_t> slot0;
  std::vector<uint8_t> slot1;
};

// Bytes of the values that `member` selects, every NaN the canonical one:
// quiet, positive, payload 0.
std::vector<uint8_t> Bytes(const std::vector<Element>& elements,
                           double Element::*member, DType type) {
  Values values;
  for (const Element& e : elements) {
    values.push_back(std::isnan(e.*member)
                         ? std::numeric_limits<double>::quiet_NaN()
                         : e.*member);
  }
  return ToBytes(values, type);
}

constexpr size_t kElements = 1003;  // the last vector is not a whole one

Values StartWeights() {
  Values w = RandomValues(kElements, 1, 0.1);
  w[0] = INFINITY;
  w[1] = -INFINITY;
  w[2] = NAN;
  w[3] = -0.0;
  w[kElements - 1] = INFINITY;
  return w;
}

// Magnitudes from 1e-5 to 1, so that squares underflow in binary16.
Values Gradients(int64_t step) {
  Values g = RandomValues(kElements, static_cast<uint32_t>(step + 10));
  for (size_t i = 0; i < kElements; ++i) {
    g[i] *= std::pow(10.0, -static_cast<double>(i % 6));
  }
  g[4] = -0.0;
  if (step == 12) g[5] = INFINITY;
  return g;
}

void EqualToTheReference(const OptimizerSpec& spec, double l2, DType type) {
  Variables got;
  got.weights = ToBytes(StartWeights(), type);
  got.slot0.resize(got.weights.size());
  got.slot1.resize(got.weights.size());
  std::vector<Element> expected(kElements);
  const Values start = ToValues(got.weights, type);
  for (size_t i = 0; i < kElements; ++i) expected[i].w = start[i];

  for (int64_t step = 0; step < 25; ++step) {
    const std::vector<uint8_t> gradients = ToBytes(Gradients(step), type);
    UpdateArgs args{};
    args.n = kElements;
    args.type = type;
    args.weights = got.weights.data();
    args.slots[0] = got.slot0.data();
    args.slots[1] = got.slot1.data();
    args.gradients = gradients.data();
    args.gradient_type = type;
    StoreCounter counter;
    Update(args, ConstantsOf(spec, type, type, step, 1), l2, counter);

    const Values g = ToValues(gradients, type);
    for (size_t i = 0; i < kElements; ++i) {
      ReferenceStep(spec, type, step, l2, g[i], expected[i]);
    }
    const auto equal = [&](const std::vector<uint8_t>& bytes,
                           double Element::*member) {
      const std::vector<uint8_t> reference = Bytes(expected, member, type);
      return bytes.size() == reference.size() &&
             std::memcmp(bytes.data(), reference.data(), bytes.size()) == 0;
    };
    ASSERT_TRUE(equal(got.weights, &Element::w)) << "step " << step;
    ASSERT_TRUE(equal(got.slot0, &Element::s0)) << "step " << step;
    ASSERT_TRUE(equal(got.slot1, &Element::s1)) << "step " << step;
  }
}

class OptimizerTest : public testing::TestWithParam<DType> {};

TEST_P(OptimizerTest, EqualToTheReferenceBitForBitOnEveryTarget) {
  const std::vector<std::pair<OptimizerSpec, double>> cases = {
      {Sgd(0.01, 0), 0},
      {Sgd(0.01, 0.9), 0},
      {Sgd(0.01, 0.9), 1e-4},
      // Twice this is 0 in binary16, and 0 * inf is NaN.
      {Sgd(0.01, 0.9), 1e-9},
      {Adam(1e-3, 1e-4), 0},
      {Adam(1e-3, 1e-7), 0},
      {Adam(0.01, 1e-2), 1e-3},
      {RmsProp(1e-3, 1e-7), 0},
      {RmsProp(0.01, 1e-3), 1e-4},
  };
  for (const std::string& target : UsableSimdTargets()) {
    ASSERT_TRUE(SelectSimdTarget(target).ok());
    for (const auto& [spec, l2] : cases) {
      SCOPED_TRACE(testing::Message() << target << ", l2 " << l2 << ", "
                                      << spec.ShortDebugString());
      EqualToTheReference(spec, l2, GetParam());
    }
  }
  ASSERT_TRUE(SelectSimdTarget("auto").ok());
}

INSTANTIATE_TEST_SUITE_P(Types, OptimizerTest,
                         testing::Values(DType::kF32, DType::kF16,
                                         DType::kBF16),
                         [](const auto& info) {
                           return std::string(Name(info.param));
                         });

// Section 5 of the paper, table 3: the square of a small gradient is 0 in
// binary16, so the denominator is epsilon alone and the step explodes.
TEST(OptimizerTest, SmallGradientsMakeAdamExplodeInBinary16) {
  std::vector<uint8_t> weights = ToBytes({0.0}, DType::kF16);
  std::vector<uint8_t> m(2, 0);
  std::vector<uint8_t> v(2, 0);
  const std::vector<uint8_t> gradient = ToBytes({2e-3}, DType::kF16);
  UpdateArgs args{1,
                  DType::kF16,
                  weights.data(),
                  {m.data(), v.data()},
                  gradient.data(),
                  DType::kF16};
  StoreCounter counter;
  Update(args, ConstantsOf(Adam(1e-3, 1e-7), DType::kF16, DType::kF16, 0, 1), 0,
         counter);
  EXPECT_EQ(ToValues(v, DType::kF16)[0], 0);
  // In f32 the first step of Adam is the learning rate, whatever the gradient.
  EXPECT_GT(std::abs(ToValues(weights, DType::kF16)[0]), 0.1);
}

TEST(OptimizerTest, MixedPrecisionUnscalesInF32AndRoundsTheCopy) {
  std::vector<uint8_t> master = ToBytes({1.0, -2.0}, DType::kF32);
  std::vector<uint8_t> copy(4, 0);
  const float scale = 32768;
  const std::vector<uint8_t> gradients = ToBytes({0.25, 3.0}, DType::kF16);
  UpdateArgs args{2,
                  DType::kF32,
                  master.data(),
                  {nullptr, nullptr},
                  gradients.data(),
                  DType::kF16,
                  copy.data(),
                  DType::kF16};
  StoreCounter counter;
  Update(args, ConstantsOf(Sgd(0.5, 0), DType::kF32, DType::kF32, 0, scale), 0,
         counter);
  const Values w = ToValues(master, DType::kF32);
  EXPECT_EQ(w[0], static_cast<double>(1.0f - 0.5f * (0.25f / scale)));
  EXPECT_EQ(ToValues(copy, DType::kF16)[0], 1.0);
  EXPECT_EQ(ToValues(copy, DType::kF16), Rounded(w, DType::kF16));
}

// Whatever the type of the gradients.
TEST(OptimizerTest, TheCopyHasATypeOfItsOwn) {
  constexpr size_t kSize = 67;  // whole vectors, and part of one
  const Values start = RandomValues(kSize, 1);
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    for (const DType copy_type : {DType::kF32, DType::kF16, DType::kBF16}) {
      std::vector<uint8_t> weights = ToBytes(start, type);
      std::vector<uint8_t> copy(kSize * SizeOf(copy_type));
      const std::vector<uint8_t> gradients =
          ToBytes(RandomValues(kSize, 2), DType::kF32);
      UpdateArgs args{
          kSize,       type,        weights.data(), {}, gradients.data(),
          DType::kF32, copy.data(), copy_type};
      StoreCounter counter;
      Update(args, ConstantsOf(Sgd(0.5, 0), type, type, 0, 1), 0, counter);
      EXPECT_EQ(ToValues(copy, copy_type),
                Rounded(ToValues(weights, type), copy_type));
    }
  }
}

}  // namespace
}  // namespace repro16
