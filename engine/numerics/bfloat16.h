// bfloat16 as a storage type: the upper half of an IEEE 754 binary32.
#ifndef REPRO16_ENGINE_NUMERICS_BFLOAT16_H_
#define REPRO16_ENGINE_NUMERICS_BFLOAT16_H_

#include <cstdint>

namespace repro16 {

// 1 sign bit, 8 exponent bits (bias 127), 7 fraction bits. Subnormals are kept.
struct BFloat16 {
  uint16_t bits;

  friend constexpr bool operator==(BFloat16 a, BFloat16 b) {
    return a.bits == b.bits;
  }
};

// Every NaN that is stored has these bits.
inline constexpr uint16_t kCanonicalNanBFloat16 = 0x7fc0;

// Exact.
float ToFloat(BFloat16 x);

// Rounds to nearest, ties to even; NaN gives the canonical NaN.
BFloat16 RoundToBFloat16(float x);

// The same from f64, rounded once (not through f32).
BFloat16 RoundToBFloat16(double x);

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_BFLOAT16_H_
