// SIMD pieces that batch and layer normalisation share. Arrays by channel are
// f32, aligned to 64 bytes and PaddedChannels long; what stands beyond the last
// channel is never stored to a tensor.
#if defined(REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_
#undef REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_
#else
#define REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/sums/channel_sums.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/rounding-inl.h"
#include "engine/numerics/visit_dtype.h"
#include "hwy/highway.h"

// Before a loop over an array of vectors, so that these stay in registers.
#undef REPRO16_UNROLL
#if HWY_COMPILER_CLANG
#define REPRO16_UNROLL _Pragma("clang loop unroll(full)")
#else
#define REPRO16_UNROLL _Pragma("GCC unroll 16")
#endif

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

// --- Sums over rows
//
// A step says what is summed: Step::kSums numbers an element. SetChannels(c)
// comes before rows of the vector that starts at channel c, and
// Add(load, at, sum) adds the terms of the elements from `at` on, each read
// through load(pointer).

struct Rows {
  int64_t count;
  int64_t channels;
};

// Few channels: so many chunks side by side, since one chain of additions
// cannot run faster than its latency.
inline constexpr int64_t kNarrow = 64;
inline constexpr int64_t kChunksAtOnce = 4;
// Many channels: a task is so many of one chunk.
inline constexpr int64_t kChannelsPerTask = 256;

struct LoadWhole {
  template <class T>
  HWY_INLINE FloatVector operator()(const T* p) const {
    return LoadF32(FloatTag(), p);
  }
};

struct LoadFirst {
  size_t count;
  template <class T>
  HWY_INLINE FloatVector operator()(const T* p) const {
    return LoadF32N(FloatTag(), p, count);
  }
};

// Adds `rows` rows of one vector of channels to the sums of kChunks chunks;
// `at` is the first element. Sum j of chunk k is at
// sums[j * sum_stride + k * chunk_stride], and `first` when it starts from 0.
template <int64_t kChunks, class Step, class Load>
HWY_INLINE void AddRows(const Step& step, const Load& load, int64_t at,
                        int64_t rows, int64_t channels, bool first,
                        float* HWY_RESTRICT sums, int64_t sum_stride,
                        int64_t chunk_stride) {
  const FloatTag d;
  FloatVector sum[kChunks][Step::kSums];
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      const float* from = sums + j * sum_stride + k * chunk_stride;
      sum[k][j] = first ? hn::Zero(d) : hn::Load(d, from);
    }
  }
  for (int64_t row = 0; row < rows; ++row, at += channels) {
    REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
      step.Add(load, at + k * kReductionChunk * channels, sum[k]);
    }
  }
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      hn::Store(sum[k][j], d, sums + j * sum_stride + k * chunk_stride);
    }
  }
}

// The sums of chunks [chunk, chunk + kChunks) for channels [begin, end).
// Rows are taken in small groups for which all channels are visited, so that
// memory is read nearly in order.
template <int64_t kChunks, class Step>
void SumChunks(Rows rows, Step step, int64_t chunk, int64_t begin, int64_t end,
               float* sums) {
  constexpr int64_t kGroup = kChunks == 1 ? 8 : 16;
  const int64_t padded = PaddedChannels(rows.channels);
  const int64_t sum_stride = ReductionChunks(rows.count) * padded;
  const int64_t first_row = chunk * kReductionChunk;
  const int64_t chunk_rows = std::min(kReductionChunk, rows.count - first_row);
  for (int64_t r = 0; r < chunk_rows; r += kGroup) {
    const int64_t group = std::min(kGroup, chunk_rows - r);
    const int64_t last_row =
        first_row + (kChunks - 1) * kReductionChunk + r + group - 1;
    for (int64_t c = begin; c < end; c += kLanes) {
      step.SetChannels(c);
      const int64_t at = (first_row + r) * rows.channels + c;
      float* to = sums + chunk * padded + c;
      // A last vector of a row reads on into the next row, where there is one.
      const bool whole =
          last_row * rows.channels + c + kLanes <= rows.count * rows.channels;
      if (HWY_LIKELY(whole)) {
        AddRows<kChunks>(step, LoadWhole(), at, group, rows.channels, r == 0,
                         to, sum_stride, padded);
      } else {
        const LoadFirst load = {static_cast<size_t>(rows.channels - c)};
        AddRows<kChunks>(step, load, at, group, rows.channels, r == 0, to,
                         sum_stride, padded);
      }
    }
  }
}

// sums: [Step::kSums][chunks][padded]; leaves the sums over all rows in each
// one's first chunk.
template <class Step>
void SumRows(Rows rows, const Step& step, float* sums, ThreadPool& pool) {
  const int64_t chunks = ReductionChunks(rows.count);
  const int64_t at_once = rows.channels <= kNarrow ? kChunksAtOnce : 1;
  const int64_t blocks = CeilDiv(rows.channels, kChannelsPerTask);
  const int64_t tasks = CeilDiv(chunks, at_once) * blocks;
  pool.Run(tasks, [&](int64_t task, int /*worker*/) HWY_ATTR {
    const int64_t begin = task % blocks * kChannelsPerTask;
    const int64_t end = std::min(begin + kChannelsPerTask, rows.channels);
    int64_t chunk = task / blocks * at_once;
    const int64_t last = std::min(chunk + at_once, chunks);
    if (at_once == kChunksAtOnce &&
        (chunk + kChunksAtOnce) * kReductionChunk <= rows.count) {
      return SumChunks<kChunksAtOnce>(rows, step, chunk, begin, end, sums);
    }
    for (; chunk < last; ++chunk) {
      SumChunks<1>(rows, step, chunk, begin, end, sums);
    }
  });
  const int64_t padded = PaddedChannels(rows.channels);
  for (int64_t j = 0; j < Step::kSums; ++j) {
    AddChunkSums(chunks, padded, sums + j * chunks * padded);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_
