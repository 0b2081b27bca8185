// Errors of the elementary functions against libm in f64, and SIMD against
// scalar bits on every target.
//
// Built twice: with REPRO16_STRIDE a prime (a sample of the f32), and with 1
// (all of them).
#include "engine/numerics/elementary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <ostream>
#include <string>
#include <vector>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/simd_target.h"
#include "gtest/gtest.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/numerics/elementary_test.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must follow foreach_target.h.
#include "engine/numerics/elementary-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

// y[i] = f(x[i]); size is a multiple of the lanes.
#define REPRO16_DEFINE_APPLY(f)                          \
  void Apply##f(const float* x, float* y, size_t size) { \
    const hn::ScalableTag<float> d;                      \
    for (size_t i = 0; i < size; i += hn::Lanes(d)) {    \
      hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);   \
    }                                                    \
  }
REPRO16_DEFINE_APPLY(Exp)
REPRO16_DEFINE_APPLY(Log)
REPRO16_DEFINE_APPLY(Tanh)
REPRO16_DEFINE_APPLY(Erf)
REPRO16_DEFINE_APPLY(Gelu)
REPRO16_DEFINE_APPLY(GeluDerivative)
REPRO16_DEFINE_APPLY(Rsqrt)
#undef REPRO16_DEFINE_APPLY

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

constexpr uint64_t kStride = REPRO16_STRIDE;
// The scalar functions call libm for each fused multiply-add: in the
// exhaustive test they run on a sample too.
constexpr uint64_t kScalarStride = kStride == 1 ? 509 : 1;
constexpr size_t kBlock = 1 << 14;

constexpr float kInf = std::numeric_limits<float>::infinity();

uint32_t Bits(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

float Number(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, sizeof(x));
  return x;
}

// --- References. Below kTiny the first terms of the series are exact to f64
// and much faster than libm; from kLarge on the results are the limits.
constexpr double kTiny = 0x1p-12;
constexpr double kLarge = 16;
constexpr double kDensity = 0.39894228040143267794;  // 1 / sqrt(2 pi)

double ExpReference(double x) {
  if (std::fabs(x) < kTiny) {
    return 1 + x * (1 + x / 2 * (1 + x / 3 * (1 + x / 4)));
  }
  if (x > 100) return kInf;
  return x < -120 ? 0 : std::exp(x);
}

double LogReference(double x) { return std::log(x); }

double TanhReference(double x) {
  if (std::fabs(x) < kTiny) return x * (1 - x * x / 3 * (1 - x * x * 2 / 5));
  return std::fabs(x) > kLarge ? std::copysign(1, x) : std::tanh(x);
}

double ErfReference(double x) {
  if (std::fabs(x) < kTiny) return M_2_SQRTPI * x * (1 - x * x / 3);
  return std::fabs(x) > kLarge ? std::copysign(1, x) : std::erf(x);
}

double GeluReference(double x) {
  if (std::fabs(x) < kTiny) return x * (0.5 + kDensity * x * (1 - x * x / 6));
  if (x > kLarge) return x;
  return x < -kLarge ? 0 : x * 0.5 * std::erfc(-x * M_SQRT1_2);
}

double GeluDerivativeReference(double x) {
  if (std::fabs(x) < kTiny) return 0.5 + 2 * kDensity * x * (1 - x * x / 3);
  if (x > kLarge) return 1;
  if (x < -kLarge) return 0;
  return 0.5 * std::erfc(-x * M_SQRT1_2) + x * kDensity * std::exp(-x * x / 2);
}

double RsqrtReference(double x) { return 1 / std::sqrt(x); }

// The distance of two neighbouring f32 at the magnitude of x.
double Ulp(double x) {
  uint64_t bits;
  std::memcpy(&bits, &x, sizeof(bits));
  const int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  return std::ldexp(1, std::max(exponent, -126) - 23);
}

struct Function {
  std::string name;
  float (*scalar)(float);
  void (*simd)(const float*, float*, size_t);
  double (*reference)(double);
  // The bound that elementary.h states: in ulp, or, where the function has a
  // zero that is no f32, in units of 2^-24.
  double bound;
  bool absolute;

  friend void PrintTo(const Function& function, std::ostream* out) {
    *out << function.name;
  }
};

HWY_EXPORT(ApplyExp);
HWY_EXPORT(ApplyLog);
HWY_EXPORT(ApplyTanh);
HWY_EXPORT(ApplyErf);
HWY_EXPORT(ApplyGelu);
HWY_EXPORT(ApplyGeluDerivative);
HWY_EXPORT(ApplyRsqrt);

#define REPRO16_FUNCTION(f, bound, absolute)                                   \
  {                                                                            \
#f, f,                                                                       \
        [](const float* x, float* y,                                             \
           size_t                                                                \
               size) { HWY_DYNAMIC_DISPATCH(Apply##f)                            \
                       (x, y, size); },            \
                                                                   f##Reference, \
                                                                   bound,        \
                                                                   absolute \
  }
const Function kFunctions[] = {
    REPRO16_FUNCTION(Exp, 1.02, false),
    REPRO16_FUNCTION(Log, 0.86, false),
    REPRO16_FUNCTION(Tanh, 1.34, false),
    REPRO16_FUNCTION(Erf, 1.12, false),
    REPRO16_FUNCTION(Gelu, 5.90, false),
    REPRO16_FUNCTION(GeluDerivative, 3.23, true),
    // The rest is the error of the reference.
    REPRO16_FUNCTION(Rsqrt, 0.5 + 1e-8, false),
};
#undef REPRO16_FUNCTION

// In units of function.bound. An infinite result stands for 2^128.
double Error(const Function& function, float y, double reference) {
  if (y == reference) return 0;
  const double result = std::isinf(y) ? std::copysign(0x1p128, y) : y;
  if (reference > 0x1p128) reference = 0x1p128;
  return std::fabs(result - reference) /
         (function.absolute ? 0x1p-24 : Ulp(reference));
}

class ElementaryTest : public testing::TestWithParam<Function> {
 protected:
  void SetUp() override { targets_ = UsableSimdTargets(); }
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

  // Fills y_[i] by the i-th target.
  void ApplySimd(const std::vector<float>& x) {
    y_.assign(targets_.size(), std::vector<float>(x.size()));
    for (size_t i = 0; i < targets_.size(); ++i) {
      ASSERT_TRUE(SelectSimdTarget(targets_[i]).ok());
      GetParam().simd(x.data(), y_[i].data(), x.size());
    }
  }

  std::vector<std::string> targets_;
  std::vector<std::vector<float>> y_;
};

TEST_P(ElementaryTest, SimdEqualsScalarAndErrorIsWithinTheBound) {
  const Function& function = GetParam();
  constexpr uint64_t kOperands = (uint64_t{1} << 32) / kStride;
  double largest = 0;
  float worst = 0;
  std::vector<float> x(kBlock);
  for (uint64_t begin = 0; begin < kOperands; begin += kBlock) {
    for (size_t i = 0; i < kBlock; ++i) {
      x[i] = Number(static_cast<uint32_t>((begin + i) * kStride));
    }
    ApplySimd(x);
    for (size_t t = 1; t < y_.size(); ++t) {
      ASSERT_EQ(0, std::memcmp(y_[t].data(), y_[0].data(), 4 * kBlock))
          << targets_[t] << " differs from " << targets_[0]
          << " in the block of " << x[0];
    }
    const std::vector<float>& y = y_[0];
    for (size_t i = 0; i < kBlock; i += kScalarStride) {
      ASSERT_EQ(Bits(function.scalar(x[i])), Bits(y[i])) << x[i];
    }
    for (size_t i = 0; i < kBlock; ++i) {
      const double reference = function.reference(x[i]);
      if (std::isnan(reference)) {
        ASSERT_EQ(Bits(y[i]), 0x7fc00000u) << x[i];
      } else {
        const double error = Error(function, y[i], reference);
        if (!(error <= largest)) {
          largest = error;
          worst = x[i];
          ASSERT_LE(error, function.bound) << x[i] << " gives " << y[i];
        }
      }
    }
  }
  RecordProperty("largest_error", std::to_string(largest));
  printf("%s: %.4f %s, at %.9g\n", function.name.c_str(), largest,
         function.absolute ? "x 2^-24" : "ulp", worst);
}

INSTANTIATE_TEST_SUITE_P(Functions, ElementaryTest,
                         testing::ValuesIn(kFunctions),
                         [](const auto& info) { return info.param.name; });

struct SpecialValue {
  const char* name;
  float x;
  float y;  // NaN stands for the canonical NaN
};

const SpecialValue kSpecialValues[] = {
    {"Exp", 0.0f, 1.0f},
    {"Exp", -0.0f, 1.0f},
    {"Exp", kInf, kInf},
    {"Exp", -kInf, 0.0f},
    {"Exp", 0x1.62e42ep+6f, 0x1.ffff08p+127f},  // just below overflow
    {"Exp", 0x1.62e430p+6f, kInf},
    {"Exp", -0x1.9fe368p+6f, 0x1p-149f},  // just above half of the least f32
    {"Exp", -0x1.9fe36ap+6f, 0.0f},
    {"Exp", 0x1p-149f, 1.0f},
    {"Log", 1.0f, 0.0f},
    {"Log", 0.0f, -kInf},
    {"Log", -0.0f, -kInf},
    {"Log", kInf, kInf},
    {"Log", -kInf, NAN},
    {"Log", -0x1p-149f, NAN},
    {"Log", 0x1p-149f, -0x1.9d1da0p+6f},
    {"Log", 0x1.fffffep+127f, 0x1.62e430p+6f},
    {"Tanh", 0.0f, 0.0f},
    {"Tanh", -0.0f, -0.0f},
    {"Tanh", 0x1p-149f, 0x1p-149f},
    {"Tanh", -0x1p-130f, -0x1p-130f},
    {"Tanh", kInf, 1.0f},
    {"Tanh", -kInf, -1.0f},
    {"Erf", 0.0f, 0.0f},
    {"Erf", -0.0f, -0.0f},
    {"Erf", kInf, 1.0f},
    {"Erf", -kInf, -1.0f},
    {"Gelu", 0.0f, 0.0f},
    {"Gelu", -0.0f, -0.0f},
    {"Gelu", kInf, kInf},
    {"Gelu", -kInf, -0.0f},
    {"Gelu", 0x1p-148f, 0x1p-149f},
    {"GeluDerivative", 0.0f, 0.5f},
    {"GeluDerivative", kInf, 1.0f},
    {"GeluDerivative", -kInf, -0.0f},
    {"Rsqrt", 4.0f, 0.5f},
    {"Rsqrt", 0.0f, kInf},
    {"Rsqrt", -0.0f, -kInf},
    {"Rsqrt", kInf, 0.0f},
    {"Rsqrt", -kInf, NAN},
    {"Rsqrt", -1.0f, NAN},
    {"Rsqrt", 0x1p-148f, 0x1p+74f},
};

TEST_P(ElementaryTest, SpecialValues) {
  std::vector<float> x, expected;
  for (const uint32_t nan : {0x7fc00000, 0x7f800001, 0x7fffffff}) {
    for (const uint32_t sign : {0u, 0x80000000u}) {
      x.push_back(Number(sign | nan));
      expected.push_back(NAN);
    }
  }
  for (const SpecialValue& special : kSpecialValues) {
    if (special.name != GetParam().name) continue;
    x.push_back(special.x);
    expected.push_back(special.y);
  }
  ASSERT_GT(x.size(), 6u);
  const size_t size = x.size();
  x.resize(64);
  ApplySimd(x);
  for (size_t i = 0; i < size; ++i) {
    const uint32_t bits =
        std::isnan(expected[i]) ? 0x7fc00000u : Bits(expected[i]);
    EXPECT_EQ(Bits(GetParam().scalar(x[i])), bits) << x[i];
    for (size_t t = 0; t < targets_.size(); ++t) {
      EXPECT_EQ(Bits(y_[t][i]), bits) << x[i] << " " << targets_[t];
    }
  }
}

TEST(RsqrtTest, RoundedToSixteenBitsIsTheCorrectlyRoundedResult) {
  for (uint32_t bits = 1; bits < 0x8000; ++bits) {
    const float half = ToFloat(Binary16{static_cast<uint16_t>(bits)});
    const double half_exact = 1 / std::sqrt(static_cast<double>(half));
    ASSERT_EQ(RoundToBinary16(Rsqrt(half)), RoundToBinary16(half_exact))
        << half;
    const float brain = ToFloat(BFloat16{static_cast<uint16_t>(bits)});
    const double brain_exact = 1 / std::sqrt(static_cast<double>(brain));
    ASSERT_EQ(RoundToBFloat16(Rsqrt(brain)), RoundToBFloat16(brain_exact))
        << brain;
  }
}

// All operands that a normal draw can have.
TEST(CosTwoPiTest, ErrorOverAllMultiplesOfTwoToMinus24) {
  double largest = 0;
  for (uint32_t i = 0; i <= 1 << 24; i += kStride == 1 ? 1 : 7) {
    const double x = i * 0x1p-24;
    const double error =
        std::fabs(CosTwoPi(static_cast<float>(x)) - std::cos(2 * M_PI * x));
    largest = std::max(largest, error * 0x1p24);
  }
  printf("CosTwoPi: %.4f x 2^-24\n", largest);
  EXPECT_LE(largest, 1.34);
  EXPECT_EQ(CosTwoPi(0.0f), 1.0f);
  EXPECT_EQ(CosTwoPi(0.25f), 0.0f);
  EXPECT_EQ(CosTwoPi(0.5f), -1.0f);
  EXPECT_EQ(CosTwoPi(0.75f), 0.0f);
  EXPECT_EQ(CosTwoPi(1.0f), 1.0f);
}

}  // namespace
}  // namespace repro16
#endif  // HWY_ONCE
