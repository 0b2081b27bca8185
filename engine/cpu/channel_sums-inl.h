// SIMD pieces that batch and layer normalisation share. Arrays by channel are
// f32, aligned to 64 bytes and PaddedChannels long; what stands beyond the last
// channel is never stored to a tensor.
#if defined(REPRO16_ENGINE_CPU_CHANNEL_SUMS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_CHANNEL_SUMS_INL_H_
#undef REPRO16_ENGINE_CPU_CHANNEL_SUMS_INL_H_
#else
#define REPRO16_ENGINE_CPU_CHANNEL_SUMS_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "engine/cpu/channel_sums.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/visit_dtype.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::VFromD<FloatTag>;
inline constexpr int64_t kLanes = hn::MaxLanes(FloatTag());
static_assert(kLanes <= kWidestVector);

// Widens a parameter of `channels` elements.
inline void ReadParameter(const TensorRef& parameter, int64_t channels,
                          float* HWY_RESTRICT to) {
  VisitDType(parameter.type, [&](auto tag) HWY_ATTR {
    const auto* from = static_cast<const decltype(tag)*>(parameter.data);
    const FloatTag d;
    for (int64_t c = 0; c < channels; c += kLanes) {
      const auto count = static_cast<size_t>(channels - c);
      hn::Store(LoadF32N(d, from + c, count), d, to + c);
    }
  });
}

// Rounds an array by channel to a parameter's gradient.
inline void WriteParameterGradient(const float* HWY_RESTRICT from,
                                   int64_t channels, const TensorRef& to) {
  VisitDType(to.type, [&](auto tag) HWY_ATTR {
    auto* out = static_cast<decltype(tag)*>(to.data);
    const FloatTag d;
    for (int64_t c = 0; c < channels; c += kLanes) {
      const auto count = static_cast<size_t>(channels - c);
      StoreRoundedN(d, hn::Load(d, from + c), out + c, count, *to.counter);
    }
  });
}

// Chunk sums [chunks][padded]: adds them from left to right into the first.
inline void AddChunkSums(int64_t chunks, int64_t padded,
                         float* HWY_RESTRICT sums) {
  const FloatTag d;
  for (int64_t c = 0; c < padded; c += kLanes) {
    FloatVector total = hn::Load(d, sums + c);
    for (int64_t k = 1; k < chunks; ++k) {
      total = hn::Add(total, hn::Load(d, sums + k * padded + c));
    }
    hn::Store(total, d, sums + c);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_CHANNEL_SUMS_INL_H_
