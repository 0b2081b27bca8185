// Philox4x32-10: a counter-based random number generator (Salmon, Moraes, Dror,
// Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
//
// A block of four words is a pure function of a 128-bit counter and a 64-bit
// key, so draws depend neither on the order nor on the machine they are made
// on.
#ifndef REPRO16_ENGINE_NUMERICS_PHILOX_H_
#define REPRO16_ENGINE_NUMERICS_PHILOX_H_

#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {

template <int kSize>
struct PhiloxWords {
  uint32_t words[kSize];

  REPRO16_HOST_DEVICE constexpr uint32_t operator[](int i) const {
    return words[i];
  }
  REPRO16_HOST_DEVICE friend constexpr bool operator==(const PhiloxWords& a,
                                                       const PhiloxWords& b) {
    for (int i = 0; i < kSize; ++i) {
      if (a[i] != b[i]) return false;
    }
    return true;
  }
};

using PhiloxBlock = PhiloxWords<4>;
using PhiloxKey = PhiloxWords<2>;

// The constants of the paper, section 4.3 and table 2.
inline constexpr int kPhiloxRounds = 10;
inline constexpr uint32_t kPhiloxMultiplier0 = 0xd2511f53;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xcd9e8d57;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9e3779b9;
inline constexpr uint32_t kPhiloxWeyl1 = 0xbb67ae85;

// Words in the order of the Random123 library; counter[0] is the least
// significant.
REPRO16_HOST_DEVICE constexpr PhiloxBlock Philox4x32(PhiloxBlock counter,
                                                     PhiloxKey key) {
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{kPhiloxMultiplier0} * counter[0];
    const uint64_t product1 = uint64_t{kPhiloxMultiplier1} * counter[2];
    counter = {{static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                static_cast<uint32_t>(product1),
                static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                static_cast<uint32_t>(product0)}};
    key = {{key[0] + kPhiloxWeyl0, key[1] + kPhiloxWeyl1}};
  }
  return counter;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_PHILOX_H_
