#include "engine/cpu/conv/conv_images.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/conv/conv_blocking.h"
#include "engine/cpu/conv/conv_plan.h"
#include "engine/numerics/store_counter.h"
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
namespace {

constexpr TileShape kTile = {kRows, kCols};

int64_t PackedFloats(const ImagePlan& plan) {
  return RoundUp(plan.positions() * RoundUp(plan.target_channels, kVector), 16);
}

// Fetches runs of memory, one of each image, a few cache lines at a time.
class Fetcher {
 public:
  Fetcher() = default;
  Fetcher(const uint8_t* first, int64_t bytes, int64_t images,
          int64_t image_bytes, int64_t steps)
      : run_(first),
        bytes_(bytes),
        images_(bytes > 0 ? images : 0),
        image_bytes_(image_bytes),
        lines_a_step_(CeilDiv(images * CeilDiv(bytes, kLine), steps)) {}

  void Step() {
    for (int64_t line = 0; line < lines_a_step_ && images_ > 0; ++line) {
      __builtin_prefetch(run_ + at_, /*rw=*/0, /*locality=*/2);
      at_ += kLine;
      if (at_ < bytes_) continue;
      at_ = 0;
      run_ += image_bytes_;
      --images_;
    }
  }

 private:
  static constexpr int64_t kLine = 64;

  const uint8_t* run_ = nullptr;
  int64_t bytes_ = 0;
  int64_t images_ = 0;
  int64_t image_bytes_ = 0;
  int64_t lines_a_step_ = 0;
  int64_t at_ = 0;
};

class ImageProduct {
 public:
  ImageProduct(const ImagePlan& plan, const ConvImagesArgs& args,
               float* workspace)
      : plan_(plan),
        args_(args),
        blocking_(plan, args.batch, kTile),
        packed_(workspace),
        slices_(workspace + PackedFloats(plan)) {}

  void Run(ThreadPool& pool) const {
    Pack(pool);
    const int64_t units = blocking_.units();
    const int64_t streams =
        std::min({ImageBlocking::kMaxStreams, units,
                  static_cast<int64_t>(pool.num_workers())});
    std::atomic<int64_t> next{0};
    pool.RunCounted(
        streams, *args_.target.counter,
        [&](int64_t number, StoreCounter& counter) {
          float* slice = slices_ + number * blocking_.slice_floats();
          Stream stream = {reinterpret_cast<const float**>(slice),
                           slice + blocking_.ring_offset(),
                           slice + blocking_.sums_offset(), counter, Fetcher()};
          for (int64_t unit = next++; unit < units; unit = next++) {
            RunUnit(blocking_.UnitAt(unit), stream);
          }
        });
  }

 private:
  using Unit = ImageBlocking::Unit;

  // A thread's slice of the workspace, and what counts its stores.
  struct Stream {
    const float** rows;  // of TileTerms
    float* ring;
    float* sums;
    StoreCounter& counter;
    Fetcher ahead;  // of what the next band stages
  };

  // Source rows [begin, end).
  struct SourceRows {
    int64_t begin;
    int64_t end;
  };

  // Packs the weights: for each PanelColumns a panel of a line for each
  // position.
  void Pack(ThreadPool& pool) const {
    const int64_t taps = plan_.kernel_height * plan_.kernel_width;
    pool.Run(taps * blocking_.panels(), [&](int64_t task, int /*worker*/) {
      PackTap(task % taps, PanelColumns(task / taps, plan_.target_channels));
    });
  }

  void PackTap(int64_t tap, const PanelColumns& cols) const {
    const int64_t depth = plan_.source_channels;
    float* panel = packed_ + cols.begin * plan_.positions() +
                   tap * depth * RoundUp(cols.count, kVector);
    VisitDType(args_.weights.type, [&](auto type) {
      using T = decltype(type);
      const T* data = static_cast<const T*>(args_.weights.data) +
                      tap * depth * plan_.target_channels;
      const Lines<T> lines =
          plan_.transposed
              ? Lines<T>{data + cols.begin * depth, depth, 1}
              : Lines<T>{data + cols.begin, 1, plan_.target_channels};
      PackColumns(lines, cols.count, depth, panel);
    });
  }

  void RunUnit(const Unit& unit, Stream& stream) const {
    Unit band = BandFrom(unit, unit.begin_row);
    SourceRows rows = RowsOf(band, 0);
    while (band.begin_row < band.end_row) {
      Stage(band, stream, rows);
      const Unit next = BandFrom(unit, band.end_row);
      rows = RowsOf(next, rows.end);
      stream.ahead = Ahead(band, rows);
      for (int64_t panel = unit.begin_panel; panel < unit.end_panel; ++panel) {
        ComputePanel(band, stream, PanelColumns(panel, plan_.target_channels));
      }
      band = next;
    }
  }

  // Empty behind the unit's last row.
  Unit BandFrom(const Unit& unit, int64_t row) const {
    Unit band = unit;
    band.begin_row = row;
    band.end_row = std::min(row + blocking_.band_rows(), unit.end_row);
    return band;
  }

  // What the band needs from source row `staged` on.
  SourceRows RowsOf(const Unit& band, int64_t staged) const {
    int64_t low = plan_.source_height, high = staged;
    for (int64_t row = band.begin_row; row < band.end_row; ++row) {
      for (const WindowTaps::Tap& tap : plan_.rows[row]) {
        low = std::min<int64_t>(low, tap.source);
        high = std::max<int64_t>(high, tap.source + 1);
      }
    }
    return {std::min(std::max(low, staged), high), high};
  }

  // Staging would wait for memory: its rows are fetched while the tiles of the
  // band before it are computed.
  Fetcher Ahead(const Unit& band, const SourceRows& rows) const {
    const int64_t row_bytes = plan_.source_width * plan_.source_channels *
                              static_cast<int64_t>(SizeOf(args_.source.type));
    const int64_t image_bytes = plan_.source_height * row_bytes;
    const int64_t first = band.begin_block * kRows;
    const int64_t images =
        std::min(band.end_block * kRows, args_.batch) - first;
    const int64_t tiles =
        (band.end_block - band.begin_block) * (band.end_row - band.begin_row) *
        (band.end_panel - band.begin_panel) * plan_.target_width;
    return {static_cast<const uint8_t*>(args_.source.data) +
                first * image_bytes + rows.begin * row_bytes,
            (rows.end - rows.begin) * row_bytes, images, image_bytes, tiles};
  }

  void Stage(const Unit& band, const Stream& stream,
             const SourceRows& rows) const {
    for (int64_t source = rows.begin; source < rows.end; ++source) {
      for (int64_t block = band.begin_block; block < band.end_block; ++block) {
        StageRow(block, source,
                 StagedRow(stream, block - band.begin_block, source));
      }
    }
  }

  // A source row of the unit's block number `index`.
  float* StagedRow(const Stream& stream, int64_t index, int64_t source) const {
    const int64_t slot = source % blocking_.ring_rows();
    return stream.ring +
           (slot * blocking_.unit_blocks() + index) * blocking_.block_floats();
  }

  int64_t ImagesOf(int64_t block) const {
    return std::min(kRows, args_.batch - block * kRows);
  }

  void StageRow(int64_t block, int64_t source, float* to) const {
    const int64_t row_size = plan_.source_width * plan_.source_channels;
    const int64_t image_size = plan_.source_height * row_size;
    const int64_t images = ImagesOf(block);
    VisitDType(args_.source.type, [&](auto type) {
      using T = decltype(type);
      const T* from = static_cast<const T*>(args_.source.data) +
                      block * kRows * image_size + source * row_size;
      for (int64_t i = 0; i < images; i += kGroupRows) {
        StageImages(Lines<T>{from + i * image_size, image_size, 1}, images - i,
                    to + i / kGroupRows * blocking_.group_stride());
      }
    });
  }

  // A row of up to kRowGroup images.
  template <class T>
  void StageImages(const Lines<T>& lines, int64_t images, float* to) const {
    const size_t count = static_cast<size_t>(std::min(images, kGroupRows));
    const int64_t channels = plan_.source_channels;
    if (!plan_.reversed) {
      PackPanel<kRowGroup>(
          lines, count, static_cast<size_t>(plan_.source_width * channels), to);
      return;
    }
    for (int64_t col = 0; col < plan_.source_width; ++col) {
      PackPanel<kRowGroup>(
          Lines<T>{lines.data + col * channels, lines.line_stride, 1}, count,
          static_cast<size_t>(channels),
          to + plan_.StagedColumn(col) * channels * kGroupRows);
    }
  }

  // Target channels, and the chunks of their sums that are taken at a time.
  struct PanelChunks {
    PanelColumns cols;
    const float* bias;
    int64_t begin;
    int64_t end;
  };

  void ComputePanel(const Unit& band, Stream& stream,
                    const PanelColumns& cols) const {
    HWY_ALIGN float bias[kTileCols];
    const bool biased = args_.bias.data != nullptr;
    if (biased) LoadBias(cols, bias);
    const int64_t chunks = blocking_.chunks();
    for (int64_t begin = 0; begin < chunks;
         begin += blocking_.chunks_at_once()) {
      const PanelChunks panel = {
          cols, biased ? bias : nullptr, begin,
          std::min(begin + blocking_.chunks_at_once(), chunks)};
      float* sums = stream.sums;
      for (int64_t block = band.begin_block; block < band.end_block; ++block) {
        for (int64_t row = band.begin_row; row < band.end_row; ++row) {
          ComputeRow(stream, panel, block, block - band.begin_block, row, sums);
          if (blocking_.keeps_sums()) {
            sums += plan_.target_width * kRows * kCols;
          }
        }
      }
    }
  }

  void LoadBias(const PanelColumns& cols, float* bias) const {
    VisitDType(args_.bias.type, [&](auto type) {
      using T = decltype(type);
      PackPanel<kTileCols>(
          Lines<T>{static_cast<const T*>(args_.bias.data) + cols.begin, 1, 0},
          static_cast<size_t>(cols.count), 1, bias);
    });
  }

  // A target row of a block, the unit's number `index`.
  void ComputeRow(Stream& stream, const PanelChunks& panel, int64_t block,
                  int64_t index, int64_t row, float* sums) const {
    const int64_t images = ImagesOf(block);
    const auto taps = plan_.rows[row];
    for (size_t i = 0; i < taps.size(); ++i) {
      stream.rows[i] = StagedRow(stream, index, taps[i].source);
    }
    const SumFunction sum = SumFor(args_.accumulator, images, panel.cols.count);
    TileTerms tile = {stream.rows, 0, blocking_.group_stride(), kGroupRows,
                      packed_ + panel.cols.begin * plan_.positions()};
    const int64_t row_size = plan_.target_width * plan_.target_channels;
    const int64_t image_size = plan_.target_height * row_size;
    const int64_t first =
        block * kRows * image_size + row * row_size + panel.cols.begin;
    const bool last = panel.end == blocking_.chunks();
    VisitDType(args_.target.type, [&](auto type) {
      using T = decltype(type);
      T* to = static_cast<T*>(args_.target.data) + first;
      for (int64_t x = 0; x < plan_.target_width; ++x) {
        stream.ahead.Step();
        if (last) PrefetchTile(to, images, panel.cols.count, image_size);
        tile.a_offset = plan_.col_offsets[static_cast<size_t>(x)];
        SegmentList list = plan_.Terms(row, x);
        list.begin = panel.begin;
        list.end = panel.end;
        sum(tile, list, /*first=*/list.begin == 0, sums);
        if (last) {
          StoreSums(args_.accumulator, sums, images, panel.cols.count,
                    panel.bias, to, image_size, stream.counter);
        }
        if (blocking_.keeps_sums()) sums += kRows * kCols;
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
  const ImageBlocking blocking_;
  float* const packed_;
  float* const slices_;
};

}  // namespace

int64_t ConvImagesFloats(const ImagePlan& plan, int64_t max_batch) {
  const ImageBlocking blocking(plan, max_batch, kTile);
  return PackedFloats(plan) + blocking.max_streams() * blocking.slice_floats();
}

void ConvImagesKernel(const ImagePlan& plan, const ConvImagesArgs& args,
                      float* workspace, ThreadPool& pool) {
  ImageProduct(plan, args, workspace).Run(pool);
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
                void* workspace, ThreadPool& pool) {
  HWY_DYNAMIC_DISPATCH(ConvImagesKernel)
  (plan, args, static_cast<float*>(workspace), pool);
}

}  // namespace repro16
#endif  // HWY_ONCE
