#include "engine/numerics/reduction.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

uint32_t Bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

// 2^24 followed by ones: a chain loses each one that is added to 2^24, and a
// chunk that holds ones alone keeps them.
constexpr float kAbsorbing = 16777216.0f;

TEST(DotSumTest, ChunksAreSummedApart) {
  DotSum sum(DType::kF32);
  sum.AddTerm(kAbsorbing, 1);
  for (int64_t i = 1; i < kReductionChunk; ++i) sum.AddTerm(1, 1);
  EXPECT_EQ(sum.Total(), kAbsorbing);  // each one was lost
  for (int64_t i = 0; i < kReductionChunk; ++i) sum.AddTerm(1, 1);
  EXPECT_EQ(sum.Total(), kAbsorbing + kReductionChunk);
  for (int64_t i = 0; i < 10; ++i) sum.AddTerm(1, 1);
  EXPECT_EQ(sum.Total(), kAbsorbing + kReductionChunk + 10);
}

TEST(DotSumTest, ChunkSumsAreAddedFromLeftToRight) {
  // Chunks 2^24, 1, 1: (2^24 + 1) + 1 is 2^24; any other tree gives 2^24 + 2.
  DotSum sum(DType::kF32);
  for (const float first : {kAbsorbing, 1.0f, 1.0f}) {
    sum.AddTerm(first, 1);
    for (int64_t i = 1; i < kReductionChunk; ++i) sum.AddTerm(0, 0);
  }
  EXPECT_EQ(sum.Total(), kAbsorbing);
}

TEST(DotSumTest, StepIsOneFusedMultiplyAdd) {
  const float x = 1 + 0x1p-12f;  // x * x needs 25 bits
  DotSum sum(DType::kF32);
  sum.AddTerm(-1, 1 + 0x1p-11f);
  sum.AddTerm(x, x);
  EXPECT_EQ(sum.Total(), 0x1p-24f);  // 0 if the product were rounded
}

TEST(DotSumTest, SkippedPositionsCountAndAddNothing) {
  // Positions decide the chunk: the ones stand in the second.
  DotSum sum(DType::kF32);
  sum.AddTerm(kAbsorbing, 1);
  for (int64_t i = 1; i < kReductionChunk; ++i) sum.SkipTerm();
  sum.AddTerm(1, 1);
  sum.AddTerm(1, 1);
  EXPECT_EQ(sum.Total(), kAbsorbing + 2);
  // A skipped tap is not 0 * infinity.
  DotSum skipped(DType::kF32);
  skipped.SkipTerm();
  EXPECT_EQ(Bits(skipped.Total()), Bits(0.0f));
}

TEST(DotSumTest, EmptySumIsPlusZeroAndTakesTheBias) {
  EXPECT_EQ(Bits(DotSum(DType::kF32).Total()), Bits(0.0f));
  EXPECT_EQ(DotSum(DType::kF32).TotalWithBias(1.25f), 1.25f);
  EXPECT_EQ(Bits(DotSum(DType::kF32).TotalWithBias(-0.0f)), Bits(0.0f));
}

TEST(DotSumTest, ChainStartsAtPlusZero) {
  DotSum sum(DType::kF32);
  sum.AddTerm(-0.0f, 1);  // +0 + -0
  EXPECT_EQ(Bits(sum.Total()), Bits(0.0f));
}

TEST(DotSumTest, HalfAccumulatorRoundsProductAndSum) {
  // 1 + 2^-10 squared is 1 + 2^-9 + 2^-20: the product rounds to 1 + 2^-9.
  const float x = 1 + 0x1p-10f;
  DotSum product(DType::kF16);
  product.AddTerm(x, x);
  EXPECT_EQ(product.Total(), 1 + 0x1p-9f);
  // Binary16 has no 2049: the sum stalls at 2048, ties to even.
  DotSum stalled(DType::kF16);
  stalled.AddTerm(2048, 1);
  for (int i = 0; i < 5; ++i) stalled.AddTerm(1, 1);
  EXPECT_EQ(stalled.Total(), 2048);
  EXPECT_EQ(stalled.TotalWithBias(3), 2052);  // 2051 lies between 2050, 2052
  // Overflow on the way is an infinity that no later term takes back.
  DotSum overflow(DType::kF16);
  overflow.AddTerm(60000, 1);
  overflow.AddTerm(60000, 1);
  overflow.AddTerm(-60000, 1);
  EXPECT_EQ(overflow.Total(), kInfinity);
}

TEST(DotSumTest, HalfAccumulatorRoundsSumsOfChunks) {
  DotSum sum(DType::kF16);
  for (const float first : {2048.0f, 1.0f, 1.0f}) {
    sum.AddTerm(first, 1);
    for (int64_t i = 1; i < kReductionChunk; ++i) sum.AddTerm(0, 0);
  }
  EXPECT_EQ(sum.Total(), 2048);
  sum.AddTerm(3, 1);
  EXPECT_EQ(sum.Total(), 2052);
}

TEST(RowSumTest, SameOrderAsDotSum) {
  RowSum rows;
  DotSum dot(DType::kF32);
  uint32_t state = 1;
  for (int64_t i = 0; i < 3 * kReductionChunk + 17; ++i) {
    EXPECT_EQ(Bits(rows.Total()), Bits(dot.Total())) << i;
    state = state * 1664525u + 1013904223u;
    const float x = std::ldexp(static_cast<float>(state >> 8) - 0x1p23f,
                               static_cast<int>(state % 40) - 40);
    rows.AddTerm(x);
    dot.AddTerm(x, 1);  // a product by 1 is exact
  }
}

TEST(MomentsTest, ByHand) {
  const float x[] = {1, 2, 3, 6};
  const Moments m = ComputeMoments(x, 4);
  EXPECT_EQ(m.mean, 3);
  EXPECT_EQ(m.squares, 14);
  EXPECT_EQ(m.biased_variance, 3.5f);
  EXPECT_EQ(m.unbiased_variance, 14.0f / 3);
}

TEST(MomentsTest, TwoPassesSurviveALargeMean) {
  // One pass (mean of squares minus square of the mean) would give 0 or less.
  const float x[] = {10000, 10001, 10002, 10001};
  const Moments m = ComputeMoments(x, 4);
  EXPECT_EQ(m.mean, 10001);
  EXPECT_EQ(m.biased_variance, 0.5f);
}

TEST(MomentsTest, OneRow) {
  const float x = 7;
  const Moments m = ComputeMoments(&x, 1);
  EXPECT_EQ(m.mean, 7);
  EXPECT_EQ(m.biased_variance, 0);
  EXPECT_TRUE(std::isnan(m.unbiased_variance));
}

}  // namespace
}  // namespace repro16
