// Sums over rows, one for each channel: scratch and its layout. The sums
// themselves stand in channel_sums-inl.h.
#ifndef REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_H_
#define REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_H_

#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/tensor/round_up.h"

namespace repro16 {

// Floats of the widest vector, and of a cache line.
inline constexpr int64_t kWidestVector = 16;

// Floats of an array by channel, whole vectors of which are read and written.
inline int64_t PaddedChannels(int64_t channels) {
  return RoundUp(channels, kWidestVector);
}

inline int64_t ReductionChunks(int64_t rows) {
  return CeilDiv(rows, kReductionChunk);
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_H_
