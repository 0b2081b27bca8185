#include "engine/graph/update_rule.h"

#include <gtest/gtest.h>

#include <cmath>

namespace repro16 {
namespace {

constexpr DType kF16 = DType::kF16;
constexpr DType kBF16 = DType::kBF16;
constexpr DType kF32 = DType::kF32;

OptimizerSpec Sgd(double rate, double momentum) {
  OptimizerSpec spec;
  spec.mutable_sgd()->set_learning_rate(rate);
  spec.mutable_sgd()->set_momentum(momentum);
  return spec;
}

OptimizerSpec Adam(double beta_1, double beta_2, double epsilon) {
  OptimizerSpec spec;
  spec.mutable_adam()->set_learning_rate(1e-3);
  spec.mutable_adam()->set_beta_1(beta_1);
  spec.mutable_adam()->set_beta_2(beta_2);
  spec.mutable_adam()->set_epsilon(epsilon);
  return spec;
}

float Alpha(double beta_1, double beta_2, DType type, int64_t step) {
  return ConstantsOf(Adam(beta_1, beta_2, 1e-7), type, type, step, 1).alpha;
}

TEST(UpdateRuleTest, SlotsByRule) {
  EXPECT_EQ(NumSlots(Sgd(0.01, 0)), 0);
  EXPECT_EQ(NumSlots(Sgd(0.01, 0.9)), 1);
  EXPECT_EQ(NumSlots(Adam(0.9, 0.999, 1e-7)), 2);
  OptimizerSpec rms_prop;
  rms_prop.mutable_rmsprop()->set_learning_rate(0.01);
  EXPECT_EQ(NumSlots(rms_prop), 1);
}

TEST(UpdateRuleTest, HyperParametersAsBinary16) {
  const UpdateConstants sgd = ConstantsOf(Sgd(0.01, 0.9), kF16, kF16, 0, 1);
  EXPECT_EQ(sgd.learning_rate, 0.01000213623046875f);
  EXPECT_EQ(ConstantsOf(Adam(0.9, 0.999, 1e-7), kF16, kF16, 0, 1).epsilon,
            0x1p-23f);
  EXPECT_EQ(ConstantsOf(Adam(0.9, 0.999, 1e-8), kF16, kF16, 0, 1).epsilon,
            0.0f);
  // Under FP16_BN32 an f32 update reads a learning rate that is an f16
  // variable.
  EXPECT_EQ(ConstantsOf(Sgd(0.01, 0.9), kF32, kF16, 0, 1).learning_rate,
            0.01000213623046875f);
}

TEST(UpdateRuleTest, L2FactorIsRoundedAfterDoubling) {
  EXPECT_EQ(L2Factor(1e-4, kF32), 2e-4f);
  EXPECT_EQ(L2Factor(0x1p-25, kF16), 0x1p-24f);
  EXPECT_EQ(L2Factor(0x1p-26, kF16), 0.0f);
}

// In bfloat16, 0.999 is 1 and 0.9 is 0.8984375.
TEST(UpdateRuleTest, ABetaThatRoundsToOneStaysOneInEveryPower) {
  EXPECT_EQ(Alpha(0.9, 0.999, kBF16, 0), 0.0f);
  EXPECT_EQ(Alpha(0.9, 0.999, kBF16, 1000), 0.0f);
  EXPECT_TRUE(std::isnan(Alpha(0.999, 0.999, kBF16, 0)));
}

// As a binary16 the step counter is infinite from 65,520 on: 0.9^t and 0.999^t
// are 0 there, and what rounds to 1 still is 1.
TEST(UpdateRuleTest, PowersOfAnInfiniteStepCounter) {
  constexpr int64_t kLastFinite = 65518;  // counted from 0
  const float rate = ConstantsOf(Sgd(1e-3, 0), kF16, kF16, 0, 1).learning_rate;
  for (const int64_t step : {kLastFinite, kLastFinite + 1}) {
    SCOPED_TRACE(step);
    EXPECT_EQ(Alpha(0.9, 0.999, kF16, step), rate);
    EXPECT_EQ(Alpha(0.9, 0.9999, kF16, step), 0.0f);
    EXPECT_TRUE(std::isinf(Alpha(0.9999, 0.999, kF16, step)));
  }
}

}  // namespace
}  // namespace repro16
