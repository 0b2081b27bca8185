// + - * / and sqrt of two halfs, computed in f32 and rounded to f16, are the
// correctly rounded operations of binary16 (24 >= 2 * 11 + 2; Figueroa, "When
// is double rounding innocuous?", SIGNUM 1995).
//
// Built twice: with some hundred second operands, and with all of them.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/numerics/binary16.h"
#include "engine/numerics/philox.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// x rounded to odd: where the operation that gave x was inexact (its residual
// is not 0) and x's last bit is even, the neighbour towards the exact result.
// Rounding that again, to at most 51 bits, is rounding the exact result.
double RoundedToOdd(double x, double residual) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  if (!std::isfinite(x) || residual == 0 || std::isnan(residual) ||
      bits % 2 == 1) {
    return x;
  }
  return std::nextafter(x, residual > 0 ? INFINITY : -INFINITY);
}

// Sums, differences and products of halfs are exact in f64.
double Divide(double a, double b) {
  const double quotient = a / b;
  const double residual = std::fma(-quotient, b, a);
  return RoundedToOdd(quotient, b < 0 ? -residual : residual);
}

double SquareRoot(double a) {
  const double root = std::sqrt(a);
  return RoundedToOdd(root, std::fma(-root, root, a));
}

std::vector<uint16_t> SecondOperands() {
  std::vector<uint16_t> operands;
  if (REPRO16_OPERANDS == 0x10000) {
    for (uint32_t bits = 0; bits < 0x10000; ++bits) operands.push_back(bits);
    return operands;
  }
  // Zeros, subnormals, powers of two with both neighbours, infinity, NaN.
  for (const uint16_t sign : {0, 0x8000}) {
    for (int exponent = 0; exponent < 32; ++exponent) {
      for (const int offset : {-1, 0, 1}) {
        operands.push_back(sign | ((exponent * 0x400 + offset) & 0x7fff));
      }
    }
    operands.push_back(sign | 0x7e00);
    operands.push_back(sign | 0x0002);
    operands.push_back(sign | 0x03ff);
    operands.push_back(sign | 0x4248);
  }
  for (uint32_t i = 0; operands.size() < REPRO16_OPERANDS; ++i) {
    operands.push_back(Philox4x32({i, 0, 0, 0}, {16, 0})[0]);
  }
  return operands;
}

std::vector<float> AllHalfs() {
  std::vector<float> values;
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    values.push_back(ToFloat(Binary16{static_cast<uint16_t>(bits)}));
  }
  return values;
}

TEST(Binary16ArithmeticTest, BinaryOperations) {
  const std::vector<float> halfs = AllHalfs();
  for (const uint16_t bits : SecondOperands()) {
    const float b = halfs[bits];
    const double wide = b;
    for (const float a : halfs) {
      ASSERT_EQ(RoundToBinary16(a + b), RoundToBinary16(a + wide))
          << a << " + " << b;
      ASSERT_EQ(RoundToBinary16(a - b), RoundToBinary16(a - wide))
          << a << " - " << b;
      ASSERT_EQ(RoundToBinary16(a * b), RoundToBinary16(a * wide))
          << a << " * " << b;
      ASSERT_EQ(RoundToBinary16(a / b), RoundToBinary16(Divide(a, wide)))
          << a << " / " << b;
    }
  }
}

TEST(Binary16ArithmeticTest, SquareRoot) {
  for (const float a : AllHalfs()) {
    ASSERT_EQ(RoundToBinary16(std::sqrt(a)), RoundToBinary16(SquareRoot(a)))
        << a;
  }
}

// Why an accumulation in f16 rounds the product and the sum: a fused
// multiply-add computed in f32 would not be that of binary16.
TEST(Binary16ArithmeticTest, FusedMultiplyAddInF32IsNot) {
  const std::vector<float> halfs = AllHalfs();
  int differ = 0;
  for (uint32_t i = 0; i < 20000000; ++i) {
    const PhiloxBlock words = Philox4x32({i, 0, 0, 0}, {17, 0});
    // Magnitudes in [2^-2, 2^2).
    const float a = halfs[0x3400 + words[0] % 0x1000];
    const float b = halfs[0x3400 + words[1] % 0x1000];
    // Far smaller than the product.
    const float c = halfs[0x0001 + words[2] % 0x0800];
    const double exact = static_cast<double>(a) * b + static_cast<double>(c);
    differ += !(RoundToBinary16(std::fma(a, b, c)) == RoundToBinary16(exact));
  }
  EXPECT_GT(differ, 0);
}

}  // namespace
}  // namespace repro16
