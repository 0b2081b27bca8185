// Random draws as pure functions: which counter and key of Philox4x32-10 a draw
// has, and what its words become. RandomStream (random_stream.h) makes whole
// rows of them.
#ifndef REPRO16_ENGINE_NUMERICS_RANDOM_DRAW_H_
#define REPRO16_ENGINE_NUMERICS_RANDOM_DRAW_H_

#include <cmath>
#include <cstdint>

#include "engine/numerics/host_device.h"
#include "engine/numerics/philox.h"

namespace repro16 {

// What draws are for; streams of different purposes share no draw. The values
// are part of the numerics contract.
enum class RandomPurpose : uint32_t {
  kInit = 0,       // initial parameters
  kShuffle = 1,    // order of the examples of an epoch
  kDropout = 2,    // masks
  kSynthetic = 3,  // made-up data
};

// Which tensor or operation draws is below 2^kRandomPartBits.
inline constexpr int kRandomPartBits = 24;

// A stream of 2^64 words. Word i is word i % 4 of the Philox block whose key is
// the seed (low word first) and whose counter is (block index low, block index
// high, step, purpose * 2^24 + part), block index = i / 4.
struct RandomStreamId {
  PhiloxKey key;
  uint32_t step;
  uint32_t purpose_and_part;
};

// step and part as RandomStream takes them.
REPRO16_HOST_DEVICE constexpr RandomStreamId MakeRandomStreamId(
    uint64_t seed, RandomPurpose purpose, uint32_t step, uint32_t part) {
  return {{{static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)}},
          step,
          static_cast<uint32_t>(purpose) << kRandomPartBits | part};
}

// Words 4 * block_index to 4 * block_index + 3 of the stream.
REPRO16_HOST_DEVICE constexpr PhiloxBlock RandomBlock(
    const RandomStreamId& stream, uint64_t block_index) {
  return Philox4x32({{static_cast<uint32_t>(block_index),
                      static_cast<uint32_t>(block_index >> 32), stream.step,
                      stream.purpose_and_part}},
                    stream.key);
}

REPRO16_HOST_DEVICE constexpr uint32_t RandomWord(const RandomStreamId& stream,
                                                  uint64_t index) {
  return RandomBlock(stream, index / 4)[static_cast<int>(index % 4)];
}

// The uniform draw in [0, 1) of a word: its upper 24 bits times 2^-24. Exact.
REPRO16_HOST_DEVICE inline float UnitInterval(uint32_t word) {
  return f32::Mul(static_cast<float>(word >> 8), 0x1p-24f);
}

// Dropout keeps an element where its draw u is at least `rate`, 0 <= rate < 1.
// u is an integer, word >> 8, times 2^-24, so it is that where the integer is
// at least rate * 2^24 (exact in f64), which is where it is at least that
// number rounded up, at most 2^24.
inline int32_t DropoutThreshold(double rate) {
  return static_cast<int32_t>(std::ceil(rate * 0x1p24));
}
REPRO16_HOST_DEVICE constexpr bool DropoutKeeps(uint32_t word,
                                                int32_t threshold) {
  return static_cast<int32_t>(word >> 8) >= threshold;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_RANDOM_DRAW_H_
