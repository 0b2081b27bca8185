#include "engine/numerics/elementary.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/numerics/elementary_constants.h"

namespace repro16 {
namespace {

using namespace elementary;  // NOLINT(google-build-using-namespace)

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

float Nan() { return Number(kNanBits); }

// 2^k for -126 <= k <= 127.
float PowerOfTwo(int32_t k) {
  return Number(static_cast<uint32_t>(k + 127) << 23);
}

// Horner's rule; coefficients lowest power first.
template <size_t kSize>
float Polynomial(float x, const float (&coefficients)[kSize]) {
  float sum = coefficients[kSize - 1];
  for (size_t i = kSize - 1; i > 0; --i) {
    sum = std::fma(sum, x, coefficients[i - 1]);
  }
  return sum;
}

// For -150 <= x <= 89.
float ExpInRange(float x) {
  const float shifted = std::fma(x, kLog2E, kIntegerShift);
  const float n = shifted - kIntegerShift;
  float r = std::fma(n, -kLog2High, x);
  r = std::fma(n, -kLog2Low, r);
  const float y = std::fma(r * r, Polynomial(r, kExpPolynomial), r) + 1.0f;
  // 2^k in two factors, of which the second rounds: k is outside the range of
  // exponents where the result is subnormal or overflows.
  const int32_t k = static_cast<int32_t>(Bits(shifted)) -
                    static_cast<int32_t>(Bits(kIntegerShift));
  const int32_t half = k >> 1;
  return y * PowerOfTwo(half) * PowerOfTwo(k - half);
}

// For t >= 0: exp(-t^2 / 2), 0 from kGeluMax on, and R(t) (see
// elementary_constants.h).
struct NormalTail {
  float t;
  float exp;
  float ratio;
};

NormalTail ComputeNormalTail(float magnitude) {
  const float t = std::min(magnitude, kGeluMax);
  // t^2 = square + rest exactly; the exponential of the rest is 1 - rest / 2.
  const float square = t * t;
  const float rest = std::fma(t, t, -square);
  const float exp = ExpInRange(-0.5f * square);
  const float inverse = 1.0f / (t + kGeluPivot);
  const float q = (t - kGeluPivot) * inverse;
  return {t, std::fma(exp, -0.5f * rest, exp),
          Polynomial(q, kGeluPolynomial) * inverse};
}

}  // namespace

float Exp(float x) {
  if (std::isnan(x)) return Nan();
  return ExpInRange(std::min(std::max(x, kExpMin), kExpMax));
}

float Log(float x) {
  if (std::isnan(x) || x < 0.0f) return Nan();
  if (x == 0.0f) return -INFINITY;
  if (std::isinf(x)) return x;
  const bool subnormal = x < kMinNormal;
  const uint32_t bits = Bits(subnormal ? x * kSubnormalScale : x);
  const int32_t above = static_cast<int32_t>(bits - kSqrtHalfBits);
  const float k = static_cast<float>((above >> 23) - (subnormal ? 23 : 0));
  const float f =
      Number((static_cast<uint32_t>(above) & kFractionMask) + kSqrtHalfBits) -
      1.0f;
  const float square = f * f;
  float y = f * square * Polynomial(f, kLogPolynomial);
  y = std::fma(k, kLog2Low, y);
  y = std::fma(-0.5f, square, y);
  return std::fma(k, kLog2High, f + y);
}

float Tanh(float x) {
  if (std::isnan(x)) return Nan();
  const float t = std::min(std::fabs(x), kTanhMax);
  float y;
  if (t < kTanhSmall) {
    const float square = t * t;
    y = std::fma(t * square, Polynomial(square, kTanhPolynomial), t);
  } else {
    y = 1.0f - 2.0f / (ExpInRange(2.0f * t) + 1.0f);
  }
  return std::copysign(y, x);
}

float Erf(float x) {
  if (std::isnan(x)) return Nan();
  const float t = std::min(std::fabs(x), kErfMax);
  float y;
  if (t < kErfSmall) {
    y = std::fma(t, Polynomial(t * t, kErfSmallPolynomial), t);
  } else {
    y = 1.0f - ExpInRange(std::fma(-t, Polynomial(t, kErfPolynomial), -t));
  }
  return std::copysign(y, x);
}

float Gelu(float x) {
  if (std::isnan(x)) return Nan();
  const NormalTail tail = ComputeNormalTail(std::fabs(x));
  const float product = tail.t * tail.ratio * tail.exp;  // t Phi(-t)
  return x < 0.0f ? -product : x - product;
}

float GeluDerivative(float x) {
  if (std::isnan(x)) return Nan();
  const NormalTail tail = ComputeNormalTail(std::fabs(x));
  // Phi(-t) - t exp(-t^2 / 2) / sqrt(2 pi)
  const float below = tail.exp * std::fma(-kNormalDensity, tail.t, tail.ratio);
  return x < 0.0f ? below : 1.0f - below;
}

float Rsqrt(float x) {
  if (std::isnan(x) || x < 0.0f) return Nan();
  const float y = 1.0f / std::sqrt(x);
  if (x == 0.0f || std::isinf(x)) return y;
  // One correction by the residual e = 1 - x y^2, which is exact to far below
  // the last place: (1 - e)^(-1/2) = 1 + e/2 + 3e^2/8 + ... That the result is
  // then correctly rounded was shown by trying every operand.
  const float product = x * y;
  const float rest = std::fma(x, y, -product);
  const float residual = std::fma(-rest, y, std::fma(-product, y, 1.0f));
  const float correction =
      std::fma(0.375f * residual, residual, 0.5f * residual);
  return std::fma(y, correction, y);
}

float CosTwoPi(float x) {
  const float shifted = std::fma(x, 4.0f, kIntegerShift);
  const float r = std::fma(shifted - kIntegerShift, -0.25f, x);
  const uint32_t quadrant = Bits(shifted) & 3;
  const float square = r * r;
  const float value =
      quadrant % 2 == 0
          ? std::fma(square, Polynomial(square, kCosPolynomial), 1.0f)
          : r * Polynomial(square, kSinPolynomial);
  return quadrant == 1 || quadrant == 2 ? -value : value;
}

}  // namespace repro16
