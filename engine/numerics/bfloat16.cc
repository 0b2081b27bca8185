#include "engine/numerics/bfloat16.h"

#include <cstdint>

#include "engine/numerics/narrowing.h"

namespace repro16 {
namespace {

using Format = BinaryFormat<uint16_t, 8, 7>;

}  // namespace

float ToFloat(BFloat16 x) {
  return FromBits<float>(static_cast<uint32_t>(x.bits) << 16);
}

BFloat16 RoundToBFloat16(float x) {
  return {NarrowBits<Binary32Format, Format>(ToBits<uint32_t>(x),
                                             kCanonicalNanBFloat16)};
}

BFloat16 RoundToBFloat16(double x) {
  return {NarrowBits<Binary64Format, Format>(ToBits<uint64_t>(x),
                                             kCanonicalNanBFloat16)};
}

}  // namespace repro16
