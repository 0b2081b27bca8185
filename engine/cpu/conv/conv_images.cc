#include "engine/cpu/conv/conv_images.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/conv/conv_images.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/conv/conv-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// A tile's rows are kRows images at the same target pixel, so that all have the
// same taps and padding costs nothing.
//
// A unit of work is some such blocks of images, a part of the target's rows and
// a part of its channels. It runs through bands of rows: the source rows that a
// band needs are staged, in a ring that keeps those of the band before, in a
// slice of the workspace that fits the second-level cache.
constexpr int64_t kMinUnits = 32;  // evens out the threads
// Slices, and so units at a time.
constexpr int64_t kMaxStreams = 32;
// Weights beyond kLargeWeights don't stay in the second-level cache. Then a
// band is long and its sums take kDepthChunks at a time, so that each packed
// weight is used for many pixels once it is there.
constexpr int64_t kLargeWeights = 64 * 1024;
constexpr int64_t kSliceFloats = 32 * 1024;
constexpr int64_t kLargeSliceFloats = 112 * 1024;
constexpr int64_t kDepthChunks = 8;

struct Blocking {
  static constexpr int64_t kOne = 1;

  Blocking(const ImagePlan& plan, int64_t batch)
      : images(batch),
        blocks(CeilDiv(images, kRows)),
        panels(NumPanels(plan.target_channels)),
        // Apart from multiples of 4 KB, which would share sets of the cache.
        group_stride(RoundUp(plan.source_width * plan.source_channels *
                                 ImagePlan::kStagedLanes,
                             16) +
                     16),
        block_floats(group_stride * static_cast<int64_t>(kTileGroups)),
        pointer_floats(RoundUp(
            plan.kernel_height *
                static_cast<int64_t>(sizeof(const float*) / sizeof(float)),
            16)) {
    const int64_t height = plan.target_height;
    const bool large = plan.positions() * plan.target_channels > kLargeWeights;
    const int64_t budget = large ? kLargeSliceFloats : kSliceFloats;
    // Blocks whose whole images fit, and what is stored of them where it may
    // stay in the cache too.
    const int64_t image_floats =
        block_floats * Span(plan, height) +
        (large ? 0 : kRows * height * plan.target_width * plan.target_channels);
    const int64_t most = large ? blocks : std::max(blocks / kMinUnits, kOne);
    unit_blocks = std::clamp(budget / std::max(image_floats, kOne), kOne, most);
    groups = CeilDiv(blocks, unit_blocks);
    const int64_t wanted = CeilDiv(kMinUnits, groups);
    panel_parts = large ? std::min(panels, wanted) : 1;
    part_rows = CeilDiv(height, std::min(height, CeilDiv(wanted, panel_parts)));
    row_parts = CeilDiv(height, part_rows);
    band_rows = 1;
    while (band_rows < part_rows &&
           unit_blocks * block_floats * Span(plan, band_rows + 1) <= budget) {
      ++band_rows;
    }
    ring_rows = std::max(Span(plan, band_rows), kOne);
    chunks = CeilDiv(plan.positions(), kReductionChunk);
    tiles =
        chunks > kDepthChunks ? unit_blocks * band_rows * plan.target_width : 1;
    sums_offset = pointer_floats + ring_rows * unit_blocks * block_floats;
    slice_floats = sums_offset + tiles * kRows * kCols;
  }

  static int64_t Span(const ImagePlan& plan, int64_t target_rows) {
    return plan.row_span[static_cast<size_t>(target_rows)];
  }
  int64_t units() const { return groups * row_parts * panel_parts; }

  int64_t images;
  int64_t blocks;        // of kRows images
  int64_t panels;        // of kCols target channels
  int64_t group_stride;  // between kGroup images in a staged row
  int64_t block_floats;  // of a block in a staged row
  int64_t pointer_floats;
  int64_t unit_blocks;  // of a unit
  int64_t groups;       // of unit_blocks blocks
  int64_t panel_parts;
  int64_t part_rows;  // target rows of a unit
  int64_t row_parts;
  int64_t band_rows;
  int64_t ring_rows;  // staged at a time
  int64_t chunks;
  int64_t tiles;  // with sums at a time
  int64_t sums_offset;
  int64_t slice_floats;
};

int64_t PackedFloats(const ImagePlan& plan) {
  return RoundUp(plan.positions() * RoundUp(plan.target_channels, kVector), 16);
}

class Product {
 public:
  Product(const ImagePlan& plan, const ConvImagesArgs& args, float* workspace)
      : plan_(plan),
        args_(args),
        blocking_(plan, args.batch),
        packed_(workspace),
        slices_(workspace + PackedFloats(plan)) {}

  void Run(ThreadPool& pool, StoreCounter& counter) const {
    Pack(pool);
    const int64_t streams =
        std::min({kMaxStreams, blocking_.units(),
                  static_cast<int64_t>(pool.num_workers())});
    std::atomic<int64_t> next{0};
    pool.RunCounted(
        streams, counter, [&](int64_t stream, StoreCounter& stream_counter) {
          float* slice = slices_ + stream * blocking_.slice_floats;
          for (int64_t unit = next++; unit < blocking_.units(); unit = next++) {
            RunUnit(unit, slice, stream_counter);
          }
        });
  }

 private:
  // Packs the weights: for each PanelColumns a panel of a line for
  // each position.
  void Pack(ThreadPool& pool) const {
    const int64_t taps = plan_.kernel_height * plan_.kernel_width;
    pool.Run(taps * blocking_.panels, [&](int64_t task, int /*worker*/) {
      PackTap(task % taps, PanelColumns(task / taps, plan_.target_channels));
    });
  }

  void PackTap(int64_t tap, const PanelColumns& cols) const {
    const int64_t depth = plan_.source_channels;
    float* panel = packed_ + cols.begin * plan_.positions() +
                   tap * depth * RoundUp(cols.count, kVector);
    VisitDType(args_.weights_type, [&](auto type) {
      using T = decltype(type);
      const T* data = static_cast<const T*>(args_.weights) +
                      tap * depth * plan_.target_channels;
      const Lines<T> lines =
          plan_.transposed
              ? Lines<T>{data + cols.begin * depth, depth, 1}
              : Lines<T>{data + cols.begin, 1, plan_.target_channels};
      PackColumns(lines, cols.count, depth, panel);
    });
  }

  // What a unit works on.
  struct Unit {
    int64_t first_block;
    int64_t blocks;
    int64_t begin_panel;
    int64_t end_panel;
    const float** rows;  // of TileTerms
    float* ring;
    float* sums;
    StoreCounter& counter;
  };

  void RunUnit(int64_t number, float* slice, StoreCounter& counter) const {
    const Blocking& b = blocking_;
    const int64_t panel_part = number % b.panel_parts;
    const int64_t row_part = number / b.panel_parts % b.row_parts;
    const int64_t first_block =
        number / b.panel_parts / b.row_parts * b.unit_blocks;
    const Unit unit = {first_block,
                       std::min(b.unit_blocks, b.blocks - first_block),
                       panel_part * b.panels / b.panel_parts,
                       (panel_part + 1) * b.panels / b.panel_parts,
                       reinterpret_cast<const float**>(slice),
                       slice + b.pointer_floats,
                       slice + b.sums_offset,
                       counter};
    const int64_t begin = row_part * b.part_rows;
    const int64_t end = std::min(begin + b.part_rows, plan_.target_height);
    int64_t staged_end = 0;
    for (int64_t row = begin; row < end; row += b.band_rows) {
      const int64_t band_end = std::min(row + b.band_rows, end);
      staged_end = Stage(unit, row, band_end, staged_end);
      for (int64_t panel = unit.begin_panel; panel < unit.end_panel; ++panel) {
        ComputePanel(unit, row, band_end,
                     PanelColumns(panel, plan_.target_channels));
      }
    }
  }

  // Stages what target rows [begin, end) need from source row `staged_end` on;
  // returns where the next band goes on.
  int64_t Stage(const Unit& unit, int64_t begin, int64_t end,
                int64_t staged_end) const {
    int64_t low = plan_.source_height, high = staged_end;
    for (int64_t row = begin; row < end; ++row) {
      for (const WindowTaps::Tap& tap : plan_.rows[row]) {
        low = std::min<int64_t>(low, tap.source);
        high = std::max<int64_t>(high, tap.source + 1);
      }
    }
    for (int64_t source = std::max(low, staged_end); source < high; ++source) {
      for (int64_t block = 0; block < unit.blocks; ++block) {
        StageRow(unit, block, source);
      }
    }
    return high;
  }

  float* StagedRow(const Unit& unit, int64_t block, int64_t source) const {
    const int64_t slot = source % blocking_.ring_rows;
    return unit.ring +
           (slot * blocking_.unit_blocks + block) * blocking_.block_floats;
  }

  int64_t ImagesOf(const Unit& unit, int64_t block) const {
    return std::min(kRows,
                    blocking_.images - (unit.first_block + block) * kRows);
  }

  void StageRow(const Unit& unit, int64_t block, int64_t source) const {
    const int64_t row_size = plan_.source_width * plan_.source_channels;
    const int64_t image_size = plan_.source_height * row_size;
    const int64_t images = ImagesOf(unit, block);
    float* to = StagedRow(unit, block, source);
    VisitDType(args_.source_type, [&](auto type) {
      using T = decltype(type);
      const T* from = static_cast<const T*>(args_.source) +
                      (unit.first_block + block) * kRows * image_size +
                      source * row_size;
      for (int64_t i = 0; i < images; i += kGroupRows) {
        StageImages(Lines<T>{from + i * image_size, image_size, 1}, images - i,
                    to + i / kGroupRows * blocking_.group_stride);
      }
    });
  }

  // A row of up to kGroup images.
  template <class T>
  void StageImages(const Lines<T>& lines, int64_t images, float* to) const {
    const size_t count = static_cast<size_t>(std::min(images, kGroupRows));
    const int64_t channels = plan_.source_channels;
    if (!plan_.reversed) {
      PackPanel<kGroup>(lines, count,
                        static_cast<size_t>(plan_.source_width * channels), to);
      return;
    }
    for (int64_t col = 0; col < plan_.source_width; ++col) {
      PackPanel<kGroup>(
          Lines<T>{lines.data + col * channels, lines.line_stride, 1}, count,
          static_cast<size_t>(channels),
          to + plan_.StagedColumn(col) * channels * kGroupRows);
    }
  }

  // The panel's channels in target rows [begin, end).
  void ComputePanel(const Unit& unit, int64_t begin, int64_t end,
                    const PanelColumns& cols) const {
    HWY_ALIGN float bias[kTileCols];
    if (args_.bias != nullptr) LoadBias(cols, bias);
    Panel panel = {cols, args_.bias != nullptr ? bias : nullptr, 0, 0};
    do {
      panel.begin_chunk = panel.end_chunk;
      panel.end_chunk =
          std::min(panel.begin_chunk + kDepthChunks, blocking_.chunks);
      for (int64_t block = 0; block < unit.blocks; ++block) {
        for (int64_t row = begin; row < end; ++row) {
          ComputeRow(unit, panel, block, row,
                     block * (end - begin) + row - begin);
        }
      }
    } while (panel.end_chunk < blocking_.chunks);
  }

  void LoadBias(const PanelColumns& cols, float* bias) const {
    VisitDType(args_.bias_type, [&](auto type) {
      using T = decltype(type);
      PackPanel<kTileCols>(
          Lines<T>{static_cast<const T*>(args_.bias) + cols.begin, 1, 0},
          static_cast<size_t>(cols.count), 1, bias);
    });
  }

  // Target channels, and the chunks of their sums.
  struct Panel {
    PanelColumns cols;
    const float* bias;
    int64_t begin_chunk;
    int64_t end_chunk;
  };

  // A target row of a block; row `sums_row` of the unit's tiles of sums.
  void ComputeRow(const Unit& unit, const Panel& panel, int64_t block,
                  int64_t row, int64_t sums_row) const {
    const int64_t images = ImagesOf(unit, block);
    const auto taps = plan_.rows[row];
    for (size_t i = 0; i < taps.size(); ++i) {
      unit.rows[i] = StagedRow(unit, block, taps[i].source);
    }
    const SumFunction sum = SumFor(args_.accumulator, images, panel.cols.count);
    TileTerms tile = {unit.rows, 0, blocking_.group_stride, kGroupRows,
                      packed_ + panel.cols.begin * plan_.positions()};
    const int64_t row_size = plan_.target_width * plan_.target_channels;
    const int64_t image_size = plan_.target_height * row_size;
    const int64_t first = (unit.first_block + block) * kRows * image_size +
                          row * row_size + panel.cols.begin;
    const bool last = panel.end_chunk == blocking_.chunks;
    VisitDType(args_.target_type, [&](auto type) {
      using T = decltype(type);
      T* to = static_cast<T*>(args_.target) + first;
      for (int64_t x = 0; x < plan_.target_width; ++x) {
        if (last) PrefetchTile(to, images, panel.cols.count, image_size);
        tile.a_offset = plan_.col_offsets[static_cast<size_t>(x)];
        SegmentList list = plan_.Terms(row, x);
        list.begin = panel.begin_chunk;
        list.end = panel.end_chunk;
        float* sums = unit.sums;
        if (blocking_.tiles > 1) {
          sums += (sums_row * plan_.target_width + x) * kRows * kCols;
        }
        sum(tile, list, /*first=*/list.begin == 0, sums);
        if (last) {
          StoreSums(args_.accumulator, sums, images, panel.cols.count,
                    panel.bias, to, image_size, unit.counter);
        }
        to += plan_.target_channels;
      }
    });
  }

  // Fetches the lines that a tile will be stored to while its sums are taken.
  template <class T>
  static void PrefetchTile(const T* to, int64_t rows, int64_t cols,
                           int64_t row_stride) {
    for (int64_t r = 0; r < rows; ++r, to += row_stride) {
      __builtin_prefetch(to, /*rw=*/1);
      __builtin_prefetch(to + cols - 1, /*rw=*/1);
    }
  }

  const ImagePlan& plan_;
  const ConvImagesArgs& args_;
  const Blocking blocking_;
  float* const packed_;
  float* const slices_;
};

int64_t ConvImagesFloats(const ImagePlan& plan, int64_t max_batch) {
  const Blocking blocking(plan, max_batch);
  const int64_t streams = std::min(
      kMaxStreams, blocking.blocks * plan.target_height * blocking.panels);
  return PackedFloats(plan) + streams * blocking.slice_floats;
}

void ConvImagesKernel(const ImagePlan& plan, const ConvImagesArgs& args,
                      float* workspace, ThreadPool& pool,
                      StoreCounter& counter) {
  Product(plan, args, workspace).Run(pool, counter);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {

HWY_EXPORT(ConvImagesFloats);
HWY_EXPORT(ConvImagesKernel);

int64_t ConvImagesWorkspaceBytes(const ImagePlan& plan, int64_t max_batch) {
  return static_cast<int64_t>(sizeof(float)) *
         HWY_DYNAMIC_DISPATCH(ConvImagesFloats)(plan, max_batch);
}

void ConvImages(const ImagePlan& plan, const ConvImagesArgs& args,
                void* workspace, ThreadPool& pool, StoreCounter& counter) {
  HWY_DYNAMIC_DISPATCH(ConvImagesKernel)
  (plan, args, static_cast<float*>(workspace), pool, counter);
}

}  // namespace repro16
#endif  // HWY_ONCE
