// Which terms the outputs of a convolution sum, as lists of segments; the same
// for every instruction set.
//
// Two of a convolution's three products slide over images: the forward pass
// (source x, target y) and the gradient of the input (source dy, target dx).
//
//   target[n, t, c] = r( sum_p source[n, s(t, p), k] * weights[p, c] )
//
// where position p is (kernel row, kernel column, k) and s is the pixel that
// the tap joins to t, if there is one. Pixels whose taps are the same share a
// list.
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_PLAN_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_PLAN_H_

#include <cstdint>
#include <vector>

#include "engine/graph/window.h"

namespace repro16 {

// A run of terms of one chunk: operand a is read from `a` floats behind
// rows[row] (TileTerms) on, operand b from line `position` of its panel on.
struct Segment {
  int32_t row;
  int32_t a;
  int32_t position;
  int32_t terms;
};

// Segments by chunk (engine/numerics/reduction.h): chunk i ends before segment
// chunk_ends[i]. A chunk may be empty. The list is of chunks [begin, end).
struct SegmentList {
  const Segment* segments;
  const int32_t* chunk_ends;
  int64_t begin;
  int64_t end;
};

// Writes a list into memory of the caller's. Positions ascend.
class SegmentWriter {
 public:
  // Consecutive terms lie a_step floats apart.
  SegmentWriter(int64_t a_step, Segment* segments, int32_t* chunk_ends)
      : a_step_(a_step), segments_(segments), chunk_ends_(chunk_ends) {}

  // Segments that n appended runs of these terms may take.
  static int64_t MaxSegments(int64_t runs, int64_t terms);

  void Append(int64_t row, int64_t a, int64_t position, int64_t terms);

  // The list over `positions` positions.
  SegmentList Finish(int64_t positions);

  int64_t size() const { return size_; }

 private:
  void EndChunksBefore(int64_t chunk);

  const int64_t a_step_;
  Segment* const segments_;
  int32_t* const chunk_ends_;
  int64_t size_ = 0;
  int64_t chunks_ = 0;  // ended
};

// One of the two products that slide over images. The source is staged as
// groups of kStagedLanes images: element [row][column][channel][image], in
// which a Segment's offsets count; columns descend where that makes the taps of
// a kernel row ascend.
struct ImagePlan {
  static constexpr int64_t kStagedLanes = 4;

  static ImagePlan Forward(const ImageWindow& shape);
  static ImagePlan InputGradient(const ImageWindow& shape);

  int64_t positions() const {
    return kernel_height * kernel_width * source_channels;
  }
  // The terms of a target pixel; Segment::row counts the taps of target_row.
  SegmentList Terms(int64_t target_row, int64_t target_col) const;
  // The staged column that source column s is.
  int64_t StagedColumn(int64_t s) const {
    return reversed ? source_width - 1 - s : s;
  }

  int64_t source_height, source_width, source_channels;
  int64_t target_height, target_width, target_channels;
  int64_t kernel_height, kernel_width;
  // Weights are [taps][source_channels][target_channels], or, transposed,
  // [taps][target_channels][source_channels].
  bool transposed;
  bool reversed;
  WindowTaps rows, cols;

  // Of a target column: floats from the start of a staged row to where its
  // segments count from.
  std::vector<int32_t> col_offsets;
  // span[n]: source rows from the first to the last that any n consecutive
  // target rows cover; span[0] is 0.
  std::vector<int64_t> row_span;

 private:
  struct StoredList {
    std::vector<Segment> segments;
    std::vector<int32_t> chunk_ends;
  };

  void Finish();
  StoredList MakeList(int64_t target_row, int64_t target_col) const;

  std::vector<int64_t> row_classes_, col_classes_;  // of each row, column
  std::vector<StoredList> lists_;                   // [row class][col class]
  int64_t num_col_classes_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_PLAN_H_
