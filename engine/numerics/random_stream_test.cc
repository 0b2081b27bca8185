#include "engine/numerics/random_stream.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/numerics/philox.h"
#include "engine/numerics/random_draw.h"
#include "engine/numerics/simd_target.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kSeed = 0x123456789abcdef0;

TEST(RandomStreamTest, LayoutOfCounterAndKey) {
  const RandomStream stream(kSeed, RandomPurpose::kDropout, /*step=*/7,
                            /*part=*/0x345678);
  const uint64_t index = (uint64_t{0x2abbccdd} << 34) + 4 * 0x11223344 + 2;
  EXPECT_EQ(stream.UniformU32(index),
            Philox4x32({0x11223344, 0x2abbccdd, 7, 0x02345678},
                       {0x9abcdef0, 0x12345678})[2]);
}

TEST(RandomStreamTest, EveryCoordinateChangesTheDraw) {
  const uint32_t base =
      RandomStream(kSeed, RandomPurpose::kInit, 1, 1).UniformU32(0);
  EXPECT_NE(base,
            RandomStream(kSeed ^ 1, RandomPurpose::kInit, 1, 1).UniformU32(0));
  EXPECT_NE(base,
            RandomStream(kSeed ^ uint64_t{1} << 63, RandomPurpose::kInit, 1, 1)
                .UniformU32(0));
  EXPECT_NE(base,
            RandomStream(kSeed, RandomPurpose::kShuffle, 1, 1).UniformU32(0));
  EXPECT_NE(base,
            RandomStream(kSeed, RandomPurpose::kInit, 2, 1).UniformU32(0));
  EXPECT_NE(base,
            RandomStream(kSeed, RandomPurpose::kInit, 1, 2).UniformU32(0));
  EXPECT_NE(base,
            RandomStream(kSeed, RandomPurpose::kInit, 1, 1).UniformU32(1));
}

TEST(RandomStreamTest, UnitIntervalIsHalfOpenAndExact) {
  EXPECT_EQ(UnitInterval(0), 0.0f);
  EXPECT_EQ(UnitInterval(0xff), 0.0f);
  EXPECT_EQ(UnitInterval(0x100), 0x1p-24f);
  EXPECT_EQ(UnitInterval(0x80000000), 0.5f);
  EXPECT_EQ(UnitInterval(0xffffffff), 1.0f - 0x1p-24f);
}

// Begins and sizes around the lanes of every target, and block indices around
// the carry from the low to the high word of the counter.
TEST(RandomStreamTest, FillGivesTheIndexedDrawsOnEveryTarget) {
  const RandomStream stream(kSeed, RandomPurpose::kDropout, 3, 9);
  for (const std::string& target : UsableSimdTargets()) {
    ASSERT_TRUE(SelectSimdTarget(target).ok());
    for (const uint64_t origin : {uint64_t{0}, (uint64_t{1} << 34) - 24}) {
      for (uint64_t begin = origin; begin < origin + 6; ++begin) {
        for (size_t size = 0; size < 150; size += size < 20 ? 1 : 13) {
          std::vector<uint32_t> words(size + 1, 0xdeadbeef);
          stream.FillUniformU32(begin, absl::MakeSpan(words.data(), size));
          for (size_t i = 0; i < size; ++i) {
            ASSERT_EQ(words[i], stream.UniformU32(begin + i))
                << target << " begin " << begin << " size " << size;
          }
          ASSERT_EQ(words[size], 0xdeadbeef) << "written past the end";
        }
      }
    }
  }
}

struct Moments {
  double mean = 0;
  double variance = 0;
  double fourth = 0;
};

template <typename Draw>
Moments MomentsOf(int n, Draw draw) {
  Moments m;
  for (int i = 0; i < n; ++i) {
    const double x = draw(i);
    m.mean += x / n;
    m.variance += x * x / n;
    m.fourth += x * x * x * x / n;
  }
  m.variance -= m.mean * m.mean;
  return m;
}

// Tolerances: about five standard errors at 200,000 draws.
TEST(RandomStreamTest, UniformMoments) {
  const RandomStream stream(1, RandomPurpose::kSynthetic);
  const Moments m =
      MomentsOf(200000, [&](int i) { return stream.Uniform(i) - 0.5; });
  EXPECT_NEAR(m.mean, 0.0, 0.0033);
  EXPECT_NEAR(m.variance, 1.0 / 12, 0.001);
  EXPECT_NEAR(m.fourth, 1.0 / 80, 0.0003);
}

TEST(RandomStreamTest, NormalMoments) {
  const RandomStream stream(2, RandomPurpose::kSynthetic);
  const Moments m = MomentsOf(200000, [&](int i) { return stream.Normal(i); });
  EXPECT_NEAR(m.mean, 0.0, 0.0112);
  EXPECT_NEAR(m.variance, 1.0, 0.0158);
  EXPECT_NEAR(m.fourth, 3.0, 0.11);
}

TEST(RandomStreamTest, NormalIsBoxMullerOfItsTwoWords) {
  const RandomStream stream(3, RandomPurpose::kInit);
  for (uint64_t i = 0; i < 1000; ++i) {
    const double u = stream.Uniform(2 * i) + 0x1p-24;
    const double v = stream.Uniform(2 * i + 1);
    const double expected =
        std::sqrt(-2 * std::log(u)) * std::cos(2 * M_PI * v);
    ASSERT_NEAR(stream.Normal(i), expected, 2e-6) << i;
  }
}

TEST(RandomStreamTest, TruncatedNormalMoments) {
  const RandomStream stream(4, RandomPurpose::kInit);
  double largest = 0;
  const Moments m = MomentsOf(200000, [&](int i) {
    const float x = stream.TruncatedNormal(i);
    largest = std::max<double>(largest, std::fabs(x));
    return x;
  });
  EXPECT_LE(largest, 2.0);
  EXPECT_GT(largest, 1.99);
  EXPECT_NEAR(m.mean, 0.0, 0.0099);
  EXPECT_NEAR(std::sqrt(m.variance), 0.87962566103423978, 0.007);
}

// Blocks whose two first values lie outside [-2, 2] are redrawn from the block
// 2^40 further on.
TEST(RandomStreamTest, TruncatedNormalRedrawsAsDocumented) {
  const RandomStream stream(5, RandomPurpose::kInit);
  int first = 0, second = 0, redrawn = 0;
  for (uint64_t i = 0; i < 20000; ++i) {
    const float candidates[] = {stream.Normal(2 * i), stream.Normal(2 * i + 1),
                                stream.Normal(2 * (i + (uint64_t{1} << 40)))};
    const float value = stream.TruncatedNormal(i);
    if (std::fabs(candidates[0]) <= 2) {
      ASSERT_EQ(value, candidates[0]);
      ++first;
    } else if (std::fabs(candidates[1]) <= 2) {
      ASSERT_EQ(value, candidates[1]);
      ++second;
    } else if (std::fabs(candidates[2]) <= 2) {
      ASSERT_EQ(value, candidates[2]);
      ++redrawn;
    }
  }
  EXPECT_NEAR(first, 20000 * 0.9545, 200);
  EXPECT_GT(second, 700);
  EXPECT_GT(redrawn, 10);
}

// Bits that every compiler and machine must give.
TEST(RandomStreamTest, KnownDraws) {
  const RandomStream stream(2024, RandomPurpose::kInit, 0, 1);
  EXPECT_EQ(stream.Normal(0), -0x1.3bc762p+1f);
  EXPECT_EQ(stream.Normal(1), 0x1.37059p-2f);
  EXPECT_EQ(stream.TruncatedNormal(123), -0x1.09d208p-5f);
  EXPECT_THAT(Permutation(8, stream), ElementsAre(6, 2, 4, 1, 7, 5, 3, 0));
}

TEST(PermutationTest, SmallSizes) {
  const RandomStream stream(6, RandomPurpose::kShuffle);
  EXPECT_THAT(Permutation(0, stream), IsEmpty());
  EXPECT_THAT(Permutation(1, stream), ElementsAre(0));
}

TEST(PermutationTest, IsAPermutationAndDependsOnTheEpoch) {
  std::vector<uint32_t> order =
      Permutation(60000, RandomStream(7, RandomPurpose::kShuffle, 1));
  EXPECT_NE(order,
            Permutation(60000, RandomStream(7, RandomPurpose::kShuffle, 2)));
  std::sort(order.begin(), order.end());
  for (uint32_t i = 0; i < order.size(); ++i) ASSERT_EQ(order[i], i);
}

// Chi-squared over the 24 orders of four; 23 degrees of freedom, P(> 52) is
// about 5e-4.
TEST(PermutationTest, AllOrdersAreAlike) {
  constexpr int kDraws = 24000;
  std::map<std::vector<uint32_t>, int> counts;
  for (uint32_t i = 0; i < kDraws; ++i) {
    ++counts[Permutation(4, RandomStream(8, RandomPurpose::kShuffle, i))];
  }
  ASSERT_EQ(counts.size(), 24u);
  double chi_squared = 0;
  for (const auto& [order, count] : counts) {
    chi_squared += (count - 1000.0) * (count - 1000.0) / 1000.0;
  }
  EXPECT_LT(chi_squared, 52.0);
}

}  // namespace
}  // namespace repro16
