#include "experiments/table3/update_arithmetic.h"

#include <cmath>

#include "engine/numerics/binary16.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr DType kHalf = DType::kF16;
constexpr double kUnit = 0x1p-24;  // f16's smallest positive number

double Half(int bits) { return ToFloat(Binary16{static_cast<uint16_t>(bits)}); }
constexpr int kInfinityBits = 0x7c00;

// All positive finite halves in order: the first that gives the moment.
template <typename Holds>
double FirstHalf(Holds holds) {
  for (int bits = 1; bits < kInfinityBits; ++bits) {
    if (holds(Half(bits))) return Half(bits);
  }
  return 0;
}

TEST(UpdateArithmeticTest, SmallestGradientsAreThoseOfAllHalves) {
  EXPECT_EQ(SmallestGradientOfSecondMoment(kHalf), FirstHalf([](double g) {
              return NextMoments({}, g, kHalf).second != 0;
            }));
  EXPECT_EQ(SmallestGradientOfFirstMoment(kHalf), FirstHalf([](double g) {
              return NextMoments({}, g, kHalf).first != 0;
            }));
}

TEST(UpdateArithmeticTest, SmallestGradientsByHand) {
  // r(0.001) = 1049 * 2^-20. A product rounds to 0 up to half a unit, so r(g^2)
  // must be over 2^-25 / r(0.001) = 499.8 units: at least 500.
  const double g = SmallestGradientOfSecondMoment(kHalf);
  EXPECT_GE(g * g, 499.5 * kUnit);
  const double before = Half(RoundToBinary16(g).bits - 1);
  EXPECT_LT(before * before, 499.5 * kUnit);
  EXPECT_NEAR(g, 0.00546, 0.00001);
  // r(0.1) is just under 0.1: five units give less than half of one.
  EXPECT_EQ(SmallestGradientOfFirstMoment(kHalf), 6 * kUnit);
  // r(g^2) is at least 6 units, from g^2 over 5.5.
  EXPECT_NEAR(SmallestGradientOfMeanSquare(kHalf), std::sqrt(5.5 * kUnit),
              1e-6);
  // In f32 the square itself must be over 2^-150 / 0.001.
  EXPECT_NEAR(std::log2(SmallestGradientOfSecondMoment(DType::kF32)),
              (-150 - std::log2(0.001)) / 2, 0.01);
}

TEST(UpdateArithmeticTest, ASecondMomentNeverReturnsToZero) {
  for (int bits = 1; bits < kInfinityBits; ++bits) {
    // A gradient of 0 lowers it most.
    EXPECT_NE(NextMoments({0, Half(bits)}, 0, kHalf).second, 0) << bits;
  }
}

TEST(UpdateArithmeticTest, BiasCorrectionNeverRaisesTheRate) {
  const auto r = [](double x) { return ToFloat(RoundToBinary16(x)); };
  for (double rate : {1e-3, 1e-2}) {
    // From t = 65,520 on t itself is infinite, and the powers 0.
    for (int t = 1; t < 65520; ++t) {
      const double power_1 = r(std::pow(r(kBeta1), r(t)));
      const double power_2 = r(std::pow(r(kBeta2), r(t)));
      const double alpha =
          r(r(r(rate) * r(std::sqrt(r(1 - power_2)))) / r(1 - power_1));
      ASSERT_LE(alpha, r(rate)) << "t = " << t;
    }
  }
}

TEST(UpdateArithmeticTest, WhereTheSecondMomentIsZeroEpsilonDivides) {
  // 1e-7 is 2 units, 1e-6 is 17, 1e-5 is 168.
  EXPECT_EQ(SmallestAdamStepWhileZero(1e-7, kHalf), 0.5);
  EXPECT_NEAR(SmallestAdamStepWhileZero(1e-6, kHalf), 1.0 / 17, 1e-4);
  EXPECT_NEAR(SmallestAdamStepWhileZero(1e-5, kHalf), 1.0 / 168, 1e-5);
  EXPECT_TRUE(std::isinf(SmallestAdamStepWhileZero(1e-8, kHalf)));
  // m * rate is at most 0.00545 * 0.001 = 91 or 92 units.
  EXPECT_NEAR(LargestAdamStepWhileZero(1e-3, 1e-7, kHalf), 46, 0.5);
  EXPECT_NEAR(LargestAdamStepWhileZero(1e-3, 1e-2, kHalf), 5.5e-4, 1e-5);
  EXPECT_TRUE(std::isinf(LargestAdamStepWhileZero(1e-3, 1e-8, kHalf)));
  EXPECT_TRUE(std::isnan(AdamStep({}, 1e-3, 1e-8, kHalf)));
  // RMSProp's epsilon stands under the root: 1 / sqrt(2^-23) = 2896.
  EXPECT_NEAR(LargestRmsPropStepWhileZero(1e-3, 1e-7, kHalf),
              1e-3 * 5.7e-4 * 2896, 1e-4);
}

TEST(UpdateArithmeticTest, SteadyMomentsStopOnTheWay) {
  // Just over the threshold v becomes one unit, and the rest of the way, less
  // than 500 units, rounds to 0.
  const double g = SmallestGradientOfSecondMoment(kHalf);
  EXPECT_EQ(SteadyMoments(g, kHalf).second, kUnit);
  EXPECT_LE(SteadyMoments(g, kHalf).first, g);
  EXPECT_GT(SteadyMoments(g, kHalf).first, 0.98 * g);
  const Moments above = SteadyMoments(g, kHalf);
  EXPECT_NEAR(AdamStep(above, 1e-3, 1e-7, kHalf) / 1e-3, 22, 1);
  EXPECT_NEAR(AdamStep(above, 1e-3, 1e-4, kHalf) / 1e-3, 16, 1);
  // Just under it v stays 0.
  const Moments below = SteadyMoments(LargestGradientWhileZero(kHalf), kHalf);
  EXPECT_EQ(below.second, 0);
  EXPECT_NEAR(AdamStep(below, 1e-3, 1e-4, kHalf), 0.054, 0.001);
  EXPECT_NEAR(AdamStep(below, 1e-3, 1e-5, kHalf), 0.54, 0.01);
  EXPECT_NEAR(AdamStep(below, 1e-3, 1e-7, kHalf), 45.5, 0.6);
  // In f32 they come near, and the step is about the rate.
  const Moments f32 = SteadyMoments(0.25, DType::kF32);
  EXPECT_NEAR(f32.first, 0.25, 1e-5);
  EXPECT_NEAR(f32.second, 0.0625, 1e-5);
  EXPECT_NEAR(AdamStep(f32, 1e-3, 1e-7, DType::kF32), 1e-3, 1e-6);
}

}  // namespace
}  // namespace repro16
