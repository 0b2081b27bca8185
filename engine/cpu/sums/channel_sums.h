// Sums over positions, many side by side (one for each channel, say), in the
// chunks of the contract: scratch and its layout. The sums themselves stand in
// channel_sums-inl.h.
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

// `width` sums side by side, each over `positions` terms. A chunk's sums are a
// row of floats; the sums over all chunks come to stand in the first row.
struct ChunkSums {
  int64_t positions;
  int64_t width;  // a multiple of kWidestVector
  float* sums;    // [chunks, width], aligned to 64 bytes

  int64_t chunks() const { return ReductionChunks(positions); }
  float* of_chunk(int64_t chunk) const { return sums + chunk * width; }
};

// Floats of ChunkSums::sums.
inline int64_t ChunkSumFloats(int64_t positions, int64_t width) {
  return ReductionChunks(positions) * width;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_H_
