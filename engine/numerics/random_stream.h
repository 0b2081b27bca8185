// Random draws that are indexed, not sequential: the draw at an index is a pure
// function of (seed, purpose, step, part, index). Threads, order and machine do
// not matter.
#ifndef REPRO16_ENGINE_NUMERICS_RANDOM_STREAM_H_
#define REPRO16_ENGINE_NUMERICS_RANDOM_STREAM_H_

#include <cstdint>
#include <vector>

#include "absl/types/span.h"
#include "engine/numerics/random_draw.h"

namespace repro16 {

// The stream of 2^64 words that RandomStreamId describes (random_draw.h).
class RandomStream {
 public:
  // step: 0 for kInit, the epoch from 1 for kShuffle, the training step from 0
  // for kDropout, the example for kSynthetic. part, below 2^24: which parameter
  // (engine/training/initialize.h) or dropout (engine/graph/graph.h); 0 for
  // kShuffle. Draws of different parts are independent.
  RandomStream(uint64_t seed, RandomPurpose purpose, uint32_t step = 0,
               uint32_t part = 0);

  // Uniform over all 32-bit words.
  uint32_t UniformU32(uint64_t index) const { return RandomWord(id_, index); }

  // Uniform over the multiples of 2^-24 in [0, 1), of that word.
  float Uniform(uint64_t index) const {
    return UnitInterval(UniformU32(index));
  }

  // words[j] = UniformU32(begin + j), by SIMD.
  void FillUniformU32(uint64_t begin, absl::Span<uint32_t> words) const;

  // Normal, mean 0, deviation 1 (Box and Muller 1958), from words 2i and 2i + 1
  // of the stream: sqrt(-2 * Log(u)) * CosTwoPi(v), each operation in f32, with
  // u = Uniform(2i) + 2^-24 in (0, 1] and v = Uniform(2i + 1). |value| <= 5.77.
  float Normal(uint64_t index) const;

  // Normal, conditioned on |value| <= 2, for index < 2^40: the first in range
  // of the two Box-Muller values of block index + attempt * 2^40, attempt = 0,
  // 1, ...: of its words 0 and 1, then of 2 and 3. Its deviation is
  // 0.87962566103423978.
  float TruncatedNormal(uint64_t index) const;

 private:
  RandomStreamId id_;
};

// A uniform permutation of 0 ... n - 1, n < 2^32 (Fisher and Yates, as in
// Knuth, TAOCP 2, 3.4.2 P): for i = n - 1 ... 1 swaps i with an unbiased draw
// from 0 ... i (Lemire 2019: the upper half of word * (i + 1); while its lower
// half is below 2^32 mod (i + 1), the next word instead). Takes the stream's
// words in order from 0.
std::vector<uint32_t> Permutation(uint32_t n, const RandomStream& stream);

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_RANDOM_STREAM_H_
