// How a product that slides over images (ImagePlan) is cut into work.
//
// A tile's rows are images at the same target pixel, so that all have the same
// taps and padding costs nothing. From the largest to the smallest:
//
//   unit    what a thread takes at a time: some blocks of images, a part of the
//           target's rows and a part of its panels.
//   band    the rows of a unit that are computed between two stagings. The
//           source rows that they need lie in a ring, which keeps those of the
//           band before; a ring fits the second-level cache.
//   block   as many images as a tile has rows.
//   panel   as many target channels as a tile has columns, or fewer.
//
// A stream is a thread's way through units. It has a slice of the workspace:
// row pointers, the ring, and sums.
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_BLOCKING_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_BLOCKING_H_

#include <cstdint>

#include "engine/cpu/conv/conv_plan.h"

namespace repro16 {

// Images and target channels of a tile; an instruction set's.
struct TileShape {
  int64_t rows;  // a multiple of ImagePlan::kStagedLanes
  int64_t cols;
};

class ImageBlocking {
 public:
  // Slices, and so units at a time.
  static constexpr int64_t kMaxStreams = 32;

  ImageBlocking(const ImagePlan& plan, int64_t batch, const TileShape& tile);

  // Blocks, target rows and panels from begin_... to end_....
  struct Unit {
    int64_t begin_block, end_block;
    int64_t begin_row, end_row;
    int64_t begin_panel, end_panel;
  };
  Unit UnitAt(int64_t number) const;
  int64_t units() const { return groups_ * row_parts_ * panel_parts_; }
  // Slices that batches of up to this one's size can use at a time.
  int64_t max_streams() const;

  int64_t blocks() const { return blocks_; }
  int64_t panels() const { return panels_; }
  int64_t unit_blocks() const { return unit_blocks_; }
  int64_t band_rows() const { return band_rows_; }
  int64_t ring_rows() const { return ring_rows_; }  // staged at a time

  // Of a staged row, in floats: between kStagedLanes images, and of a block.
  int64_t group_stride() const { return group_stride_; }
  int64_t block_floats() const { return block_floats_; }

  // Chunks of a sum, and those that a tile takes before the next tile's turn.
  int64_t chunks() const { return chunks_; }
  int64_t chunks_at_once() const { return chunks_at_once_; }
  // Whether the tiles of a band keep their sums meanwhile.
  bool keeps_sums() const { return chunks_at_once_ < chunks_; }

  // A slice, in floats: row pointers, then the ring, then sums.
  int64_t ring_offset() const { return ring_offset_; }
  int64_t sums_offset() const { return sums_offset_; }
  int64_t slice_floats() const { return slice_floats_; }

 private:
  // Source rows that so many consecutive target rows need.
  int64_t Span(int64_t target_rows) const;
  // Floats of the ring where a band has so many rows.
  int64_t RingFloats(int64_t rows) const;

  void CutUnits(const TileShape& tile);
  void CutBands();
  void LayOutSlice(const TileShape& tile);

  const ImagePlan& plan_;
  const bool large_weights_;
  const int64_t ring_budget_;  // floats
  const int64_t blocks_;
  const int64_t panels_;
  const int64_t group_stride_;
  const int64_t block_floats_;
  const int64_t chunks_;
  const int64_t chunks_at_once_;
  int64_t unit_blocks_;
  int64_t groups_;  // of unit_blocks_ blocks
  int64_t panel_parts_;
  int64_t part_rows_;  // target rows of a unit
  int64_t row_parts_;
  int64_t band_rows_;
  int64_t ring_rows_;
  int64_t ring_offset_;
  int64_t sums_offset_;
  int64_t slice_floats_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_BLOCKING_H_
