#include "engine/numerics/random_stream.h"

#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

#include "absl/types/span.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/philox.h"
#include "engine/numerics/random_draw.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/numerics/random_stream.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<uint32_t>;
using V = hn::VFromD<D>;

// The upper and lower halves of the 64-bit products a * multiplier.
HWY_INLINE void MultiplyWide(V a, uint32_t multiplier, V& high, V& low) {
  const D d;
  const V b = hn::Set(d, multiplier);
  const V even = hn::BitCast(d, hn::MulEven(a, b));
  const V odd = hn::BitCast(d, hn::MulOdd(a, b));
  low = hn::InterleaveEven(d, even, odd);
  high = hn::InterleaveOdd(d, even, odd);
}

// Words of whole blocks, block_index, block_index + 1, ... of RandomBlock; one
// block a lane.
void FillBlocks(const RandomStreamId& id, uint64_t block_index, size_t blocks,
                uint32_t* HWY_RESTRICT words) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  for (size_t i = 0; i < blocks; i += lanes) {
    const uint64_t first = block_index + i;
    const V low = hn::Set(d, static_cast<uint32_t>(first));
    V c0 = hn::Add(low, hn::Iota(d, 0));
    const V carry = hn::VecFromMask(d, hn::Lt(c0, low));
    V c1 = hn::Sub(hn::Set(d, static_cast<uint32_t>(first >> 32)), carry);
    V c2 = hn::Set(d, id.step);
    V c3 = hn::Set(d, id.purpose_and_part);
    uint32_t k0 = id.key[0];
    uint32_t k1 = id.key[1];
    for (int round = 0; round < kPhiloxRounds; ++round) {
      V high0, low0, high1, low1;
      MultiplyWide(c0, kPhiloxMultiplier0, high0, low0);
      MultiplyWide(c2, kPhiloxMultiplier1, high1, low1);
      c0 = hn::Xor3(high1, c1, hn::Set(d, k0));
      c1 = low1;
      c2 = hn::Xor3(high0, c3, hn::Set(d, k1));
      c3 = low0;
      k0 += kPhiloxWeyl0;
      k1 += kPhiloxWeyl1;
    }
    if (blocks - i >= lanes) {
      hn::StoreInterleaved4(c0, c1, c2, c3, d, words + 4 * i);
    } else {
      HWY_ALIGN uint32_t tail[4 * hn::MaxLanes(D())];
      hn::StoreInterleaved4(c0, c1, c2, c3, d, tail);
      hwy::CopyBytes(tail, words + 4 * i, 4 * (blocks - i) * sizeof(uint32_t));
    }
  }
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(FillBlocks);

// Truncated normal: attempt a of an element uses block index + a * 2^40.
constexpr int kAttemptShift = 40;

float BoxMuller(uint32_t word_u, uint32_t word_v) {
  const float u = UnitInterval(word_u) + 0x1p-24f;
  const float v = UnitInterval(word_v);
  return std::sqrt(-2.0f * Log(u)) * CosTwoPi(v);
}

}  // namespace

RandomStream::RandomStream(uint64_t seed, RandomPurpose purpose, uint32_t step,
                           uint32_t part)
    : id_(MakeRandomStreamId(seed, purpose, step, part)) {
  assert(part < uint32_t{1} << kRandomPartBits);
}

void RandomStream::FillUniformU32(uint64_t begin,
                                  absl::Span<uint32_t> words) const {
  // Up to the first whole block, whole blocks, after the last one.
  size_t done = 0;
  while (done < words.size() && (begin + done) % 4 != 0) {
    words[done] = UniformU32(begin + done);
    ++done;
  }
  const size_t blocks = (words.size() - done) / 4;
  HWY_DYNAMIC_DISPATCH(FillBlocks)
  (id_, (begin + done) / 4, blocks, words.data() + done);
  for (done += 4 * blocks; done < words.size(); ++done) {
    words[done] = UniformU32(begin + done);
  }
}

float RandomStream::Normal(uint64_t index) const {
  const PhiloxBlock block = RandomBlock(id_, index / 2);
  const int first = 2 * static_cast<int>(index % 2);
  return BoxMuller(block[first], block[first + 1]);
}

float RandomStream::TruncatedNormal(uint64_t index) const {
  assert(index < uint64_t{1} << kAttemptShift);
  for (uint64_t attempt = 0;; ++attempt) {
    const PhiloxBlock block =
        RandomBlock(id_, index + (attempt << kAttemptShift));
    for (const int first : {0, 2}) {
      const float value = BoxMuller(block[first], block[first + 1]);
      if (std::fabs(value) <= 2.0f) return value;
    }
  }
}

std::vector<uint32_t> Permutation(uint32_t n, const RandomStream& stream) {
  std::vector<uint32_t> order(n);
  std::iota(order.begin(), order.end(), 0u);
  uint64_t next_word = 0;
  for (uint32_t i = n; i > 1; --i) {
    // i values are left to choose from; 2^32 mod i words would be too many.
    const uint32_t biased = (0u - i) % i;
    uint64_t product;
    do {
      product = uint64_t{stream.UniformU32(next_word++)} * i;
    } while (static_cast<uint32_t>(product) < biased);
    std::swap(order[i - 1], order[product >> 32]);
  }
  return order;
}

}  // namespace repro16
#endif  // HWY_ONCE
