// Vectors that run over the channels of a pixel, per Highway target.
//
// Vectors start at channels 0, lanes, 2 lanes, ... and, if the channels are no
// multiple of the lanes, the last one ends with the last channel: it overlaps
// its predecessor, so that loads are whole, and keeps only what is its own. A
// pixel of fewer channels than lanes has one vector, loaded in part.
#if defined(REPRO16_ENGINE_CPU_SUMS_CHANNEL_VECTORS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_SUMS_CHANNEL_VECTORS_INL_H_
#undef REPRO16_ENGINE_CPU_SUMS_CHANNEL_VECTORS_INL_H_
#else
#define REPRO16_ENGINE_CPU_SUMS_CHANNEL_VECTORS_INL_H_
#endif

#include <cstddef>
#include <type_traits>

#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Vectors of channels side by side: chains that hide each other's latency.
inline constexpr size_t kChannelGroup = 4;

// One vector or more from channel `begin` on. Lanes [first, end) are kept; with
// more than one vector these are all.
struct ChannelVectors {
  size_t begin;
  size_t first;
  size_t end;
};

// Calls fn(vectors, narrow, ChannelVectors) until the vectors cover `channels`:
// groups of kVectors vectors, then single ones. `vectors` and `narrow` are
// std::integral_constants; narrow says that a load must be partial.
template <size_t kVectors, class D, class Fn>
HWY_INLINE void ForEachChannels(D d, size_t channels, const Fn& fn) {
  const size_t lanes = hn::Lanes(d);
  using One = std::integral_constant<size_t, 1>;
  if (channels < lanes) {
    return fn(One(), std::true_type(), ChannelVectors{0, 0, channels});
  }
  size_t c = 0;
  if constexpr (kVectors > 1) {
    for (; c + kVectors * lanes <= channels; c += kVectors * lanes) {
      fn(std::integral_constant<size_t, kVectors>(), std::false_type(),
         ChannelVectors{c, 0, lanes});
    }
  }
  for (; c + lanes <= channels; c += lanes) {
    fn(One(), std::false_type(), ChannelVectors{c, 0, lanes});
  }
  if (c < channels) {
    const size_t begin = channels - lanes;
    fn(One(), std::false_type(), ChannelVectors{begin, c - begin, lanes});
  }
}

// The vector at p; a narrow one has the lanes below `end`, others are 0.
template <bool kNarrow, class D, class T>
HWY_INLINE hn::VFromD<D> LoadChannels(D d, const T* HWY_RESTRICT p,
                                      size_t end) {
  if constexpr (kNarrow) {
    return LoadF32N(d, p, end);
  } else {
    (void)end;
    return LoadF32(d, p);
  }
}

// Stores and counts the kept lanes of v to p.
template <class D, class T>
HWY_INLINE void StoreChannels(D d, hn::VFromD<D> v, T* HWY_RESTRICT p,
                              const ChannelVectors& channels,
                              StoreCounter& counter) {
  if (HWY_LIKELY(channels.first == 0 && channels.end == hn::Lanes(d))) {
    return StoreRounded(d, v, p, counter);
  }
  const auto kept =
      hn::IfThenZeroElse(hn::FirstN(d, channels.first),
                         hn::IfThenElseZero(hn::FirstN(d, channels.end), v));
  HWY_ALIGN T buffer[hn::MaxLanes(D())];
  StoreRounded(d, kept, buffer, counter);
  hwy::CopyBytes(buffer + channels.first, p + channels.first,
                 (channels.end - channels.first) * sizeof(T));
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_SUMS_CHANNEL_VECTORS_INL_H_
