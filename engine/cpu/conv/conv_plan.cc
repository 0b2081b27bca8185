#include "engine/cpu/conv/conv_plan.h"

#include <algorithm>
#include <cstddef>

#include "engine/numerics/reduction.h"

namespace repro16 {
namespace {

using Taps = absl::Span<const WindowTaps::Tap>;

bool SameTaps(Taps a, Taps b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.k == y.k; });
}

// Numbers the positions by their taps; returns a position of each class.
std::vector<int64_t> Classify(const WindowTaps& taps,
                              std::vector<int64_t>& classes) {
  std::vector<int64_t> examples;
  for (int64_t p = 0; p < taps.positions(); ++p) {
    size_t c = 0;
    while (c < examples.size() && !SameTaps(taps[examples[c]], taps[p])) ++c;
    if (c == examples.size()) examples.push_back(p);
    classes.push_back(static_cast<int64_t>(c));
  }
  return examples;
}

// See ImagePlan::row_span.
std::vector<int64_t> RowSpans(const WindowTaps& rows) {
  const int64_t positions = rows.positions();
  std::vector<int64_t> spans(static_cast<size_t>(positions) + 1, 0);
  for (int64_t begin = 0; begin < positions; ++begin) {
    int64_t low = INT64_MAX, high = -1;
    for (int64_t end = begin; end < positions; ++end) {
      for (const WindowTaps::Tap& tap : rows[end]) {
        low = std::min<int64_t>(low, tap.source);
        high = std::max<int64_t>(high, tap.source);
      }
      int64_t& span = spans[static_cast<size_t>(end - begin + 1)];
      if (high >= 0) span = std::max(span, high - low + 1);
    }
  }
  return spans;
}

}  // namespace

int64_t SegmentWriter::MaxSegments(int64_t runs, int64_t terms) {
  return runs * ((terms + kReductionChunk - 2) / kReductionChunk + 1);
}

void SegmentWriter::EndChunksBefore(int64_t chunk) {
  while (chunks_ < chunk) chunk_ends_[chunks_++] = static_cast<int32_t>(size_);
}

void SegmentWriter::Append(int64_t row, int64_t a, int64_t position,
                           int64_t terms) {
  while (terms > 0) {
    const int64_t chunk = position / kReductionChunk;
    const int64_t n = std::min(terms, (chunk + 1) * kReductionChunk - position);
    EndChunksBefore(chunk);
    const int32_t begin = chunk == 0 ? 0 : chunk_ends_[chunk - 1];
    Segment* last = size_ > begin ? &segments_[size_ - 1] : nullptr;
    if (last != nullptr && last->row == row &&
        last->position + last->terms == position &&
        last->a + last->terms * a_step_ == a) {
      last->terms += static_cast<int32_t>(n);
    } else {
      segments_[size_++] = {static_cast<int32_t>(row), static_cast<int32_t>(a),
                            static_cast<int32_t>(position),
                            static_cast<int32_t>(n)};
    }
    a += n * a_step_;
    position += n;
    terms -= n;
  }
}

SegmentList SegmentWriter::Finish(int64_t positions) {
  EndChunksBefore((positions + kReductionChunk - 1) / kReductionChunk);
  return {segments_, chunk_ends_, 0, chunks_};
}

ImagePlan ImagePlan::Forward(const ImageWindow& s) {
  ImagePlan plan;
  plan.source_height = s.in_height;
  plan.source_width = s.in_width;
  plan.source_channels = s.in_channels;
  plan.target_height = s.out_height;
  plan.target_width = s.out_width;
  plan.target_channels = s.out_channels;
  plan.transposed = false;
  plan.reversed = false;
  plan.rows = WindowTaps::OfOutputs(RowAxis(s));
  plan.cols = WindowTaps::OfOutputs(ColumnAxis(s));
  plan.kernel_height = s.window.height;
  plan.kernel_width = s.window.width;
  plan.Finish();
  return plan;
}

ImagePlan ImagePlan::InputGradient(const ImageWindow& s) {
  ImagePlan plan;
  plan.source_height = s.out_height;
  plan.source_width = s.out_width;
  plan.source_channels = s.out_channels;
  plan.target_height = s.in_height;
  plan.target_width = s.in_width;
  plan.target_channels = s.in_channels;
  plan.transposed = true;
  plan.reversed = s.window.width > 1;
  plan.rows = WindowTaps::OfInputs(RowAxis(s));
  plan.cols = WindowTaps::OfInputs(ColumnAxis(s));
  plan.kernel_height = s.window.height;
  plan.kernel_width = s.window.width;
  plan.Finish();
  return plan;
}

void ImagePlan::Finish() {
  const std::vector<int64_t> row_examples = Classify(rows, row_classes_);
  const std::vector<int64_t> col_examples = Classify(cols, col_classes_);
  num_col_classes_ = static_cast<int64_t>(col_examples.size());
  for (const int64_t row : row_examples) {
    for (const int64_t col : col_examples) {
      lists_.push_back(MakeList(row, col));
    }
  }
  for (int64_t c = 0; c < target_width; ++c) {
    const int64_t first = cols[c].empty() ? 0 : StagedColumn(cols[c][0].source);
    col_offsets.push_back(
        static_cast<int32_t>(first * source_channels * kStagedLanes));
  }
  row_span = RowSpans(rows);
}

ImagePlan::StoredList ImagePlan::MakeList(int64_t target_row,
                                          int64_t target_col) const {
  const Taps row_taps = rows[target_row], col_taps = cols[target_col];
  const int64_t runs = static_cast<int64_t>(row_taps.size() * col_taps.size());
  const int64_t chunks = (positions() + kReductionChunk - 1) / kReductionChunk;
  StoredList list;
  list.segments.resize(
      static_cast<size_t>(SegmentWriter::MaxSegments(runs, source_channels)));
  list.chunk_ends.resize(static_cast<size_t>(chunks));
  SegmentWriter writer(kStagedLanes, list.segments.data(),
                       list.chunk_ends.data());
  for (size_t r = 0; r < row_taps.size(); ++r) {
    for (const WindowTaps::Tap& tap : col_taps) {
      const int64_t pixels =
          StagedColumn(tap.source) - StagedColumn(col_taps[0].source);
      writer.Append(static_cast<int64_t>(r),
                    pixels * source_channels * kStagedLanes,
                    (row_taps[r].k * kernel_width + tap.k) * source_channels,
                    source_channels);
    }
  }
  writer.Finish(positions());
  list.segments.resize(static_cast<size_t>(writer.size()));
  return list;
}

SegmentList ImagePlan::Terms(int64_t target_row, int64_t target_col) const {
  const int64_t row_class = row_classes_[static_cast<size_t>(target_row)];
  const int64_t col_class = col_classes_[static_cast<size_t>(target_col)];
  const StoredList& list =
      lists_[static_cast<size_t>(row_class * num_col_classes_ + col_class)];
  return {list.segments.data(), list.chunk_ends.data(), 0,
          static_cast<int64_t>(list.chunk_ends.size())};
}

}  // namespace repro16
