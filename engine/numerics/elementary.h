// Elementary functions of one f32, with the same bits on every machine.
//
// They use only +, -, *, /, sqrt, fused multiply-add and integer operations,
// all exactly defined by IEEE 754: elementary_constants.h has the formulas,
// operation by operation. elementary-inl.h gives the same bits for SIMD
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

namespace repro16 {

// e^x. Exp(-inf) = 0, overflow gives +inf.
float Exp(float x);

// Natural logarithm. Log(+-0) = -inf, Log(x < 0) = NaN.
float Log(float x);

// Hyperbolic tangent. Odd; Tanh(+-inf) = +-1, Tanh(+-0) = +-0.
float Tanh(float x);

// Error function. Odd; Erf(+-inf) = +-1, Erf(+-0) = +-0.
float Erf(float x);

// x * Phi(x), Phi(x) = (1 + erf(x / sqrt(2))) / 2 (Hendrycks and Gimpel 2016),
// without the cancellation that this formula suffers for x << 0.
// Gelu(-inf) = -0, the limit.
float Gelu(float x);

// d Gelu / dx = Phi(x) + x * exp(-x^2 / 2) / sqrt(2 pi). It has a zero at
// -0.7518, so its error is absolute. GeluDerivative(-inf) = -0,
// GeluDerivative(+inf) = 1, the limits.
float GeluDerivative(float x);

// 1 / sqrt(x), correctly rounded. Rsqrt(+-0) = +-inf, Rsqrt(x < 0) = NaN.
// Rounding the result to binary16 or bfloat16 is correct too: rounding twice
// does no harm for any operand of those types.
float Rsqrt(float x);

// cos(2 pi x) for x in [0, 1], as the normal draws need it.
float CosTwoPi(float x);

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ELEMENTARY_H_
