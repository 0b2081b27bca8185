// Elementary functions of one f32, with the same bits on every machine.
//
// They use only +, -, *, /, sqrt, fused multiply-add and integer operations,
// all exactly defined by IEEE 754. These scalar functions are the definition,
// order of operations included (as formulas: elementary_constants.h);
// elementary-inl.h gives the same bits for SIMD
// vectors.
//
// Every NaN operand gives the canonical NaN 0x7fc00000, and so does an operand
// outside the domain. Subnormal operands and results are kept.
//
// Largest errors over all 2^32 operands, in units in the last place of the
// exact result, against libm in f64 (elementary_exhaustive_test):
//   Exp 1.02   Log 0.86   Tanh 1.34   Erf 1.12   Gelu 5.90   Rsqrt 0.50
// GeluDerivative: 3.23 * 2^-24, and CosTwoPi over the multiples of 2^-24:
// 1.34 * 2^-24, both absolute.
#ifndef REPRO16_ENGINE_NUMERICS_ELEMENTARY_H_
#define REPRO16_ENGINE_NUMERICS_ELEMENTARY_H_

#include <cmath>
#include <cstdint>

#include "engine/numerics/elementary_constants.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"

namespace repro16 {
namespace elementary {

REPRO16_HOST_DEVICE inline float Nan() { return FromBits<float>(kNanBits); }

// 2^k for -126 <= k <= 127.
REPRO16_HOST_DEVICE inline float PowerOfTwo(int32_t k) {
  return FromBits<float>(static_cast<uint32_t>(k + 127) << 23);
}

// Horner's rule; coefficients lowest power first.
template <int kSize>
REPRO16_HOST_DEVICE inline float Polynomial(
    float x, const float (&coefficients)[kSize]) {
  float sum = coefficients[kSize - 1];
  for (int i = kSize - 1; i > 0; --i) {
    sum = f32::Fma(sum, x, coefficients[i - 1]);
  }
  return sum;
}

// e^x for -150 <= x <= 89.
REPRO16_HOST_DEVICE inline float ExpInRange(float x) {
  const float shifted = f32::Fma(x, kLog2E, kIntegerShift);
  const float n = f32::Sub(shifted, kIntegerShift);
  float r = f32::Fma(n, -kLog2High, x);
  r = f32::Fma(n, -kLog2Low, r);
  const float y = f32::Add(
      f32::Fma(f32::Mul(r, r), Polynomial(r, kExpPolynomial), r), 1.0f);
  // 2^k in two factors, of which the second rounds: k is outside the range of
  // exponents where the result is subnormal or overflows.
  const int32_t k = static_cast<int32_t>(ToBits<uint32_t>(shifted)) -
                    static_cast<int32_t>(ToBits<uint32_t>(kIntegerShift));
  const int32_t half = k >> 1;
  return f32::Mul(f32::Mul(y, PowerOfTwo(half)), PowerOfTwo(k - half));
}

// For t >= 0: exp(-t^2 / 2), 0 from kGeluMax on, and R(t) (see
// elementary_constants.h).
struct NormalTail {
  float t;
  float exp;
  float ratio;
};

REPRO16_HOST_DEVICE inline NormalTail ComputeNormalTail(float magnitude) {
  const float t = f32::Min(magnitude, kGeluMax);
  // t^2 = square + rest exactly; the exponential of the rest is 1 - rest / 2.
  const float square = f32::Mul(t, t);
  const float rest = f32::Fma(t, t, -square);
  const float exp = ExpInRange(f32::Mul(-0.5f, square));
  const float inverse = f32::Div(1.0f, f32::Add(t, kGeluPivot));
  const float q = f32::Mul(f32::Sub(t, kGeluPivot), inverse);
  return {t, f32::Fma(exp, f32::Mul(-0.5f, rest), exp),
          f32::Mul(Polynomial(q, kGeluPolynomial), inverse)};
}

}  // namespace elementary

// e^x. Exp(-inf) = 0, overflow gives +inf.
REPRO16_HOST_DEVICE inline float Exp(float x) {
  namespace e = elementary;
  if (f32::IsNan(x)) return e::Nan();
  return e::ExpInRange(f32::Min(f32::Max(x, e::kExpMin), e::kExpMax));
}

// Natural logarithm. Log(+-0) = -inf, Log(x < 0) = NaN.
REPRO16_HOST_DEVICE inline float Log(float x) {
  namespace e = elementary;
  if (f32::IsNan(x) || x < 0.0f) return e::Nan();
  if (x == 0.0f) return -INFINITY;
  if (x == INFINITY) return x;
  const bool subnormal = x < e::kMinNormal;
  const uint32_t bits =
      ToBits<uint32_t>(subnormal ? f32::Mul(x, e::kSubnormalScale) : x);
  const auto above = static_cast<int32_t>(bits - e::kSqrtHalfBits);
  const auto k = static_cast<float>((above >> 23) - (subnormal ? 23 : 0));
  const float f = f32::Sub(
      FromBits<float>((static_cast<uint32_t>(above) & e::kFractionMask) +
                      e::kSqrtHalfBits),
      1.0f);
  const float square = f32::Mul(f, f);
  float y = f32::Mul(f32::Mul(f, square), e::Polynomial(f, e::kLogPolynomial));
  y = f32::Fma(k, e::kLog2Low, y);
  y = f32::Fma(-0.5f, square, y);
  return f32::Fma(k, e::kLog2High, f32::Add(f, y));
}

// Hyperbolic tangent. Odd; Tanh(+-inf) = +-1, Tanh(+-0) = +-0.
REPRO16_HOST_DEVICE inline float Tanh(float x) {
  namespace e = elementary;
  if (f32::IsNan(x)) return e::Nan();
  const float t = f32::Min(std::fabs(x), e::kTanhMax);
  float y;
  if (t < e::kTanhSmall) {
    const float square = f32::Mul(t, t);
    y = f32::Fma(f32::Mul(t, square), e::Polynomial(square, e::kTanhPolynomial),
                 t);
  } else {
    const float exp = e::ExpInRange(f32::Mul(2.0f, t));
    y = f32::Sub(1.0f, f32::Div(2.0f, f32::Add(exp, 1.0f)));
  }
  return std::copysign(y, x);
}

// Error function. Odd; Erf(+-inf) = +-1, Erf(+-0) = +-0.
REPRO16_HOST_DEVICE inline float Erf(float x) {
  namespace e = elementary;
  if (f32::IsNan(x)) return e::Nan();
  const float t = f32::Min(std::fabs(x), e::kErfMax);
  float y;
  if (t < e::kErfSmall) {
    y = f32::Fma(t, e::Polynomial(f32::Mul(t, t), e::kErfSmallPolynomial), t);
  } else {
    y = f32::Sub(1.0f, e::ExpInRange(f32::Fma(
                           -t, e::Polynomial(t, e::kErfPolynomial), -t)));
  }
  return std::copysign(y, x);
}

// x * Phi(x), Phi(x) = (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016),
// without the cancellation that this formula suffers for x << 0.
// Gelu(-inf) = -0, the limit.
REPRO16_HOST_DEVICE inline float Gelu(float x) {
  namespace e = elementary;
  if (f32::IsNan(x)) return e::Nan();
  const e::NormalTail tail = e::ComputeNormalTail(std::fabs(x));
  // t Phi(-t)
  const float product = f32::Mul(f32::Mul(tail.t, tail.ratio), tail.exp);
  return x < 0.0f ? -product : f32::Sub(x, product);
}

// d Gelu / dx = Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi). It has a zero at
// -0.7518, so its error is absolute. GeluDerivative(-inf) = -0,
// GeluDerivative(+inf) = 1, the limits.
REPRO16_HOST_DEVICE inline float GeluDerivative(float x) {
  namespace e = elementary;
  if (f32::IsNan(x)) return e::Nan();
  const e::NormalTail tail = e::ComputeNormalTail(std::fabs(x));
  // Phi(-t) - t exp(-t^2 / 2) / sqrt(2 pi)
  const float below =
      f32::Mul(tail.exp, f32::Fma(-e::kNormalDensity, tail.t, tail.ratio));
  return x < 0.0f ? below : f32::Sub(1.0f, below);
}

// 1 / sqrt(x), correctly rounded. Rsqrt(+-0) = +-inf, Rsqrt(x < 0) = NaN.
// Rounding the result to binary16 or bfloat16 is correct too: rounding twice
// does no harm for any operand of those types.
REPRO16_HOST_DEVICE inline float Rsqrt(float x) {
  if (f32::IsNan(x) || x < 0.0f) return elementary::Nan();
  const float y = f32::Div(1.0f, f32::Sqrt(x));
  if (x == 0.0f || x == INFINITY) return y;
  // One correction by the residual e = 1 - x y^2, which is exact to far below
  // the last place: (1 - e)^(-1/2) = 1 + e/2 + 3e^2/8 + ... That the result is
  // then correctly rounded was shown by trying every operand.
  const float product = f32::Mul(x, y);
  const float rest = f32::Fma(x, y, -product);
  const float residual = f32::Fma(-rest, y, f32::Fma(-product, y, 1.0f));
  const float correction =
      f32::Fma(f32::Mul(0.375f, residual), residual, f32::Mul(0.5f, residual));
  return f32::Fma(y, correction, y);
}

// cos(2 pi x) for x in [0, 1], as the normal draws need it.
REPRO16_HOST_DEVICE inline float CosTwoPi(float x) {
  namespace e = elementary;
  const float shifted = f32::Fma(x, 4.0f, e::kIntegerShift);
  const float r = f32::Fma(f32::Sub(shifted, e::kIntegerShift), -0.25f, x);
  const uint32_t quadrant = ToBits<uint32_t>(shifted) & 3;
  const float square = f32::Mul(r, r);
  const float value =
      quadrant % 2 == 0
          ? f32::Fma(square, e::Polynomial(square, e::kCosPolynomial), 1.0f)
          : f32::Mul(r, e::Polynomial(square, e::kSinPolynomial));
  return quadrant == 1 || quadrant == 2 ? -value : value;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ELEMENTARY_H_
