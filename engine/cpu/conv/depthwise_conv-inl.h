// The sums of a depthwise convolution, per Highway target. Lanes run over
// channels.
#if defined(REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_INL_H_
#undef REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_INL_H_
#else
#define REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/conv/depthwise_conv_args.h"
#include "engine/cpu/machine/float_vector-inl.h"
#include "engine/cpu/sums/accumulator-inl.h"
#include "engine/cpu/sums/channel_vectors-inl.h"
#include "engine/numerics/reduction.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Taps = absl::Span<const WindowTaps::Tap>;

// Kernel side and outputs a step of the fast paths; both hold their vectors in
// registers.
inline constexpr size_t kFastSide = 3;
inline constexpr size_t kStep = 4;
inline constexpr size_t kMaxTaskVectors =
    static_cast<size_t>(kTaskChannels) / kLanes;

// --- Filter: y from x, dx from dy

// sums[v] = the sum of one output pixel, for kVectors vectors of channels from
// `channels` on. image: [source rows, source columns, C].
template <class Accumulator, size_t kVectors, bool kNarrow, class T>
HWY_INLINE void FilterPixel(const DepthwiseFilter& f, const T* image, Taps rows,
                            Taps cols, const ChannelVectors& channels,
                            FloatVector* sums) {
  const FloatTag d;
  REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) sums[v] = hn::Zero(d);
  for (int64_t chunk = 0; chunk < f.chunks(); ++chunk) {
    FloatVector acc[kVectors];
    REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) acc[v] = hn::Zero(d);
    for (const auto& row : rows) {
      const T* line = image + row.source * f.source_width * f.channels +
                      static_cast<int64_t>(channels.begin);
      const int64_t first_tap = row.k * f.kernel_width;
      const float* weights =
          f.weights + first_tap * f.weight_stride + channels.begin;
      for (const auto& col : cols) {
        if (HWY_UNLIKELY(f.chunks() > 1) &&
            (first_tap + col.k) / kReductionChunk != chunk) {
          continue;
        }
        const T* x = line + col.source * f.channels;
        const float* w = weights + col.k * f.weight_stride;
        REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
          acc[v] = Accumulator::MulAdd(
              LoadChannels<kNarrow>(d, x + v * kLanes, channels.end),
              hn::LoadU(d, w + v * kLanes), acc[v]);
        }
      }
    }
    REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      sums[v] = chunk == 0 ? acc[v] : Accumulator::Add(sums[v], acc[v]);
    }
  }
}

// The sums of kCols pixels side by side that have every one of kFastSide taps
// along the row. source_col: the leftmost source of the first pixel.
template <size_t kCols, size_t kStride, bool kReversed, class T>
HWY_INLINE void FilterColumns(const DepthwiseFilter& f, const T* image,
                              Taps rows, int64_t source_col, size_t c,
                              FloatVector (&acc)[kCols]) {
  const FloatTag d;
  constexpr size_t kSources = (kCols - 1) * kStride + kFastSide;
  REPRO16_UNROLL for (size_t i = 0; i < kCols; ++i) acc[i] = hn::Zero(d);
  for (const auto& row : rows) {
    const T* line =
        image + (row.source * f.source_width + source_col) * f.channels + c;
    const float* weights =
        f.weights + row.k * f.kernel_width * f.weight_stride + c;
    FloatVector x[kSources];
    REPRO16_UNROLL for (size_t i = 0; i < kSources; ++i) {
      x[i] = LoadF32(d, line + static_cast<int64_t>(i) * f.channels);
    }
    REPRO16_UNROLL for (size_t k = 0; k < kFastSide; ++k) {
      const auto w =
          hn::LoadU(d, weights + static_cast<int64_t>(k) * f.weight_stride);
      REPRO16_UNROLL for (size_t i = 0; i < kCols; ++i) {
        const size_t source = i * kStride + (kReversed ? kFastSide - 1 - k : k);
        acc[i] = hn::MulAdd(x[source], w, acc[i]);
      }
    }
  }
}

template <class Accumulator, class T>
HWY_INLINE void StorePixel(const DepthwiseFilter& f, FloatVector sum,
                           const ChannelVectors& channels, T* to,
                           StoreCounter& counter) {
  const FloatTag d;
  if (f.bias != nullptr) {
    sum = Accumulator::Add(sum, hn::LoadU(d, f.bias + channels.begin));
  }
  StoreChannels(d, sum, to + channels.begin, channels, counter);
}

// Columns [begin, end) of one row of outputs, pixel by pixel.
template <class Accumulator, class T>
void FilterPixels(const DepthwiseFilter& f, const T* image, Taps rows,
                  int64_t begin, int64_t end, T* to, StoreCounter& counter) {
  for (int64_t col = begin; col < end; ++col) {
    ForEachChannels<kChannelGroup>(
        FloatTag(), static_cast<size_t>(f.channels),
        [&](auto vectors, auto narrow, const ChannelVectors& channels)
            HWY_ATTR {
              constexpr size_t kVectors = decltype(vectors)::value;
              FloatVector sums[kVectors];
              FilterPixel<Accumulator, kVectors, decltype(narrow)::value>(
                  f, image, rows, (*f.cols)[col], channels, sums);
              REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
                const ChannelVectors part = {channels.begin + v * kLanes,
                                             channels.first, channels.end};
                StorePixel<Accumulator>(f, sums[v], part, to + col * f.channels,
                                        counter);
              }
            });
  }
}

// Columns from `begin` on, which have all taps, in steps of kCols; returns
// where no further step fits. Memory is walked along the channels of a few
// pixels.
template <size_t kCols, size_t kStride, bool kReversed, class T>
int64_t FilterSteps(const DepthwiseFilter& f, const T* image, Taps rows,
                    int64_t begin, int64_t end, T* to, StoreCounter& counter) {
  constexpr int64_t kWidth = static_cast<int64_t>(kCols);
  int64_t col = begin;
  for (; col + kWidth <= end; col += kWidth) {
    const Taps taps = (*f.cols)[col];
    const int64_t source = kReversed ? taps.back().source : taps.front().source;
    ForEachChannels<1>(
        FloatTag(), static_cast<size_t>(f.channels),
        [&](auto /*vectors*/, auto /*narrow*/, const ChannelVectors& channels)
            HWY_ATTR {
              FloatVector sums[kCols];
              FilterColumns<kCols, kStride, kReversed>(f, image, rows, source,
                                                       channels.begin, sums);
              REPRO16_UNROLL for (size_t i = 0; i < kCols; ++i) {
                StorePixel<F32Accumulator>(
                    f, sums[i], channels,
                    to + (col + static_cast<int64_t>(i)) * f.channels, counter);
              }
            });
  }
  return col;
}

// One row of outputs whose inner columns go through registers.
template <size_t kStride, bool kReversed, class T>
void FilterRowFast(const DepthwiseFilter& f, const T* image, Taps rows, T* to,
                   StoreCounter& counter) {
  const int64_t begin = f.cols->full_begin(), end = f.cols->full_end();
  FilterPixels<F32Accumulator>(f, image, rows, 0, begin, to, counter);
  int64_t col = FilterSteps<kStep, kStride, kReversed>(f, image, rows, begin,
                                                       end, to, counter);
  col =
      FilterSteps<2, kStride, kReversed>(f, image, rows, col, end, to, counter);
  FilterSteps<1, kStride, kReversed>(f, image, rows, col, end, to, counter);
  FilterPixels<F32Accumulator>(f, image, rows, end, f.cols->positions(), to,
                               counter);
}

// Whether inner columns may go through registers: three taps, one chunk, whole
// vectors, f32 sums.
inline bool FilterIsFast(const DepthwiseFilter& f) {
  return f.kernel_width == static_cast<int64_t>(kFastSide) && f.chunks() == 1 &&
         f.channels >= static_cast<int64_t>(kLanes) &&
         f.accumulator == DType::kF32 &&
         (f.stride == 1 || (f.stride == 2 && !f.reversed));
}

template <class T>
void FilterRow(const DepthwiseFilter& f, const T* image, Taps rows, T* to,
               StoreCounter& counter) {
  const int64_t width = f.cols->positions();
  if (f.accumulator == DType::kF16) {
    return FilterPixels<F16Accumulator>(f, image, rows, 0, width, to, counter);
  }
  if (!FilterIsFast(f)) {
    return FilterPixels<F32Accumulator>(f, image, rows, 0, width, to, counter);
  }
  if (f.stride == 2)
    return FilterRowFast<2, false>(f, image, rows, to, counter);
  if (f.reversed) return FilterRowFast<1, true>(f, image, rows, to, counter);
  FilterRowFast<1, false>(f, image, rows, to, counter);
}

// --- Weight gradient

// Outputs [begin, end) of one row; x: the image they come from, dy: the row.
template <class T>
struct OutputRun {
  const T* x;
  const T* dy;
  int64_t row;
  int64_t begin;
  int64_t end;
};

// Calls fn(OutputRun) over the pieces of rows that make up the outputs [begin,
// end), counted over examples, rows and columns.
template <class T, class Fn>
HWY_INLINE void ForEachRun(const DepthwiseWeightGradient& g, int64_t begin,
                           int64_t end, const Fn& fn) {
  const int64_t width = g.cols->positions(), height = g.rows->positions();
  const T* x = static_cast<const T*>(g.x);
  const T* dy = static_cast<const T*>(g.dy);
  for (int64_t p = begin; p < end;) {
    const int64_t line = p / width, col = p % width;
    const int64_t last = std::min(width, col + end - p);
    fn(OutputRun<T>{x + line / height * (g.in_height * g.in_width * g.channels),
                    dy + line * width * g.channels, line % height, col, last});
    p += last - col;
  }
}

// One tap's sums over one chunk, whatever the window.
template <class Accumulator, size_t kVectors, bool kNarrow, class T>
void SumTap(const DepthwiseWeightGradient& g, int64_t tap, int64_t begin,
            int64_t end, const ChannelVectors& channels, FloatVector* sums) {
  const FloatTag d;
  const int32_t k_row = static_cast<int32_t>(tap / g.kernel_width);
  const int32_t k_col = static_cast<int32_t>(tap % g.kernel_width);
  FloatVector acc[kVectors];
  REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) acc[v] = hn::Zero(d);
  ForEachRun<T>(g, begin, end, [&](const OutputRun<T>& s) HWY_ATTR {
    for (const auto& row : (*g.rows)[s.row]) {
      if (row.k != k_row) continue;
      for (int64_t col = s.begin; col < s.end; ++col) {
        for (const auto& tap_col : (*g.cols)[col]) {
          if (tap_col.k != k_col) continue;
          const T* x = s.x + channels.begin +
                       (row.source * g.in_width + tap_col.source) * g.channels;
          const T* dy = s.dy + channels.begin + col * g.channels;
          REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
            acc[v] = Accumulator::MulAdd(
                LoadChannels<kNarrow>(d, x + v * kLanes, channels.end),
                LoadChannels<kNarrow>(d, dy + v * kLanes, channels.end),
                acc[v]);
          }
        }
      }
    }
  });
  REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) sums[v] = acc[v];
}

using FastSums = FloatVector[kFastSide][kFastSide];

// One output with whatever taps it has; c: the first channel.
template <class T>
HWY_INLINE void AddPixel(const DepthwiseWeightGradient& g,
                         const OutputRun<T>& s, int64_t col, size_t c,
                         FastSums& sums) {
  const FloatTag d;
  const auto dy = LoadF32(d, s.dy + col * g.channels + c);
  for (const auto& row : (*g.rows)[s.row]) {
    const T* line = s.x + row.source * g.in_width * g.channels + c;
    for (const auto& tap : (*g.cols)[col]) {
      FloatVector& sum = sums[row.k][tap.k];
      sum = hn::MulAdd(LoadF32(d, line + tap.source * g.channels), dy, sum);
    }
  }
}

// kCols outputs a time that have all taps along the row and kRows of kernel
// rows; x, dy: the first source and the first output, at the first channel.
// Returns outputs done.
template <size_t kRows, size_t kCols, size_t kStride, class T>
HWY_INLINE int64_t AddColumns(const DepthwiseWeightGradient& g, const T* x,
                              const T* dy, int64_t count,
                              FloatVector (&acc)[kRows][kFastSide]) {
  const FloatTag d;
  constexpr int64_t kWidth = static_cast<int64_t>(kCols);
  constexpr size_t kSources = (kCols - 1) * kStride + kFastSide;
  int64_t col = 0;
  for (; col + kWidth <= count; col += kWidth) {
    FloatVector gradient[kCols];
    REPRO16_UNROLL for (size_t i = 0; i < kCols; ++i) {
      gradient[i] = LoadF32(d, dy + static_cast<int64_t>(i) * g.channels);
    }
    REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
      const T* line = x + static_cast<int64_t>(r) * g.in_width * g.channels;
      FloatVector source[kSources];
      REPRO16_UNROLL for (size_t i = 0; i < kSources; ++i) {
        source[i] = LoadF32(d, line + static_cast<int64_t>(i) * g.channels);
      }
      REPRO16_UNROLL for (size_t i = 0; i < kCols; ++i) {
        REPRO16_UNROLL for (size_t k = 0; k < kFastSide; ++k) {
          acc[r][k] =
              hn::MulAdd(source[i * kStride + k], gradient[i], acc[r][k]);
        }
      }
    }
    x += kWidth * static_cast<int64_t>(kStride) * g.channels;
    dy += kWidth * g.channels;
  }
  return col;
}

// Outputs [begin, end) of a run, all of which have all taps along the row.
template <size_t kRows, size_t kStride, class T>
HWY_INLINE void AddWholeRun(const DepthwiseWeightGradient& g,
                            const OutputRun<T>& s, int64_t begin, int64_t end,
                            size_t c, FastSums& sums) {
  const auto& first = (*g.rows)[s.row].front();
  FloatVector acc[kRows][kFastSide];
  REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
    REPRO16_UNROLL for (size_t k = 0; k < kFastSide; ++k) {
      acc[r][k] = sums[static_cast<size_t>(first.k) + r][k];
    }
  }
  const T* x = s.x + c +
               (first.source * g.in_width + (*g.cols)[begin].front().source) *
                   g.channels;
  const T* dy = s.dy + c + begin * g.channels;
  const int64_t done =
      AddColumns<kRows, kStep, kStride>(g, x, dy, end - begin, acc);
  AddColumns<kRows, 1, kStride>(
      g, x + done * static_cast<int64_t>(kStride) * g.channels,
      dy + done * g.channels, end - begin - done, acc);
  REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
    REPRO16_UNROLL for (size_t k = 0; k < kFastSide; ++k) {
      sums[static_cast<size_t>(first.k) + r][k] = acc[r][k];
    }
  }
}

template <size_t kStride, class T>
HWY_INLINE void AddRun(const DepthwiseWeightGradient& g, const OutputRun<T>& s,
                       size_t c, FastSums& sums) {
  const int64_t begin = std::clamp(g.cols->full_begin(), s.begin, s.end);
  const int64_t end = std::clamp(g.cols->full_end(), begin, s.end);
  for (int64_t col = s.begin; col < begin; ++col) AddPixel(g, s, col, c, sums);
  if (begin < end) {
    switch ((*g.rows)[s.row].size()) {
      case 1:
        AddWholeRun<1, kStride>(g, s, begin, end, c, sums);
        break;
      case 2:
        AddWholeRun<2, kStride>(g, s, begin, end, c, sums);
        break;
      case 3:
        AddWholeRun<3, kStride>(g, s, begin, end, c, sums);
        break;
      default:
        break;
    }
  }
  for (int64_t col = end; col < s.end; ++col) AddPixel(g, s, col, c, sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_INL_H_
