// Conversion between IEEE 754 binary formats, in integer arithmetic.
#ifndef REPRO16_ENGINE_NUMERICS_NARROWING_H_
#define REPRO16_ENGINE_NUMERICS_NARROWING_H_

#include <cstdint>
#include <cstring>

#include "engine/numerics/host_device.h"

namespace repro16 {

// An interchange format (IEEE 754-2019, 3.4): sign, biased exponent, fraction.
template <typename BitsT, int kExponentBits, int kFraction>
struct BinaryFormat {
  using Bits = BitsT;
  static constexpr int kFractionBits = kFraction;
  static constexpr int kBias = (1 << (kExponentBits - 1)) - 1;
  static constexpr Bits kFractionMask = (Bits{1} << kFraction) - 1;
  static constexpr Bits kInfinity = ((Bits{1} << kExponentBits) - 1)
                                    << kFraction;
  static constexpr Bits kSignBit = Bits{1} << (kExponentBits + kFraction);
};

using Binary64Format = BinaryFormat<uint64_t, 11, 52>;
using Binary32Format = BinaryFormat<uint32_t, 8, 23>;

template <typename Bits, typename Float>
REPRO16_HOST_DEVICE inline Bits ToBits(Float x) {
  static_assert(sizeof(Bits) == sizeof(Float), "bits of another size");
  Bits bits;
  std::memcpy(&bits, &x, sizeof(bits));
  return bits;
}

template <typename Float, typename Bits>
REPRO16_HOST_DEVICE inline Float FromBits(Bits bits) {
  return ToBits<Float>(bits);
}

// value / 2^shift rounded to the nearest integer, ties to even. With W bits in
// Bits, value is below 2^(W - 1), so that the sum does not wrap, and at most
// 2^(W - 2) where shift is above W - 2, so that it rounds to 0.
template <typename Bits>
REPRO16_HOST_DEVICE constexpr Bits ShiftRightToNearestEven(Bits value,
                                                           int shift) {
  if (shift == 0) return value;
  if (shift > static_cast<int>(8 * sizeof(Bits)) - 2) return 0;
  const Bits half = Bits{1} << (shift - 1);
  const Bits odd = (value >> shift) & 1;
  return (value + half - 1 + odd) >> shift;
}

// The bits, in To, of the number with bits x in the wider format From, rounded
// to nearest even. Every NaN gives `nan`.
template <typename From, typename To>
REPRO16_HOST_DEVICE constexpr typename To::Bits NarrowBits(
    typename From::Bits x, typename To::Bits nan) {
  using Wide = typename From::Bits;
  using Narrow = typename To::Bits;
  constexpr int kDropped = From::kFractionBits - To::kFractionBits;
  constexpr int kBiasChange = From::kBias - To::kBias;
  const Wide magnitude = x & (From::kSignBit - 1);
  const Narrow sign = (x & From::kSignBit) != 0 ? To::kSignBit : 0;
  if (magnitude > From::kInfinity) return nan;

  const int exponent =
      static_cast<int>(magnitude >> From::kFractionBits) - kBiasChange;
  Wide rounded = 0;
  if (exponent > 0) {
    // Normal in To. A carry out of the fraction raises the exponent by one.
    rounded = ShiftRightToNearestEven<Wide>(magnitude, kDropped) -
              (static_cast<Wide>(kBiasChange) << To::kFractionBits);
  } else {
    // Subnormal in To: the significand in units of To's smallest subnormal.
    const bool normal = magnitude > From::kFractionMask;
    const Wide hidden = normal ? From::kFractionMask + 1 : 0;
    rounded = ShiftRightToNearestEven<Wide>(
        (magnitude & From::kFractionMask) + hidden,
        kDropped + (normal ? 1 - exponent : kBiasChange));
  }
  if (rounded > To::kInfinity) rounded = To::kInfinity;
  return static_cast<Narrow>(sign | static_cast<Narrow>(rounded));
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_NARROWING_H_
