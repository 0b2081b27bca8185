// What stores to a storage type did to f32 results.
#ifndef REPRO16_ENGINE_NUMERICS_STORE_COUNTER_H_
#define REPRO16_ENGINE_NUMERICS_STORE_COUNTER_H_

#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {

// Counts of one worker; sums are order-free. A worker keeps its own copy in
// registers or on its stack and adds it to the tensor's total once, when its
// part is done.
struct StoreCounter {
  uint64_t infinite = 0;   // stored as an infinity
  uint64_t nan = 0;        // stored as NaN
  uint64_t underflow = 0;  // the f32 result was not 0, the stored value is

  REPRO16_HOST_DEVICE bool any() const {
    return (infinite | nan | underflow) != 0;
  }

  REPRO16_HOST_DEVICE StoreCounter& operator+=(const StoreCounter& other) {
    infinite += other.infinite;
    nan += other.nan;
    underflow += other.underflow;
    return *this;
  }
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_STORE_COUNTER_H_
