// IEEE 754 binary16 as a storage type, with conversions in plain integer
// arithmetic.
//
// These functions are the definition; the SIMD conversions of rounding-inl.h
// give the same bits, and so do a GPU's instructions, which are used there.
#ifndef REPRO16_ENGINE_NUMERICS_BINARY16_H_
#define REPRO16_ENGINE_NUMERICS_BINARY16_H_

#include <cstdint>

#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"

namespace repro16 {

// One half: 1 sign bit, 5 exponent bits (bias 15), 10 fraction bits (IEEE
// 754-2019, 3.6). Subnormals, infinities and NaN are kept; nothing flushes.
struct Binary16 {
  uint16_t bits;

  REPRO16_HOST_DEVICE friend constexpr bool operator==(Binary16 a, Binary16 b) {
    return a.bits == b.bits;
  }
};

using Binary16Format = BinaryFormat<uint16_t, 5, 10>;

// Every NaN that is stored has these bits.
inline constexpr uint16_t kCanonicalNanBinary16 = 0x7e00;

// Exact.
REPRO16_HOST_DEVICE inline float ToFloat(Binary16 half) {
#ifdef __CUDA_ARCH__
  float value;
  asm("cvt.f32.f16 %0, %1;" : "=f"(value) : "h"(half.bits));
  return value;
#else
  using Half = Binary16Format;
  using Single = Binary32Format;
  constexpr int kAddedBits = Single::kFractionBits - Half::kFractionBits;
  constexpr uint32_t kRebias =
      static_cast<uint32_t>(Single::kBias - Half::kBias)
      << Single::kFractionBits;
  const uint32_t sign = static_cast<uint32_t>(half.bits & Half::kSignBit) << 16;
  const uint32_t magnitude = half.bits & (Half::kSignBit - 1);
  if (magnitude >= Half::kInfinity) {
    return FromBits<float>(sign | Single::kInfinity |
                           (magnitude & Half::kFractionMask) << kAddedBits);
  }
  if (magnitude > Half::kFractionMask) {
    return FromBits<float>(sign | ((magnitude << kAddedBits) + kRebias));
  }
  // Subnormal: magnitude is a count of 2^-24, exact in f32.
  const float value = f32::Mul(static_cast<float>(magnitude), 0x1p-24f);
  return sign != 0 ? -value : value;
#endif
}

// Rounds to nearest, ties to even. |x| >= 65520 gives an infinity, |x| <= 2^-25
// a zero of the same sign, NaN the canonical NaN.
REPRO16_HOST_DEVICE inline Binary16 RoundToBinary16(float x) {
#ifdef __CUDA_ARCH__
  uint16_t bits;  // of a NaN: 7fff
  asm("cvt.rn.f16.f32 %0, %1;" : "=h"(bits) : "f"(x));
  return {f32::IsNan(x) ? kCanonicalNanBinary16 : bits};
#else
  return {NarrowBits<Binary32Format, Binary16Format>(ToBits<uint32_t>(x),
                                                     kCanonicalNanBinary16)};
#endif
}

// The same from f64, rounded once (not through f32).
REPRO16_HOST_DEVICE inline Binary16 RoundToBinary16(double x) {
  return {NarrowBits<Binary64Format, Binary16Format>(ToBits<uint64_t>(x),
                                                     kCanonicalNanBinary16)};
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_BINARY16_H_
