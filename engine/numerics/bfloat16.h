// bfloat16 as a storage type: the upper half of an IEEE 754 binary32.
#ifndef REPRO16_ENGINE_NUMERICS_BFLOAT16_H_
#define REPRO16_ENGINE_NUMERICS_BFLOAT16_H_

#include <cstdint>

#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"

namespace repro16 {

// 1 sign bit, 8 exponent bits (bias 127), 7 fraction bits. Subnormals are kept.
struct BFloat16 {
  uint16_t bits;

  REPRO16_HOST_DEVICE friend constexpr bool operator==(BFloat16 a, BFloat16 b) {
    return a.bits == b.bits;
  }
};

using BFloat16Format = BinaryFormat<uint16_t, 8, 7>;

// Every NaN that is stored has these bits.
inline constexpr uint16_t kCanonicalNanBFloat16 = 0x7fc0;

// Exact.
REPRO16_HOST_DEVICE inline float ToFloat(BFloat16 x) {
  return FromBits<float>(static_cast<uint32_t>(x.bits) << 16);
}

// Rounds to nearest, ties to even; NaN gives the canonical NaN.
REPRO16_HOST_DEVICE inline BFloat16 RoundToBFloat16(float x) {
  return {NarrowBits<Binary32Format, BFloat16Format>(ToBits<uint32_t>(x),
                                                     kCanonicalNanBFloat16)};
}

// The same from f64, rounded once (not through f32).
REPRO16_HOST_DEVICE inline BFloat16 RoundToBFloat16(double x) {
  return {NarrowBits<Binary64Format, BFloat16Format>(ToBits<uint64_t>(x),
                                                     kCanonicalNanBFloat16)};
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_BFLOAT16_H_
