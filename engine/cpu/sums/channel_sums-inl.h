// Sums in chunks, as every kernel that sums over a batch takes them: per
// Highway target. Arrays by channel are f32, aligned to 64 bytes and
// PaddedChannels long; what stands beyond the last channel is never stored to a
// tensor.
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
#include "engine/cpu/machine/float_vector-inl.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/sums/accumulator-inl.h"
#include "engine/cpu/sums/channel_sums.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/rounding-inl.h"
#include "engine/numerics/visit_dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

static_assert(kVector <= kWidestVector);

// --- Parameters, [rows, channels], as rows of PaddedChannels floats

// Widens a parameter.
inline void ReadParameter(const TensorRef& parameter, int64_t channels,
                          float* HWY_RESTRICT to) {
  VisitDType(parameter.type, [&](auto tag) HWY_ATTR {
    const auto* from = static_cast<const decltype(tag)*>(parameter.data);
    const FloatTag d;
    for (int64_t row = 0; row < parameter.elements / channels; ++row) {
      for (int64_t c = 0; c < channels; c += kVector) {
        const auto count = static_cast<size_t>(channels - c);
        hn::Store(LoadF32N(d, from + c, count), d, to + c);
      }
      from += channels;
      to += PaddedChannels(channels);
    }
  });
}

// Rounds rows of sums to a parameter's gradient.
inline void WriteParameterGradient(const float* HWY_RESTRICT from,
                                   int64_t channels, const TensorRef& to) {
  VisitDType(to.type, [&](auto tag) HWY_ATTR {
    auto* out = static_cast<decltype(tag)*>(to.data);
    const FloatTag d;
    for (int64_t row = 0; row < to.elements / channels; ++row) {
      for (int64_t c = 0; c < channels; c += kVector) {
        const auto count = static_cast<size_t>(channels - c);
        StoreRoundedN(d, hn::Load(d, from + c), out + c, count, *to.counter);
      }
      from += PaddedChannels(channels);
      out += channels;
    }
  });
}

// --- Chunks

// What a task sums: chunks [first, last) of block `block` of the sums.
struct ChunkTask {
  int64_t first;
  int64_t last;
  int64_t block;
};

// Calls sum(ChunkTask, counter) for `blocks` parts of each `at_once` chunks,
// side by side: it leaves the sums of these chunks in theirs. Then adds the
// chunks up, from left to right.
template <class Accumulator, class Sum>
void SumInChunks(const ChunkSums& of, int64_t at_once, int64_t blocks,
                 ThreadPool& pool, StoreCounter& counter, const Sum& sum) {
  const int64_t chunks = of.chunks();
  pool.RunCounted(CeilDiv(chunks, at_once) * blocks, counter,
                  [&](int64_t task, StoreCounter& part) HWY_ATTR {
                    const int64_t first = task / blocks * at_once;
                    const int64_t last = std::min(first + at_once, chunks);
                    sum(ChunkTask{first, last, task % blocks}, part);
                  });
  if (chunks == 1) return;
  constexpr int64_t kSumsPerTask = 64 * kWidestVector;
  pool.Run(CeilDiv(of.width, kSumsPerTask), [&](int64_t task,
                                                int /*worker*/) HWY_ATTR {
    const FloatTag d;
    const int64_t begin = task * kSumsPerTask;
    const int64_t end = std::min(begin + kSumsPerTask, of.width);
    for (int64_t i = begin; i < end; i += kVector) {
      FloatVector total = hn::Load(d, of.sums + i);
      for (int64_t chunk = 1; chunk < chunks; ++chunk) {
        total = Accumulator::Add(total, hn::Load(d, of.of_chunk(chunk) + i));
      }
      hn::Store(total, d, of.sums + i);
    }
  });
}

// --- Sums over the rows of [rows, channels]
//
// A step says what is summed: Step::kSums numbers an element. Load(c) gives
// what is known of the vector of channels that starts at c, and Add(known,
// load, at, sum) adds the terms of the elements from `at` on, each read through
// load(pointer).

struct RowExtent {
  int64_t rows;
  int64_t channels;
};

// sum[c] = the sum of x[row, c].
template <class T>
struct PlainSum {
  static constexpr int64_t kSums = 1;
  struct Known {};
  const T* x;
  HWY_INLINE Known Load(int64_t /*c*/) const { return {}; }
  template <class LoadVector>
  HWY_INLINE void Add(Known /*known*/, const LoadVector& load, int64_t at,
                      FloatVector* sum) const {
    sum[0] = hn::Add(sum[0], load(x + at));
  }
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

// Adds `rows` rows of the vector of channels from c on to the sums of kChunks
// chunks; `at` is the first element. Sum j of chunk k is at
// sums[k * Step::kSums * padded + j * padded].
template <int64_t kChunks, class Step, class LoadVector>
HWY_INLINE void AddRowsOfVector(const Step& step, const LoadVector& load,
                                int64_t c, int64_t at, RowExtent extent,
                                float* HWY_RESTRICT sums) {
  const FloatTag d;
  const int64_t padded = PaddedChannels(extent.channels);
  const auto known = step.Load(c);
  FloatVector sum[kChunks][Step::kSums];
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      sum[k][j] = hn::Load(d, sums + (k * Step::kSums + j) * padded);
    }
  }
  for (int64_t row = 0; row < extent.rows; ++row, at += extent.channels) {
    REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
      step.Add(known, load, at + k * kReductionChunk * extent.channels, sum[k]);
    }
  }
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      hn::Store(sum[k][j], d, sums + (k * Step::kSums + j) * padded);
    }
  }
}

// The sums of kChunks chunks from row `first_row` on, for channels [begin,
// end). Rows are taken in small groups for which all channels are visited, so
// that memory is read nearly in order.
template <int64_t kChunks, class Step>
void SumChunksOfRows(RowExtent of, const Step& step, int64_t first_row,
                     int64_t begin, int64_t end, float* sums) {
  constexpr int64_t kRowsAtOnce = kChunks == 1 ? 8 : 16;
  const int64_t padded = PaddedChannels(of.channels);
  for (int64_t i = 0; i < kChunks * Step::kSums; ++i) {
    std::fill(sums + i * padded + begin,
              sums + i * padded + std::min(padded, begin + kChannelsPerTask),
              0.0f);
  }
  const int64_t chunk_rows = std::min(kReductionChunk, of.rows - first_row);
  for (int64_t r = 0; r < chunk_rows; r += kRowsAtOnce) {
    const RowExtent group = {std::min(kRowsAtOnce, chunk_rows - r),
                             of.channels};
    const int64_t last_row =
        first_row + (kChunks - 1) * kReductionChunk + r + group.rows - 1;
    for (int64_t c = begin; c < end; c += kVector) {
      const int64_t at = (first_row + r) * of.channels + c;
      // A last vector of a row reads on into the next row, where there is one.
      const bool whole =
          last_row * of.channels + c + kVector <= of.rows * of.channels;
      if (HWY_LIKELY(whole)) {
        AddRowsOfVector<kChunks>(step, LoadWhole(), c, at, group, sums + c);
      } else {
        const LoadFirst load = {static_cast<size_t>(of.channels - c)};
        AddRowsOfVector<kChunks>(step, load, c, at, group, sums + c);
      }
    }
  }
}

// scratch: ChunkSumFloats(rows, Step::kSums * padded); leaves the sums over all
// rows in its first floats, [Step::kSums, padded].
template <class Step>
void SumOverRows(RowExtent of, const Step& step, float* scratch,
                 ThreadPool& pool) {
  const ChunkSums sums = {of.rows, Step::kSums * PaddedChannels(of.channels),
                          scratch};
  const int64_t at_once = of.channels <= kNarrow ? kChunksAtOnce : 1;
  const int64_t blocks = CeilDiv(of.channels, kChannelsPerTask);
  const auto sum = [&](const ChunkTask& task,
                       StoreCounter& /*counter*/) HWY_ATTR {
    const int64_t begin = task.block * kChannelsPerTask;
    const int64_t end = std::min(begin + kChannelsPerTask, of.channels);
    const int64_t row = task.first * kReductionChunk;
    if (row + kChunksAtOnce * kReductionChunk <= of.rows &&
        at_once == kChunksAtOnce) {
      return SumChunksOfRows<kChunksAtOnce>(of, step, row, begin, end,
                                            sums.of_chunk(task.first));
    }
    for (int64_t k = task.first; k < task.last; ++k) {
      SumChunksOfRows<1>(of, step, k * kReductionChunk, begin, end,
                         sums.of_chunk(k));
    }
  };
  StoreCounter unused;
  SumInChunks<F32Accumulator>(sums, at_once, blocks, pool, unused, sum);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_SUMS_CHANNEL_SUMS_INL_H_
