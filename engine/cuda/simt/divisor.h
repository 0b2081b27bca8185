// Division by a number that is known before the launch.
#ifndef REPRO16_ENGINE_CUDA_SIMT_DIVISOR_H_
#define REPRO16_ENGINE_CUDA_SIMT_DIVISOR_H_

#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {

// n / divisor and the rest, for 0 <= n < 2^31 and 1 <= divisor < 2^31 (Granlund
// and Montgomery 1994, Division by Invariant Integers using Multiplication,
// section 4).
class Divisor {
 public:
  Divisor() = default;
  explicit Divisor(int64_t divisor) : divisor_(static_cast<uint32_t>(divisor)) {
    while ((uint64_t{1} << shift_) < divisor_) ++shift_;
    const uint64_t excess = (uint64_t{1} << shift_) - divisor_;
    multiplier_ = static_cast<uint32_t>((excess << 32) / divisor_ + 1);
  }

  REPRO16_HOST_DEVICE int Divide(int n, int* rest) const {
    const auto dividend = static_cast<uint32_t>(n);
    const auto high = static_cast<uint32_t>(
        static_cast<uint64_t>(dividend) * multiplier_ >> 32);
    const uint32_t quotient = (high + dividend) >> shift_;
    *rest = static_cast<int>(dividend - quotient * divisor_);
    return static_cast<int>(quotient);
  }

 private:
  uint32_t divisor_ = 1;
  uint32_t multiplier_ = 1;
  uint32_t shift_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_DIVISOR_H_
