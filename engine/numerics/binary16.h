// IEEE 754 binary16 as a storage type, with conversions in plain integer
// arithmetic.
//
// These functions are the definition; the SIMD conversions of rounding-inl.h
// give the same bits.
#ifndef REPRO16_ENGINE_NUMERICS_BINARY16_H_
#define REPRO16_ENGINE_NUMERICS_BINARY16_H_

#include <cstdint>

namespace repro16 {

// One half: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits (IEEE
// 754-2019, 3.6). Subnormals, infinities and NaN are kept; nothing flushes.
struct Binary16 {
  uint16_t bits;

  friend constexpr bool operator==(Binary16 a, Binary16 b) {
    return a.bits == b.bits;
  }
};

// Every NaN that is stored has these bits.
inline constexpr uint16_t kCanonicalNanBinary16 = 0x7e00;

// Exact.
float ToFloat(Binary16 half);

// Rounds to nearest, ties to even. |x| >= 65520 gives an infinity, |x| <= 2^-25
// a zero of the same sign, NaN the canonical NaN.
Binary16 RoundToBinary16(float x);

// The same from f64, rounded once (not through f32).
Binary16 RoundToBinary16(double x);

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_BINARY16_H_
