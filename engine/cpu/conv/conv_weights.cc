#include "engine/cpu/conv/conv_weights.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/conv/conv_plan.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/conv/conv_weights.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/conv/conv-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace {

// Positions (n, oy, ox) are taken a block at a time, a multiple of
// kReductionChunk: x and dy of the block are staged in f32, x as panels of
// kRowGroup channels by pixel, dy as panels of output channels by position;
// then each tile, of up to kRows input by kCols output channels of one tap,
// adds the block's chunks to its sums. A long block makes the sums' traffic
// small, a short one what is staged. A block is staged while the tiles of the
// one before are computed.
constexpr int64_t kBlockFloats = 128 * 1024;
constexpr int64_t kMinBlock = 4 * kReductionChunk;
constexpr int64_t kMaxBlock = 16 * kReductionChunk;
// Pixels or positions that one task stages, and those that it takes at a time:
// few, so that they stay in the first-level cache from panel to panel. The
// task that stages a chunk of dy sums it too, for the gradient of the bias.
constexpr int64_t kTaskLines = kReductionChunk;
constexpr int64_t kStagedLines = 32;
// Of so few input and output channels together, a chunk of x and dy stays in
// the first-level cache while several tiles take it in turn.
constexpr int64_t kNarrowChannels = 40;
constexpr int64_t kMaxTilesAtOnce = 9;
// An f32 operand of no more channels than these that lies as a tile reads it is
// not staged: what one thread stages another must fetch from its cache.
constexpr int64_t kMaxDirectChannels = 64;

// The parts of the workspace, in floats: two staged blocks, or one if there are
// no more, and the sums between two blocks.
struct WeightsLayout {
  WeightsLayout(const ImageWindow& s, int64_t batch)
      : image_positions(s.out_height * s.out_width),
        image_pixels(s.in_height * s.in_width),
        positions(batch * image_positions),
        taps(s.window.height * s.window.width),
        channel_groups(CeilDiv(s.in_channels, kGroupRows)),
        tap_tiles(CeilDiv(channel_groups, static_cast<int64_t>(kTileGroups))),
        panels(NumPanels(s.out_channels)),
        padded_outputs(RoundUp(s.out_channels, 16)),
        narrow(s.in_channels + s.out_channels <= kNarrowChannels),
        keeps_sums(false) {
    block = BlockPositions(s);
    const int64_t images =
        std::min(batch, block % image_positions == 0
                            ? block / image_positions
                            : (block - 1) / image_positions + 2);
    chunks = block / kReductionChunk;
    max_segments = block / s.out_width + 2 + chunks;
    // Apart from multiples of 4 KB, which would share sets of the cache.
    group_stride = RoundUp(images * image_pixels * kGroupRows, 16) + 16;
    dy = channel_groups * group_stride;
    chunk_sums = dy + block * RoundUp(s.out_channels, kVector);
    segments = chunk_sums + chunks * padded_outputs;
    chunk_ends = segments + Floats(taps * max_segments * sizeof(Segment));
    staged_block = chunk_ends + Floats(taps * chunks * sizeof(int32_t));
    const bool one_block = positions <= block;
    keeps_sums = narrow || !one_block;
    bias_sums = (one_block ? 1 : 2) * staged_block;
    sums = bias_sums + padded_outputs;
    size = sums + (keeps_sums ? tiles() * kRows * kCols : 0);
  }

  int64_t tiles() const { return taps * tap_tiles * panels; }

  int64_t image_positions;
  int64_t image_pixels;
  int64_t positions;
  int64_t taps;
  int64_t channel_groups;
  int64_t tap_tiles;
  int64_t panels;
  int64_t padded_outputs;
  bool narrow;
  bool keeps_sums;  // of all tiles
  int64_t block;    // positions of a block
  int64_t chunks;
  int64_t max_segments;  // of a tap
  // Of a staged block, which begins with x.
  int64_t group_stride;
  int64_t dy;
  int64_t chunk_sums;  // of dy: [chunks][padded_outputs]
  int64_t segments;
  int64_t chunk_ends;
  int64_t staged_block;
  // Behind the staged blocks.
  int64_t bias_sums;
  int64_t sums;
  int64_t size;

 private:
  static int64_t Floats(uint64_t bytes) {
    return RoundUp(static_cast<int64_t>(bytes), 64) / 4;
  }

  int64_t BlockPositions(const ImageWindow& s) const {
    const int64_t position_floats =
        s.out_channels + s.in_channels * CeilDiv(image_pixels, image_positions);
    const int64_t wanted = std::min(
        kMaxBlock, std::max(kMinBlock, kBlockFloats / position_floats));
    // Whole images where chunks allow it, and one at least: a part of an image
    // stages all of it.
    const bool whole = image_positions % kReductionChunk == 0;
    const int64_t unit = whole ? image_positions : kReductionChunk;
    const int64_t least = std::max(wanted, image_positions);
    return std::min(RoundUp(least, unit), RoundUp(positions, kReductionChunk));
  }
};

// Outputs o of an axis for which tap k is not padding: [begin, end).
struct Range {
  int64_t begin;
  int64_t end;
};
Range ValidOutputs(int64_t k, int64_t pad, int64_t stride, int64_t inputs,
                   int64_t outputs) {
  const int64_t begin = pad > k ? CeilDiv(pad - k, stride) : 0;
  const int64_t last = inputs - 1 + pad - k;  // o * stride is at most this
  const int64_t end = last < 0 ? 0 : std::min(outputs, last / stride + 1);
  return {std::min(begin, end), end};
}

// Adds `count` lines of `width` floats, whole vectors, to `sums`, or sets these
// to the lines' sums if `first`.
void AddLines(const float* HWY_RESTRICT lines, int64_t count, int64_t width,
              bool first, float* HWY_RESTRICT sums) {
  const FloatTag d;
  for (int64_t c = 0; c < width; c += kVector) {
    FloatVector sum = first ? hn::Zero(d) : hn::Load(d, sums + c);
    for (int64_t line = 0; line < count; ++line) {
      sum = hn::Add(sum, hn::Load(d, lines + line * width + c));
    }
    hn::Store(sum, d, sums + c);
  }
}

class WeightGradient {
 public:
  WeightGradient(const ImageWindow& shape, const ConvWeightsArgs& args,
                 float* workspace)
      : shape_(shape),
        args_(args),
        layout_(shape, args.batch),
        direct_x_(shape.in_channels <= kMaxDirectChannels &&
                  args.x.type == DType::kF32 &&
                  shape.in_channels % kGroupRows == 0),
        direct_dy_(
            shape.out_channels <= kMaxDirectChannels &&
            args.dy.type == DType::kF32 && layout_.panels == 1 &&
            shape.out_channels % kVector == 0 &&
            hn::IsAligned(FloatTag(), static_cast<const float*>(args.dy.data))),
        pixel_floats_(direct_x_ ? shape.in_channels : kGroupRows),
        group_stride_(direct_x_ ? kGroupRows : layout_.group_stride),
        workspace_(workspace) {}

  void Run(ThreadPool& pool) const {
    // Two tasks a worker, or more.
    const int64_t tiles_at_once =
        layout_.narrow ? std::clamp(layout_.tiles() / (2 * pool.num_workers()),
                                    int64_t{1}, kMaxTilesAtOnce)
                       : 1;
    const int64_t tile_tasks = CeilDiv(layout_.tiles(), tiles_at_once);
    const int64_t bias_tasks = args_.db.data != nullptr ? 1 : 0;
    Block staged = {};
    do {
      const Block next = BlockFrom(staged.begin + staged.size);
      const int64_t sum_tasks = staged.size > 0 ? tile_tasks + bias_tasks : 0;
      pool.RunCounted(sum_tasks + StagingTasks(next), *args_.dw.counter,
                      [&](int64_t task, StoreCounter& counter) {
                        if (task >= sum_tasks) {
                          Stage(next, task - sum_tasks);
                        } else if (task < tile_tasks) {
                          const int64_t begin = task * tiles_at_once;
                          ComputeTiles(
                              staged, begin,
                              std::min(begin + tiles_at_once, layout_.tiles()),
                              counter);
                        } else {
                          AddBiasChunks(staged);
                        }
                      });
      staged = next;
    } while (staged.size > 0);
  }

 private:
  // Positions [begin, begin + size) in images [first_image, end_image), and
  // where they are staged.
  struct Block {
    int64_t begin;
    int64_t size;
    int64_t first_image;
    int64_t end_image;
    float* memory;
  };

  // Empty behind the last position.
  Block BlockFrom(int64_t begin) const {
    const int64_t end = std::min(begin + layout_.block, layout_.positions);
    return {begin, end - begin, begin / layout_.image_positions,
            CeilDiv(end, layout_.image_positions),
            workspace_ + begin / layout_.block % 2 * layout_.staged_block};
  }

  bool IsLast(const Block& block) const {
    return block.begin + block.size == layout_.positions;
  }

  // Tasks that stage x, dy, and the lists of terms.
  int64_t ImageTasks() const {
    return direct_x_ ? 0 : CeilDiv(layout_.image_pixels, kTaskLines);
  }
  int64_t DyTasks(const Block& block) const {
    const bool needed = !direct_dy_ || args_.db.data != nullptr;
    return needed ? CeilDiv(block.size, kTaskLines) : 0;
  }
  int64_t StagingTasks(const Block& block) const {
    if (block.size == 0) return 0;
    return (block.end_image - block.first_image) * ImageTasks() +
           DyTasks(block) + layout_.taps;
  }

  void Stage(const Block& block, int64_t task) const {
    const int64_t parts = ImageTasks();
    const int64_t x_tasks = (block.end_image - block.first_image) * parts;
    const int64_t dy_tasks = DyTasks(block);
    if (task < x_tasks) {
      StageX(block, task / parts, task % parts * kTaskLines);
    } else if (task < x_tasks + dy_tasks) {
      StageDy(block, (task - x_tasks) * kTaskLines);
    } else {
      ListSegments(block, task - x_tasks - dy_tasks);
    }
  }

  // kTaskLines pixels of the block's image `image`, from `pixel` on.
  void StageX(const Block& block, int64_t image, int64_t pixel) const {
    const int64_t channels = shape_.in_channels;
    const int64_t end = std::min(pixel + kTaskLines, layout_.image_pixels);
    VisitDType(args_.x.type, [&](auto type) {
      using T = decltype(type);
      const T* from =
          static_cast<const T*>(args_.x.data) +
          (block.first_image + image) * layout_.image_pixels * channels;
      float* to = block.memory + image * layout_.image_pixels * kGroupRows;
      for (; pixel < end; pixel += kStagedLines) {
        const size_t pixels =
            static_cast<size_t>(std::min(kStagedLines, end - pixel));
        for (int64_t channel = 0; channel < channels; channel += kGroupRows) {
          PackPanel<kRowGroup>(
              Lines<T>{from + pixel * channels + channel, 1, channels},
              static_cast<size_t>(std::min(kGroupRows, channels - channel)),
              pixels,
              to + channel / kGroupRows * layout_.group_stride +
                  pixel * kGroupRows);
        }
      }
    });
  }

  // The kTaskLines positions of the block, one chunk, from `begin` on.
  void StageDy(const Block& block, int64_t begin) const {
    const int64_t channels = shape_.out_channels;
    const int64_t end = std::min(begin + kTaskLines, block.size);
    float* sums = ChunkSums(block, begin / kReductionChunk);
    VisitDType(args_.dy.type, [&](auto type) {
      using T = decltype(type);
      const T* from =
          static_cast<const T*>(args_.dy.data) + block.begin * channels;
      for (int64_t p = begin; p < end; p += kStagedLines) {
        const int64_t lines = std::min(kStagedLines, end - p);
        for (int64_t panel = 0; panel < layout_.panels; ++panel) {
          const PanelColumns cols(panel, channels);
          const int64_t width = RoundUp(cols.count, kVector);
          if (!direct_dy_) {
            PackColumns(Lines<T>{from + p * channels + cols.begin, 1, channels},
                        cols.count, lines,
                        StagedPanel(block, cols) + p * width);
          }
          if (args_.db.data == nullptr) continue;
          AddLines(Panel(block, cols) + p * width, lines, width,
                   /*first=*/p == begin, sums + cols.begin);
        }
      }
    });
  }

  // The block's dy as a tile reads it.
  const float* Panel(const Block& block, const PanelColumns& cols) const {
    if (!direct_dy_) return StagedPanel(block, cols);
    return static_cast<const float*>(args_.dy.data) +
           block.begin * shape_.out_channels;
  }
  float* StagedPanel(const Block& block, const PanelColumns& cols) const {
    return block.memory + layout_.dy + cols.begin * layout_.block;
  }
  float* ChunkSums(const Block& block, int64_t chunk) const {
    return block.memory + layout_.chunk_sums + chunk * layout_.padded_outputs;
  }
  Segment* Segments(const Block& block, int64_t tap) const {
    return reinterpret_cast<Segment*>(block.memory + layout_.segments) +
           tap * layout_.max_segments;
  }
  int32_t* ChunkEnds(const Block& block, int64_t tap) const {
    return reinterpret_cast<int32_t*>(block.memory + layout_.chunk_ends) +
           tap * layout_.chunks;
  }
  // Group `group` of kRowGroup channels of the block's first pixel.
  const float* X(const Block& block, int64_t group) const {
    if (!direct_x_) return block.memory + group * group_stride_;
    return static_cast<const float*>(args_.x.data) +
           block.first_image * layout_.image_pixels * pixel_floats_ +
           group * group_stride_;
  }

  // The block's terms of one tap.
  void ListSegments(const Block& block, int64_t tap) const {
    const WindowAttributes& w = shape_.window;
    const int64_t kr = tap / w.width, kc = tap % w.width;
    const Range rows = ValidOutputs(kr, w.pad_top, w.stride, shape_.in_height,
                                    shape_.out_height);
    const Range cols = ValidOutputs(kc, w.pad_left, w.stride, shape_.in_width,
                                    shape_.out_width);
    SegmentWriter writer(w.stride * pixel_floats_, Segments(block, tap),
                         ChunkEnds(block, tap));
    for (int64_t n = block.first_image; n < block.end_image; ++n) {
      for (int64_t oy = rows.begin; oy < rows.end; ++oy) {
        const int64_t row =
            n * layout_.image_positions + oy * shape_.out_width - block.begin;
        const int64_t begin = std::max(row + cols.begin, int64_t{0});
        const int64_t end = std::min(row + cols.end, block.size);
        const int64_t iy = oy * w.stride - w.pad_top + kr;
        const int64_t ix = (begin - row) * w.stride - w.pad_left + kc;
        const int64_t pixel = (n - block.first_image) * layout_.image_pixels +
                              iy * shape_.in_width + ix;
        writer.Append(0, pixel * pixel_floats_, begin, end - begin);
      }
    }
    writer.Finish(block.size);
  }

  // Up to kRows input by kCols output channels of one tap.
  struct Tile {
    int64_t tap;
    int64_t group;
    int64_t channel;  // the group's first
    int64_t rows;
    PanelColumns cols;
    float* sums;
  };

  // Tiles of all taps follow each other, so that a panel of dy stays in the
  // cache. `scratch` holds the sums if those of all tiles are not kept.
  Tile TileAt(int64_t number, float* scratch) const {
    const int64_t taps = layout_.taps, tiles = layout_.tap_tiles;
    // As even as groups allow.
    const int64_t tile = number / taps % tiles;
    const int64_t group = tile * layout_.channel_groups / tiles;
    const int64_t end = (tile + 1) * layout_.channel_groups / tiles;
    const int64_t channel = group * kGroupRows;
    return {number % taps,
            group,
            channel,
            std::min(end * kGroupRows, shape_.in_channels) - channel,
            PanelColumns(number / taps / tiles, shape_.out_channels),
            layout_.keeps_sums
                ? workspace_ + layout_.sums + number * kRows * kCols
                : scratch};
  }

  // Tiles [begin, end); of several, all take a chunk before the next.
  void ComputeTiles(const Block& block, int64_t begin, int64_t end,
                    StoreCounter& counter) const {
    HWY_ALIGN float scratch[kTileRows * kTileCols];
    const int64_t chunks = CeilDiv(block.size, kReductionChunk);
    const int64_t step = end - begin > 1 ? 1 : chunks;
    for (int64_t chunk = 0; chunk < chunks; chunk += step) {
      for (int64_t tile = begin; tile < end; ++tile) {
        SumTile(block, TileAt(tile, scratch), chunk, chunk + step);
      }
    }
    if (!IsLast(block)) return;
    for (int64_t tile = begin; tile < end; ++tile) {
      Store(TileAt(tile, scratch), counter);
    }
  }

  // Adds chunks [begin, end) of the block.
  void SumTile(const Block& block, const Tile& tile, int64_t begin,
               int64_t end) const {
    const float* x = X(block, tile.group);
    const TileTerms terms = {&x, 0, group_stride_,
                             shape_.window.stride * pixel_floats_,
                             Panel(block, tile.cols)};
    const SegmentList list = {Segments(block, tile.tap),
                              ChunkEnds(block, tile.tap), begin, end};
    SumFor(args_.accumulator, tile.rows, tile.cols.count)(
        terms, list, /*first=*/block.begin == 0 && begin == 0, tile.sums);
  }

  void Store(const Tile& tile, StoreCounter& counter) const {
    VisitDType(args_.dw.type, [&](auto type) {
      using T = decltype(type);
      const int64_t line = tile.tap * shape_.in_channels + tile.channel;
      StoreSums(args_.accumulator, tile.sums, tile.rows, tile.cols.count,
                nullptr,
                static_cast<T*>(args_.dw.data) + line * shape_.out_channels +
                    tile.cols.begin,
                shape_.out_channels, counter);
    });
  }

  // Adds the block's chunks of dy to the sums of the bias.
  void AddBiasChunks(const Block& block) const {
    const FloatTag d;
    float* sums = workspace_ + layout_.bias_sums;
    const int64_t chunks = CeilDiv(block.size, kReductionChunk);
    for (int64_t c = 0; c < shape_.out_channels; c += kVector) {
      FloatVector sum = hn::Load(d, ChunkSums(block, 0) + c);
      if (block.begin > 0) sum = hn::Add(hn::Load(d, sums + c), sum);
      for (int64_t chunk = 1; chunk < chunks; ++chunk) {
        sum = hn::Add(sum, hn::Load(d, ChunkSums(block, chunk) + c));
      }
      hn::Store(sum, d, sums + c);
    }
    if (!IsLast(block)) return;
    VisitDType(args_.db.type, [&](auto type) HWY_ATTR {
      auto* to = static_cast<decltype(type)*>(args_.db.data);
      for (int64_t c = 0; c < shape_.out_channels; c += kVector) {
        StoreRoundedN(d, hn::Load(d, sums + c), to + c,
                      static_cast<size_t>(shape_.out_channels - c),
                      *args_.db.counter);
      }
    });
  }

  const ImageWindow& shape_;
  const ConvWeightsArgs& args_;
  const WeightsLayout layout_;
  // Read where they lie.
  const bool direct_x_;
  const bool direct_dy_;
  const int64_t pixel_floats_;  // between two pixels of a group
  const int64_t group_stride_;
  float* const workspace_;
};

}  // namespace

int64_t ConvWeightsFloats(const ImageWindow& shape, int64_t max_batch) {
  return WeightsLayout(shape, max_batch).size;
}

void ConvWeightsKernel(const ImageWindow& shape, const ConvWeightsArgs& args,
                       float* workspace, ThreadPool& pool) {
  WeightGradient(shape, args, workspace).Run(pool);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {

HWY_EXPORT(ConvWeightsFloats);
HWY_EXPORT(ConvWeightsKernel);

int64_t ConvWeightsWorkspaceBytes(const ImageWindow& shape, int64_t max_batch) {
  return static_cast<int64_t>(sizeof(float)) *
         HWY_DYNAMIC_DISPATCH(ConvWeightsFloats)(shape, max_batch);
}

void ConvWeights(const ImageWindow& shape, const ConvWeightsArgs& args,
                 void* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(ConvWeightsKernel)
  (shape, args, static_cast<float*>(workspace), pool);
}

}  // namespace repro16
#endif  // HWY_ONCE
