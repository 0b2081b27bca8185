#include "engine/cpu/conv/conv_blocking.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace {

constexpr int64_t kMinUnits = 32;  // evens out the threads
// Weights beyond kLargeWeights don't stay in the second-level cache. Then a
// band is long and its sums take kDepthChunks at a time, so that each packed
// weight is used for many pixels once it is there.
constexpr int64_t kLargeWeights = 64 * 1024;
constexpr int64_t kRingFloats = 32 * 1024;
constexpr int64_t kLargeRingFloats = 112 * 1024;
constexpr int64_t kDepthChunks = 8;
constexpr int64_t kLineFloats = 16;  // of a cache line
constexpr int64_t kOne = 1;

}  // namespace

ImageBlocking::ImageBlocking(const ImagePlan& plan, int64_t batch,
                             const TileShape& tile)
    : plan_(plan),
      large_weights_(plan.positions() * plan.target_channels > kLargeWeights),
      ring_budget_(large_weights_ ? kLargeRingFloats : kRingFloats),
      blocks_(CeilDiv(batch, tile.rows)),
      panels_(CeilDiv(plan.target_channels, tile.cols)),
      // Apart from multiples of 4 KB, which would share sets of the cache.
      group_stride_(RoundUp(plan.source_width * plan.source_channels *
                                ImagePlan::kStagedLanes,
                            kLineFloats) +
                    kLineFloats),
      block_floats_(group_stride_ * tile.rows / ImagePlan::kStagedLanes),
      chunks_(CeilDiv(plan.positions(), kReductionChunk)),
      chunks_at_once_(std::min(chunks_, kDepthChunks)) {
  CutUnits(tile);
  CutBands();
  LayOutSlice(tile);
}

int64_t ImageBlocking::Span(int64_t target_rows) const {
  return plan_.row_span[static_cast<size_t>(target_rows)];
}

int64_t ImageBlocking::RingFloats(int64_t rows) const {
  return unit_blocks_ * block_floats_ * Span(rows);
}

void ImageBlocking::CutUnits(const TileShape& tile) {
  const int64_t height = plan_.target_height;
  // Blocks whose whole images fit, and what is stored of them where it may stay
  // in the cache too.
  int64_t image_floats = block_floats_ * Span(height);
  if (!large_weights_) {
    image_floats +=
        tile.rows * height * plan_.target_width * plan_.target_channels;
  }
  const int64_t most =
      large_weights_ ? blocks_ : std::max(blocks_ / kMinUnits, kOne);
  unit_blocks_ =
      std::clamp(ring_budget_ / std::max(image_floats, kOne), kOne, most);
  groups_ = CeilDiv(blocks_, unit_blocks_);
  // Where these are too few, parts of them: of panels first if each reads many
  // weights, else of rows.
  const int64_t wanted = CeilDiv(kMinUnits, groups_);
  panel_parts_ = large_weights_ ? std::min(panels_, wanted) : 1;
  part_rows_ = CeilDiv(height, std::min(height, CeilDiv(wanted, panel_parts_)));
  row_parts_ = CeilDiv(height, part_rows_);
}

void ImageBlocking::CutBands() {
  band_rows_ = 1;
  while (band_rows_ < part_rows_ &&
         RingFloats(band_rows_ + 1) <= ring_budget_) {
    ++band_rows_;
  }
  ring_rows_ = std::max(Span(band_rows_), kOne);
}

void ImageBlocking::LayOutSlice(const TileShape& tile) {
  constexpr auto kPointerFloats =
      static_cast<int64_t>(sizeof(const float*) / sizeof(float));
  const int64_t tiles =
      keeps_sums() ? unit_blocks_ * band_rows_ * plan_.target_width : 1;
  ring_offset_ = RoundUp(plan_.kernel_height * kPointerFloats, kLineFloats);
  sums_offset_ = ring_offset_ + ring_rows_ * unit_blocks_ * block_floats_;
  slice_floats_ = sums_offset_ + tiles * tile.rows * tile.cols;
}

ImageBlocking::Unit ImageBlocking::UnitAt(int64_t number) const {
  const int64_t panel_part = number % panel_parts_;
  const int64_t row_part = number / panel_parts_ % row_parts_;
  const int64_t group = number / panel_parts_ / row_parts_;
  Unit unit;
  unit.begin_block = group * unit_blocks_;
  unit.end_block = std::min(unit.begin_block + unit_blocks_, blocks_);
  unit.begin_row = row_part * part_rows_;
  unit.end_row = std::min(unit.begin_row + part_rows_, plan_.target_height);
  unit.begin_panel = panel_part * panels_ / panel_parts_;
  unit.end_panel = (panel_part + 1) * panels_ / panel_parts_;
  return unit;
}

int64_t ImageBlocking::max_streams() const {
  return std::min(kMaxStreams, blocks_ * plan_.target_height * panels_);
}

}  // namespace repro16
