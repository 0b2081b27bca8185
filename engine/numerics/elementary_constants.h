// The formulas of elementary.h, and their constants.
//
// Each formula is written as it is computed: every operation is one of f32,
// rounded once, in the order of the brackets, products and sums from the left;
// fma(a, b, c) = a * b + c rounds once. A polynomial with coefficients c[0],
// ... c[n] is p = c[n], then p = fma(p, x, c[i]) for i = n - 1 ... 0.
//
// The polynomials are minimax (in the relative error of the function) with
// coefficients rounded to f32 one after the other, lowest power first, and the
// rest fitted again each time. Given lowest power first.
#ifndef REPRO16_ENGINE_NUMERICS_ELEMENTARY_CONSTANTS_H_
#define REPRO16_ENGINE_NUMERICS_ELEMENTARY_CONSTANTS_H_

#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {
namespace elementary {

inline constexpr uint32_t kNanBits = 0x7fc00000;
inline constexpr uint32_t kSignBit = 0x80000000;

// --- Exp: x = k log(2) + r, |r| <= log(2) / 2; e^r = 1 + r + r^2 P(r).
//   x is put into [kExpMin, kExpMax] first
//   s = fma(x, kLog2E, kIntegerShift)      k = s - kIntegerShift
//   r = fma(k, -kLog2Low, fma(k, -kLog2High, x))
//   y = fma(r * r, P(r), r) + 1
//   e^x = (y * 2^h) * 2^(k - h), h = k / 2 rounded down
// Outside this range e^x rounds to 0 or infinity.
inline constexpr float kExpMin = -104.0f;
inline constexpr float kExpMax = 89.0f;
inline constexpr float kLog2E = 0x1.715476p+0f;
// Added and subtracted, it rounds to an integer; the sum's lowest bits are that
// integer.
inline constexpr float kIntegerShift = 0x1.8p23f;
// log(2) as the sum of two f32.
inline constexpr float kLog2High = 0x1.62e430p-1f;
inline constexpr float kLog2Low = -0x1.05c610p-29f;
REPRO16_CONSTANT_ARRAY float kExpPolynomial[] = {
    0x1.fffffcp-2f, 0x1.555492p-3f,  0x1.5558aep-5f,
    0x1.123982p-7f, 0x1.6a4f28p-10f,
};

// --- Log: x = 2^k m, sqrt(1/2) <= m < sqrt(2), f = m - 1;
// log(m) = f - f^2 / 2 + f^3 P(f).
//   q = f * f
//   y = fma(-0.5, q, fma(k, kLog2Low, (f * q) * P(f)))
//   log(x) = fma(k, kLog2High, f + y)
inline constexpr uint32_t kSqrtHalfBits = 0x3f3504f3;  // of the least m
inline constexpr uint32_t kFractionMask = 0x007fffff;
inline constexpr float kMinNormal = 0x1p-126f;
// Makes subnormals normal; their k is then too large by 23.
inline constexpr float kSubnormalScale = 0x1p23f;
REPRO16_CONSTANT_ARRAY float kLogPolynomial[] = {
    0x1.555554p-2f, -0x1.000226p-2f, 0x1.99a01cp-3f, -0x1.54728ap-3f,
    0x1.22d93ap-3f, -0x1.0d8258p-3f, 0x1.055e38p-3f, -0x1.38c77cp-4f,
};

// --- Tanh: x + x^3 P(x^2) below the bound, else 1 - 2 / (e^2x + 1).
//   t = min(|x|, kTanhMax)      q = t * t
//   y = fma(t * q, P(q), t) where t < kTanhSmall, else 1 - 2 / (Exp(2 * t) + 1)
//   tanh(x) = y with the sign of x
inline constexpr float kTanhSmall = 0.6f;
// From here on the result is 1.
inline constexpr float kTanhMax = 10.0f;
REPRO16_CONSTANT_ARRAY float kTanhPolynomial[] = {
    -0x1.55553ep-2f, 0x1.1109bep-3f,  -0x1.b89abap-5f,
    0x1.54c3c2p-6f,  -0x1.828776p-8f,
};

// --- Erf: x + x P(x^2) below the bound, else 1 - exp(-(x + x Q(x))).
//   t = min(|x|, kErfMax)
//   y = fma(t, P(t * t), t) where t < kErfSmall,
//       else 1 - Exp(fma(-t, Q(t), -t))
//   erf(x) = y with the sign of x
inline constexpr float kErfSmall = 0.927734375f;
// From here on the result is 1.
inline constexpr float kErfMax = 3.925f;
REPRO16_CONSTANT_ARRAY float kErfSmallPolynomial[] = {
    0x1.06eba6p-3f,  -0x1.8126e4p-2f, 0x1.ce19e6p-4f,
    -0x1.b681aep-6f, 0x1.46fbaep-8f,  -0x1.38feeap-11f,
};
REPRO16_CONSTANT_ARRAY float kErfPolynomial[] = {
    0x1.077b30p-3f, 0x1.453032p-1f,   0x1.b34490p-4f,  -0x1.85bc44p-6f,
    0x1.df0012p-9f, -0x1.55937ep-12f, 0x1.82b744p-17f,
};

// --- Gelu: Phi(-t) = exp(-t^2 / 2) R(t) for t >= 0, with
// R(t) = P((t - K) / (t + K)) / (t + K), K = kGeluPivot.
//   t = min(|x|, kGeluMax)      q = t * t      v = 1 / (t + K)
//   E = Exp(-0.5 * q)
//   e = fma(E, -0.5 * fma(t, t, -q), E)     q + fma(t, t, -q) is t^2 exactly
//   R = P((t - K) * v) * v
//   p = (t * R) * e      Gelu(x) = -p where x < 0, else x - p
//   d = e * fma(-kNormalDensity, t, R)
//   GeluDerivative(x) = d where x < 0, else 1 - d
// From here on Phi(-t) rounds to 0 and exp(-t^2 / 2) does too.
inline constexpr float kGeluMax = 15.0f;
inline constexpr float kGeluPivot = 3.171875f;
REPRO16_CONSTANT_ARRAY float kGeluPolynomial[] = {
    0x1.7850b2p-1f,  -0x1.0fa230p-1f, 0x1.0b328ep-2f,   -0x1.1f7960p-4f,
    -0x1.9228c0p-9f, 0x1.0c731cp-7f,  -0x1.e2e9c0p-12f, -0x1.1ed6d0p-10f,
    0x1.25cac8p-15f, 0x1.e0bc5ep-14f,
};
// 1 / sqrt(2 pi)
inline constexpr float kNormalDensity = 0x1.988454p-2f;

// --- CosTwoPi: x = k / 4 + r, |r| <= 1 / 8; cos(2 pi r) = 1 + r^2 P(r^2),
// sin(2 pi r) = r Q(r^2).
//   k = fma(x, 4, kIntegerShift) - kIntegerShift
//   r = fma(k, -0.25, x)      q = r * r
//   y = fma(q, P(q), 1) where k is even, else r * Q(q)
//   cos(2 pi x) = -y where k mod 4 is 1 or 2, else y
REPRO16_CONSTANT_ARRAY float kCosPolynomial[] = {
    -0x1.3bd3ccp+4f,
    0x1.03c1aep+6f,
    -0x1.55b130p+6f,
    0x1.d46c34p+5f,
};
REPRO16_CONSTANT_ARRAY float kSinPolynomial[] = {
    0x1.921fb6p+2f,
    -0x1.4abc24p+5f,
    0x1.468094p+6f,
    -0x1.3315a4p+6f,
};

}  // namespace elementary
}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ELEMENTARY_CONSTANTS_H_
