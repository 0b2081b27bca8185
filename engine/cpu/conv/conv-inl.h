// The inner part of a convolution, per Highway target: the sums of one tile of
// outputs over a list of segments.
//
// A tile and its accumulators are those of gemm-inl.h; operand a is read where
// it lies, in kRowGroup rows at a time, so that no matrix of windows is made.
#if defined(REPRO16_ENGINE_CPU_CONV_CONV_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_CONV_CONV_INL_H_
#undef REPRO16_ENGINE_CPU_CONV_CONV_INL_H_
#else
#define REPRO16_ENGINE_CPU_CONV_CONV_INL_H_
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/conv/conv_plan.h"
#include "engine/cpu/product/gemm-inl.h"
#include "engine/tensor/round_up.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

constexpr int64_t kRows = static_cast<int64_t>(kTileRows);
constexpr int64_t kCols = static_cast<int64_t>(kTileCols);
constexpr int64_t kGroupRows = static_cast<int64_t>(kRowGroup);
static_assert(kGroupRows == ImagePlan::kStagedLanes);

// Channels are cut into panels of up to a tile's width, as even as vectors
// allow: a narrow rest has too few sums at a time to keep the units busy.
constexpr int64_t NumPanels(int64_t channels) {
  return CeilDiv(channels, kCols);
}
struct PanelColumns {
  PanelColumns(int64_t panel, int64_t channels)
      : begin(Begin(panel, channels)),
        count(std::min(Begin(panel + 1, channels), channels) - begin) {}

  int64_t begin;
  int64_t count;

 private:
  static int64_t Begin(int64_t panel, int64_t channels) {
    return panel * CeilDiv(channels, kVector) / NumPanels(channels) * kVector;
  }
};

// Where a tile's terms lie. Row r of group g of a segment's first term is
// rows[segment.row][a_offset + segment.a + g * group_stride + r], of the next
// a_step floats on. Panel b has a line of the tile's vectors for each position.
struct TileTerms {
  const float* const* rows;
  int64_t a_offset;
  int64_t group_stride;
  int64_t a_step;
  const float* b;
};

// Adds the chunks of `list` to sums [kGroups * kRowGroup, kTileCols], or sets
// these by the first chunk if `first`.
template <class Accumulator, size_t kGroups, size_t kVectors>
HWY_NOINLINE void SumSegments(const TileTerms& tile, const SegmentList& list,
                              bool first, float* HWY_RESTRICT sums) {
  const FloatTag d;
  constexpr size_t kSumRows = kGroups * kRowGroup;
  const int64_t group_stride = tile.group_stride;
  const int64_t a_step = tile.a_step;
  const Segment* segment =
      list.segments + (list.begin > 0 ? list.chunk_ends[list.begin - 1] : 0);
  for (int64_t chunk = list.begin; chunk < list.end; ++chunk) {
    FloatVector acc[kSumRows][kVectors];
    REPRO16_UNROLL for (size_t r = 0; r < kSumRows; ++r) {
      REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        acc[r][v] = hn::Zero(d);
      }
    }
    const Segment* const end = list.segments + list.chunk_ends[chunk];
    for (; segment < end; ++segment) {
      const float* HWY_RESTRICT a =
          tile.rows[segment->row] + tile.a_offset + segment->a;
      const float* HWY_RESTRICT b =
          tile.b + static_cast<int64_t>(segment->position) *
                       static_cast<int64_t>(kVectors * kLanes);
      for (int32_t p = segment->terms; p > 0; --p) {
        FloatVector columns[kVectors];
        REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
          columns[v] = hn::Load(d, b + v * kLanes);
        }
        REPRO16_UNROLL for (size_t r = 0; r < kSumRows; ++r) {
          const FloatVector row =
              hn::Set(d, a[static_cast<int64_t>(r / kRowGroup) * group_stride +
                           static_cast<int64_t>(r % kRowGroup)]);
          REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
            acc[r][v] = Accumulator::MulAdd(row, columns[v], acc[r][v]);
          }
        }
        a += a_step;
        b += kVectors * kLanes;
      }
    }
    REPRO16_UNROLL for (size_t r = 0; r < kSumRows; ++r) {
      REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        float* to = sums + r * kTileCols + v * kLanes;
        hn::Store(
            first ? acc[r][v] : Accumulator::Add(hn::Load(d, to), acc[r][v]), d,
            to);
      }
    }
    first = false;
  }
}

using SumFunction = void (*)(const TileTerms&, const SegmentList&, bool,
                             float*);

// SumSegments for as few groups and vectors as cover the tile's outputs.
template <class Accumulator, size_t kGroups = kTileGroups,
          size_t kVectors = kTileVectors>
SumFunction SumFor(int64_t rows, int64_t cols) {
  if constexpr (kGroups > 1) {
    if (rows <= static_cast<int64_t>((kGroups - 1) * kRowGroup)) {
      return SumFor<Accumulator, kGroups - 1, kVectors>(rows, cols);
    }
  }
  if constexpr (kVectors > 1) {
    if (cols <= static_cast<int64_t>((kVectors - 1) * kLanes)) {
      return SumFor<Accumulator, kGroups, kVectors - 1>(rows, cols);
    }
  }
  return &SumSegments<Accumulator, kGroups, kVectors>;
}

inline SumFunction SumFor(DType accumulator, int64_t rows, int64_t cols) {
  return accumulator == DType::kF16 ? SumFor<F16Accumulator>(rows, cols)
                                    : SumFor<F32Accumulator>(rows, cols);
}

// PackPanel for the tile's width that `count` lines take: the smallest number
// of vectors.
template <class T, size_t kVectors = kTileVectors>
void PackColumns(const Lines<T>& lines, int64_t count, int64_t depth,
                 float* HWY_RESTRICT panel) {
  if constexpr (kVectors > 1) {
    if (count <= static_cast<int64_t>((kVectors - 1) * kLanes)) {
      return PackColumns<T, kVectors - 1>(lines, count, depth, panel);
    }
  }
  constexpr int64_t kWidth = static_cast<int64_t>(kVectors * kLanes);
  PackPanel<static_cast<size_t>(kWidth)>(
      lines, static_cast<size_t>(std::min(count, kWidth)),
      static_cast<size_t>(depth), panel);
}

// Rounds a tile of sums and stores it from `to` on (StoreTile).
template <class T>
void StoreSums(DType accumulator, const float* sums, int64_t rows, int64_t cols,
               const float* bias, T* to, int64_t row_stride,
               StoreCounter& counter) {
  const auto store = accumulator == DType::kF16 ? &StoreTile<F16Accumulator, T>
                                                : &StoreTile<F32Accumulator, T>;
  store(sums, static_cast<size_t>(rows), static_cast<size_t>(cols), bias, to,
        row_stride, counter);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_INL_H_
