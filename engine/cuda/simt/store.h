// Stores of results, rounded and counted.
#ifndef REPRO16_ENGINE_CUDA_SIMT_STORE_H_
#define REPRO16_ENGINE_CUDA_SIMT_STORE_H_

#include <cstdint>
#include <type_traits>

#include "engine/cuda/simt/simt.h"
#include "engine/numerics/narrowing.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/store_counter.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// The shared memory of StoreCounts::AddTo.
struct CountsShared {
  uint32_t counts[3];
};

// What one thread's stores to one tensor did.
class StoreCounts {
 public:
  // RoundAndCount (engine/numerics/rounding.h).
  template <class T>
  SIMT_FUNCTION T Round(float x) {
    const T stored = RoundToStored<T>(x);
    Count(x, stored);
    return stored;
  }

  template <class T>
  SIMT_FUNCTION void Store(float x, T* to) {
    *to = Round<T>(x);
  }

  // Adds up over the block. Every thread of the block calls this, once, after
  // its last store; `shared` is the block's. A null counter counts nothing.
  SIMT_FUNCTION void AddTo(StoreCounter* counter, CountsShared& shared) const {
    if (ThreadIndex() < 3) shared.counts[ThreadIndex()] = 0;
    if (!BarrierOr((infinite_ | nan_ | underflow_) != 0)) return;
    if (infinite_ != 0) AtomicAdd(&shared.counts[0], infinite_);
    if (nan_ != 0) AtomicAdd(&shared.counts[1], nan_);
    if (underflow_ != 0) AtomicAdd(&shared.counts[2], underflow_);
    Barrier();
    if (ThreadIndex() == 0 && counter != nullptr) {
      AtomicAdd(&counter->infinite, uint64_t{shared.counts[0]});
      AtomicAdd(&counter->nan, uint64_t{shared.counts[1]});
      AtomicAdd(&counter->underflow, uint64_t{shared.counts[2]});
    }
  }

 private:
  static constexpr uint32_t kInfinity = 0x7f800000;  // as bits of an f32

  SIMT_FUNCTION void Count(float x, float /*stored*/) {
    const uint32_t magnitude = ToBits<uint32_t>(x) & 0x7fffffffu;
    infinite_ += magnitude == kInfinity;
    nan_ += magnitude > kInfinity;
  }

  // Binary16 or BFloat16.
  template <class T>
  SIMT_FUNCTION void Count(float x, T stored) {
    constexpr uint32_t kTop = std::is_same_v<T, Binary16> ? 0x7c00 : 0x7f80;
    const uint32_t magnitude = stored.bits & 0x7fffu;
    // One comparison for all: a zero wraps around.
    if (magnitude - 1 < kTop - 1) return;
    infinite_ += magnitude == kTop;
    nan_ += magnitude > kTop;
    underflow_ += magnitude == 0 && x != 0.0f;
  }

  uint32_t infinite_ = 0;
  uint32_t nan_ = 0;
  uint32_t underflow_ = 0;
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_STORE_H_
