#include "engine/numerics/binary16.h"

#include <cstdint>

#include "engine/numerics/narrowing.h"

namespace repro16 {
namespace {

using Format = BinaryFormat<uint16_t, 5, 10>;

constexpr int kAddedBits =
    Binary32Format::kFractionBits - Format::kFractionBits;
constexpr uint32_t kRebias =
    static_cast<uint32_t>(Binary32Format::kBias - Format::kBias)
    << Binary32Format::kFractionBits;

}  // namespace

float ToFloat(Binary16 half) {
  const uint32_t sign = static_cast<uint32_t>(half.bits & Format::kSignBit)
                        << 16;
  const uint32_t magnitude = half.bits & (Format::kSignBit - 1);
  if (magnitude >= Format::kInfinity) {
    return FromBits<float>(sign | Binary32Format::kInfinity |
                           (magnitude & Format::kFractionMask) << kAddedBits);
  }
  if (magnitude > Format::kFractionMask) {
    return FromBits<float>(sign | ((magnitude << kAddedBits) + kRebias));
  }
  // Subnormal: magnitude is a count of 2^-24, exact in f32.
  const float value = static_cast<float>(magnitude) * 0x1p-24f;
  return sign != 0 ? -value : value;
}

Binary16 RoundToBinary16(float x) {
  return {NarrowBits<Binary32Format, Format>(ToBits<uint32_t>(x),
                                             kCanonicalNanBinary16)};
}

Binary16 RoundToBinary16(double x) {
  return {NarrowBits<Binary64Format, Format>(ToBits<uint64_t>(x),
                                             kCanonicalNanBinary16)};
}

}  // namespace repro16
