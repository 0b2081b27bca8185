#include "analysis/error_tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Vector = std::vector<double>;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

TEST(ErrorToleranceTest, ByHand) {
  const ErrorTolerance sample =
      CompareSample(Vector{0.125, 0.75, 0.125}, Vector{0.0625, 0.6875, 0.25});
  EXPECT_EQ(sample.error, 0.125);
  EXPECT_EQ(sample.tolerance, 0.4375);
  EXPECT_EQ(sample.class_16, 1);
  EXPECT_EQ(sample.class_32, 1);
  EXPECT_EQ(sample.premise, LemmaPremise::kStrict);
  EXPECT_TRUE(sample.Alike());
  EXPECT_FALSE(sample.RefutesLemma());
}

TEST(ErrorToleranceTest, UnmetPremise) {
  const ErrorTolerance sample =
      CompareSample(Vector{0.5, 0.25, 0.25}, Vector{0.25, 0.5, 0.25});
  EXPECT_EQ(sample.error, 0.25);
  EXPECT_EQ(sample.tolerance, 0.25);
  EXPECT_EQ(sample.premise, LemmaPremise::kUnmet);
  EXPECT_FALSE(sample.Alike());
  EXPECT_FALSE(sample.RefutesLemma());
}

TEST(ErrorToleranceTest, AtTheBoundaryATieMayGoTheOtherWay) {
  const ErrorTolerance sample =
      CompareSample(Vector{0.5, 0.5}, Vector{0.25, 0.75});
  EXPECT_EQ(sample.premise, LemmaPremise::kBoundary);
  EXPECT_EQ(sample.class_16, 0);
  EXPECT_EQ(sample.class_32, 1);
  EXPECT_FALSE(sample.RefutesLemma());
}

TEST(ErrorToleranceTest, TiesGoToTheLowestIndex) {
  const ErrorTolerance sample =
      CompareSample(Vector{0, 0.5, 0, 0.5}, Vector{0.25, 0.25, 0.25, 0.25});
  EXPECT_EQ(sample.class_16, 1);
  EXPECT_EQ(sample.class_32, 0);
  EXPECT_EQ(sample.tolerance, 0);
}

TEST(ErrorToleranceTest, NothingIsLostToRounding) {
  const double tiny = 0x1p-149;
  ASSERT_EQ(1 - tiny, 1);  // in f64
  // gamma is 1/2 - 2^-149, 2 delta is 1/2.
  EXPECT_EQ(CompareSample(Vector{0.25, tiny}, Vector{0.5, tiny}).premise,
            LemmaPremise::kUnmet);
  // gamma is 1/2 - 2^-149, 2 delta is 1/2 - 2^-148: larger by 2^-149.
  EXPECT_EQ(CompareSample(Vector{0.5, 0.25}, Vector{0.5, tiny}).premise,
            LemmaPremise::kStrict);
  // gamma is 1/2, 2 delta is 1/2 - 2^-148.
  EXPECT_EQ(CompareSample(Vector{1, 0.5, 0.25}, Vector{1, 0.5, tiny}).premise,
            LemmaPremise::kStrict);
  // gamma is 1/2, 2 delta is 1/2.
  EXPECT_EQ(CompareSample(Vector{1, 0.5, 0.25}, Vector{1, 0.5, 0}).premise,
            LemmaPremise::kBoundary);
}

TEST(ErrorToleranceTest, NonFiniteNeverSatisfiesThePremise) {
  const Vector good = {0, 1};
  for (const double bad : {kNan, kInfinity, -kInfinity}) {
    const Vector row = {0, bad};
    EXPECT_EQ(CompareSample(row, good).premise, LemmaPremise::kNotFinite);
    EXPECT_EQ(CompareSample(good, row).premise, LemmaPremise::kNotFinite);
    EXPECT_TRUE(std::isnan(CompareSample(row, good).error));
    EXPECT_TRUE(std::isnan(CompareSample(row, good).tolerance));
  }
  EXPECT_EQ(CompareSample(Vector{0, kInfinity}, good).class_16, 1);
}

TEST(ErrorToleranceTest, NanNamesNoClassAndAgreesWithNone) {
  const Vector row = {0.5, kNan};
  const ErrorTolerance sample = CompareSample(row, row);
  EXPECT_EQ(sample.class_16, -1);
  EXPECT_EQ(sample.class_32, -1);
  EXPECT_FALSE(sample.Alike());
  EXPECT_FALSE(sample.RefutesLemma());
}

// Against integers: vectors of multiples of 2^-31, close together so that the
// three outcomes all occur, scaled to where f64 differences are exact or not.
TEST(ErrorToleranceTest, AgreesWithIntegers) {
  std::mt19937_64 random(1);
  int outcomes[3] = {};
  for (int trial = 0; trial < 20000; ++trial) {
    const int64_t reach = int64_t{1} << (1 + random() % 12);
    int64_t n16[4], n32[4];
    Vector p16(4), p32(4);
    for (int i = 0; i < 4; ++i) {
      n32[i] = random() % (4 * reach);
      n16[i] = std::max<int64_t>(
          0, n32[i] + static_cast<int64_t>(random() % (2 * reach)) - reach);
      p32[i] = std::ldexp(n32[i], -31);
      p16[i] = std::ldexp(n16[i], -31);
    }
    int64_t delta = 0;
    for (int i = 0; i < 4; ++i) {
      delta = std::max(delta, std::abs(n16[i] - n32[i]));
    }
    int64_t sorted[4] = {n32[0], n32[1], n32[2], n32[3]};
    std::sort(sorted, sorted + 4);
    const int64_t gamma = sorted[3] - sorted[2];
    const ErrorTolerance sample = CompareSample(p16, p32);
    EXPECT_EQ(sample.error, std::ldexp(delta, -31));
    EXPECT_EQ(sample.tolerance, std::ldexp(gamma, -31));
    const LemmaPremise expected = gamma > 2 * delta    ? LemmaPremise::kStrict
                                  : gamma == 2 * delta ? LemmaPremise::kBoundary
                                                       : LemmaPremise::kUnmet;
    EXPECT_EQ(sample.premise, expected);
    EXPECT_FALSE(sample.RefutesLemma());
    ++outcomes[static_cast<int>(expected)];
  }
  for (const int count : outcomes) EXPECT_GT(count, 50);
}

}  // namespace
}  // namespace repro16
