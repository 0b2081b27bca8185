// The two inner parts of a matrix product, per Highway target: packing an
// operand into f32 panels, and the sums of one tile of outputs over one chunk
// of terms.
//
// Lanes and registers run over outputs; a term is never split over lanes.
#if defined(REPRO16_ENGINE_CPU_PRODUCT_GEMM_INL_H_) == \
    defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_PRODUCT_GEMM_INL_H_
#undef REPRO16_ENGINE_CPU_PRODUCT_GEMM_INL_H_
#else
#define REPRO16_ENGINE_CPU_PRODUCT_GEMM_INL_H_
#endif

#include <cstddef>
#include <cstdint>

#include "engine/cpu/machine/float_vector-inl.h"
#include "engine/cpu/sums/accumulator-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// A tile is kTileGroups * kRowGroup rows by kTileVectors vectors of outputs,
// one register each, as many as leave room for the vectors of b and one
// broadcast of a.
inline constexpr size_t kRowGroup = 4;
#if HWY_TARGET == HWY_AVX2  // 16 registers: 12 + 3 + 1
inline constexpr size_t kTileGroups = 1;
inline constexpr size_t kTileVectors = 3;
#elif HWY_TARGET == HWY_SSE2  // 16 registers
inline constexpr size_t kTileGroups = 1;
inline constexpr size_t kTileVectors = 2;
#elif HWY_TARGET <= HWY_AVX3  // 32 registers: 24 + 2, broadcasts from memory
inline constexpr size_t kTileGroups = 3;
inline constexpr size_t kTileVectors = 2;
#else                         // NEON, 32 registers: 24 + 3 + 1
inline constexpr size_t kTileGroups = 2;
inline constexpr size_t kTileVectors = 3;
#endif
inline constexpr size_t kTileRows = kTileGroups * kRowGroup;
inline constexpr size_t kTileCols = kTileVectors * kLanes;

// --- Packing

// Lines of an operand (rows of a, columns of b) by depth (terms):
// element (line, p) is data[line * line_stride + p * depth_stride].
template <class T>
struct Lines {
  const T* data;
  int64_t line_stride;
  int64_t depth_stride;

  const T* At(size_t line, size_t p) const {
    return data + static_cast<int64_t>(line) * line_stride +
           static_cast<int64_t>(p) * depth_stride;
  }
};

HWY_INLINE float Widen(float x) { return x; }
HWY_INLINE float Widen(Binary16 x) { return ToFloat(x); }
HWY_INLINE float Widen(BFloat16 x) { return ToFloat(x); }

// One element at a time.
template <class T>
void PackScalar(const Lines<T>& lines, size_t count, size_t depth, size_t width,
                float* HWY_RESTRICT panel) {
  for (size_t p = 0; p < depth; ++p) {
    for (size_t line = 0; line < width; ++line) {
      panel[p * width + line] = line < count ? Widen(*lines.At(line, p)) : 0.0f;
    }
  }
}

// Lines are contiguous: a depth is a short vector copy.
template <size_t kWidth, class T>
void PackAlongLines(const Lines<T>& lines, size_t count, size_t depth,
                    float* HWY_RESTRICT panel) {
  const hn::CappedTag<float, kWidth> d;
  for (size_t p = 0; p < depth; ++p) {
    const T* from = lines.At(0, p);
    float* to = panel + p * kWidth;
    size_t line = 0;
    for (; line + hn::Lanes(d) <= count; line += hn::Lanes(d)) {
      hn::StoreU(LoadF32(d, from + line), d, to + line);
    }
    for (; line < kWidth; line += hn::Lanes(d)) {
      const size_t left = line < count ? count - line : 0;
      hn::StoreU(LoadF32N(d, from + line, left), d, to + line);
    }
  }
}

// Transposes: number j of line i goes to to[j * kStride + i], for the first
// `count` numbers of kRowGroup lines of a vector each.
template <size_t kStride>
HWY_INLINE void StoreTransposed(const FloatVector (&lines)[kRowGroup],
                                size_t count, float* HWY_RESTRICT to) {
  static_assert(kRowGroup == 4);
  const FloatTag d;
  if (kStride == kRowGroup && count == kLanes) {
    return hn::StoreInterleaved4(lines[0], lines[1], lines[2], lines[3], d, to);
  }
  const FloatVector even_low = hn::InterleaveLower(d, lines[0], lines[2]);
  const FloatVector even_high = hn::InterleaveUpper(d, lines[0], lines[2]);
  const FloatVector odd_low = hn::InterleaveLower(d, lines[1], lines[3]);
  const FloatVector odd_high = hn::InterleaveUpper(d, lines[1], lines[3]);
  // Vector q holds numbers q, q + 4, q + 8 ... of all lines.
  HWY_ALIGN float block[4][kLanes];
  hn::Store(hn::InterleaveLower(d, even_low, odd_low), d, block[0]);
  hn::Store(hn::InterleaveUpper(d, even_low, odd_low), d, block[1]);
  hn::Store(hn::InterleaveLower(d, even_high, odd_high), d, block[2]);
  hn::Store(hn::InterleaveUpper(d, even_high, odd_high), d, block[3]);
  const hn::FixedTag<float, kRowGroup> d4;
  const auto copy = [&](size_t j) HWY_ATTR {
    hn::StoreU(hn::Load(d4, block[j % 4] + j / 4 * 4), d4, to + j * kStride);
  };
  if (count == kLanes) {
    REPRO16_UNROLL for (size_t j = 0; j < kLanes; ++j) copy(j);
  } else {
    for (size_t j = 0; j < count; ++j) copy(j);
  }
}

// Depth is contiguous: transposes blocks of kRowGroup lines by one vector.
template <size_t kWidth, class T>
void PackAlongDepth(const Lines<T>& lines, size_t count, size_t depth,
                    float* HWY_RESTRICT panel) {
  const FloatTag d;
  static_assert(kWidth % kRowGroup == 0);
  for (size_t p = 0; p < depth; p += kLanes) {
    const size_t left = HWY_MIN(kLanes, depth - p);
    for (size_t line = 0; line < kWidth; line += kRowGroup) {
      FloatVector v[kRowGroup];
      REPRO16_UNROLL for (size_t i = 0; i < kRowGroup; ++i) {
        v[i] = line + i >= count ? hn::Zero(d)
               : left == kLanes  ? LoadF32(d, lines.At(line + i, p))
                                 : LoadF32N(d, lines.At(line + i, p), left);
      }
      StoreTransposed<kWidth>(v, left, panel + p * kWidth + line);
    }
  }
}

// panel[p * kWidth + line] = element (line, p), widened to f32; lines from
// `count` on are zeros, whose outputs are computed and never stored.
template <size_t kWidth, class T>
void PackPanel(const Lines<T>& lines, size_t count, size_t depth,
               float* HWY_RESTRICT panel) {
  if (lines.line_stride == 1) {
    PackAlongLines<kWidth>(lines, count, depth, panel);
  } else if (lines.depth_stride == 1) {
    PackAlongDepth<kWidth>(lines, count, depth, panel);
  } else {
    PackScalar(lines, count, depth, kWidth, panel);
  }
}

// --- Tiles

// Where a tile's terms lie: `groups` panels of kRowGroup rows of a, a_stride
// floats apart, and a panel of kTileCols columns of b.
struct TileOperands {
  const float* a;
  size_t a_stride;
  const float* b;
};

// Sums `depth` terms of one chunk for kGroups * kRowGroup rows by kVectors
// vectors and adds them to sums [rows, kTileCols], or sets these if it is the
// first chunk.
template <class Accumulator, size_t kGroups, size_t kVectors>
void SumChunk(const TileOperands& tile, size_t depth, bool first,
              float* HWY_RESTRICT sums) {
  const FloatTag d;
  constexpr size_t kRows = kGroups * kRowGroup;
  FloatVector acc[kRows][kVectors];
  REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
    REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      acc[r][v] = hn::Zero(d);
    }
  }
  const float* HWY_RESTRICT a = tile.a;
  const float* HWY_RESTRICT b = tile.b;
  const size_t a_stride = tile.a_stride;
  for (size_t p = 0; p < depth; ++p) {
    FloatVector columns[kVectors];
    REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      columns[v] = hn::Load(d, b + v * kLanes);
    }
    REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
      const FloatVector row =
          hn::Set(d, a[(r / kRowGroup) * a_stride + r % kRowGroup]);
      REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
        acc[r][v] = Accumulator::MulAdd(row, columns[v], acc[r][v]);
      }
    }
    a += kRowGroup;
    b += kTileCols;
  }
  REPRO16_UNROLL for (size_t r = 0; r < kRows; ++r) {
    REPRO16_UNROLL for (size_t v = 0; v < kVectors; ++v) {
      float* to = sums + r * kTileCols + v * kLanes;
      hn::Store(
          first ? acc[r][v] : Accumulator::Add(hn::Load(d, to), acc[r][v]), d,
          to);
    }
  }
}

// SumChunk for as few groups and vectors as cover the tile's outputs.
template <class Accumulator, size_t kGroups = kTileGroups,
          size_t kVectors = kTileVectors>
void SumChunkOf(size_t groups, size_t vectors, const TileOperands& tile,
                size_t depth, bool first, float* HWY_RESTRICT sums) {
  if constexpr (kGroups > 1) {
    if (groups < kGroups) {
      return SumChunkOf<Accumulator, kGroups - 1, kVectors>(
          groups, vectors, tile, depth, first, sums);
    }
  }
  if constexpr (kVectors > 1) {
    if (vectors < kVectors) {
      return SumChunkOf<Accumulator, kGroups, kVectors - 1>(
          groups, vectors, tile, depth, first, sums);
    }
  }
  SumChunk<Accumulator, kGroups, kVectors>(tile, depth, first, sums);
}

// c[r, j] = r(sums[r, j] + bias[j]) for a tile of rows by cols; bias is padded
// to kTileCols, or null.
template <class Accumulator, class T>
void StoreTile(const float* HWY_RESTRICT sums, size_t rows, size_t cols,
               const float* HWY_RESTRICT bias, T* c, int64_t c_row_stride,
               StoreCounter& counter) {
  const FloatTag d;
  for (size_t r = 0; r < rows; ++r) {
    T* to = c + static_cast<int64_t>(r) * c_row_stride;
    for (size_t j = 0; j < cols; j += kLanes) {
      FloatVector v = hn::Load(d, sums + r * kTileCols + j);
      if (bias != nullptr) v = Accumulator::Add(v, hn::Load(d, bias + j));
      if (j + kLanes <= cols) {
        StoreRounded(d, v, to + j, counter);
      } else {
        StoreRoundedN(d, v, to + j, cols - j, counter);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_PRODUCT_GEMM_INL_H_
