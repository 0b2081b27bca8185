// The conversions of binary16.h and bfloat16.h against numbers listed in f64.
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/rounding_oracle.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

struct Binary16Case {
  using Type = Binary16;
  static constexpr uint16_t kNan = kCanonicalNanBinary16;
  static RoundingOracle Oracle() { return RoundingOracle(5, 10); }
  static Binary16 Round(float x) { return RoundToBinary16(x); }
  static Binary16 Round(double x) { return RoundToBinary16(x); }
};

struct BFloat16Case {
  using Type = BFloat16;
  static constexpr uint16_t kNan = kCanonicalNanBFloat16;
  static RoundingOracle Oracle() { return RoundingOracle(8, 7); }
  static BFloat16 Round(float x) { return RoundToBFloat16(x); }
  static BFloat16 Round(double x) { return RoundToBFloat16(x); }
};

float FloatOf(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

template <typename Case>
class NarrowingTest : public testing::Test {
 protected:
  const RoundingOracle oracle_ = Case::Oracle();

  template <typename Float>
  void ExpectRounded(Float x) const {
    ASSERT_EQ(Case::Round(x).bits, oracle_.Round(x)) << std::hexfloat << x;
  }
};

using Cases = testing::Types<Binary16Case, BFloat16Case>;
TYPED_TEST_SUITE(NarrowingTest, Cases);

TYPED_TEST(NarrowingTest, EveryPatternWidensExactly) {
  using T = typename TypeParam::Type;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const double expected = this->oracle_.Value(bits);
    const float widened = ToFloat(T{static_cast<uint16_t>(bits)});
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(widened)) << bits;
    } else {
      ASSERT_EQ(widened, expected) << bits;
      ASSERT_EQ(std::signbit(widened), std::signbit(expected)) << bits;
    }
  }
}

TYPED_TEST(NarrowingTest, EveryNumberComesBack) {
  using T = typename TypeParam::Type;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    const T x{static_cast<uint16_t>(bits)};
    if (std::isnan(ToFloat(x))) continue;
    ASSERT_EQ(TypeParam::Round(ToFloat(x)), x) << bits;
    ASSERT_EQ(TypeParam::Round(static_cast<double>(ToFloat(x))), x) << bits;
  }
}

TYPED_TEST(NarrowingTest, NumbersMidpointsAndNeighboursFromF32) {
  const auto cases = this->oracle_.template EdgeCases<float>();
  ASSERT_GT(cases.size(), 380000u);
  for (const float x : cases) this->ExpectRounded(x);
}

TYPED_TEST(NarrowingTest, NumbersMidpointsAndNeighboursFromF64) {
  for (const double x : this->oracle_.template EdgeCases<double>()) {
    this->ExpectRounded(x);
  }
}

TYPED_TEST(NarrowingTest, SampleOfAllF32) {
  constexpr uint32_t kStride = 4093;  // a prime: all low bits occur
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += kStride) {
    const float x = FloatOf(static_cast<uint32_t>(bits));
    if (!std::isnan(x)) this->ExpectRounded(x);
  }
}

// A midpoint plus so little that f32 cannot tell it from the midpoint.
TYPED_TEST(NarrowingTest, F64IsRoundedOnce) {
  const auto& numbers = this->oracle_.numbers();
  int differ = 0;
  for (size_t i = 0; i + 1 < numbers.size(); ++i) {
    const double above =
        std::nextafter((numbers[i] + numbers[i + 1]) / 2, INFINITY);
    differ += TypeParam::Round(above).bits !=
              TypeParam::Round(static_cast<float>(above)).bits;
  }
  EXPECT_GT(differ, 15000);
}

TYPED_TEST(NarrowingTest, EveryNanIsStoredAsTheCanonicalOne) {
  for (uint32_t bits = 0x7f800001; bits < 0x80000000; bits += 0x101) {
    ASSERT_EQ(TypeParam::Round(FloatOf(bits)).bits, TypeParam::kNan);
    ASSERT_EQ(TypeParam::Round(FloatOf(bits | 0x80000000)).bits,
              TypeParam::kNan);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(TypeParam::Round(nan).bits, TypeParam::kNan);
  EXPECT_EQ(TypeParam::Round(-nan).bits, TypeParam::kNan);
}

TEST(Binary16Test, WellKnownValues) {
  EXPECT_EQ(RoundToBinary16(1.0f).bits, 0x3c00);
  EXPECT_EQ(RoundToBinary16(-2.0f).bits, 0xc000);
  EXPECT_EQ(RoundToBinary16(65504.0f).bits, 0x7bff);
  EXPECT_EQ(RoundToBinary16(65519.996f).bits, 0x7bff);
  EXPECT_EQ(RoundToBinary16(65520.0f).bits, 0x7c00);
  EXPECT_EQ(RoundToBinary16(0x1p-25f).bits, 0x0000);
  EXPECT_EQ(RoundToBinary16(-0x1p-25f).bits, 0x8000);
  EXPECT_EQ(RoundToBinary16(0x1.000002p-25f).bits, 0x0001);
  // Hyper-parameters of the paper.
  EXPECT_EQ(ToFloat(RoundToBinary16(0.01)), 0.01000213623046875f);
  EXPECT_EQ(ToFloat(RoundToBinary16(1e-7)), 0x1p-23f);
  EXPECT_EQ(ToFloat(RoundToBinary16(1e-8)), 0.0f);
}

TEST(BFloat16Test, WellKnownValues) {
  EXPECT_EQ(RoundToBFloat16(1.0f).bits, 0x3f80);
  EXPECT_EQ(RoundToBFloat16(0x1.01p+0f).bits, 0x3f80);
  EXPECT_EQ(RoundToBFloat16(0x1.03p+0f).bits, 0x3f82);
  EXPECT_EQ(RoundToBFloat16(std::numeric_limits<float>::max()).bits, 0x7f80);
  EXPECT_EQ(RoundToBFloat16(std::numeric_limits<float>::denorm_min()).bits,
            0x0000);
}

}  // namespace
}  // namespace repro16
