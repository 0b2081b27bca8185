// Windows that slide over images: shapes, and which taps meet which positions.
#ifndef REPRO16_ENGINE_GRAPH_WINDOW_H_
#define REPRO16_ENGINE_GRAPH_WINDOW_H_

#include <cstddef>
#include <cstdint>
#include <variant>
#include <vector>

#include "absl/types/span.h"
#include "engine/graph/graph.h"

namespace repro16 {

// x [N, in_height, in_width, in_channels] to y [N, out_height, out_width,
// out_channels]; see WindowAttributes for which input a tap of the window is.
struct ImageWindow {
  int64_t in_height;
  int64_t in_width;
  int64_t in_channels;
  int64_t out_height;
  int64_t out_width;
  int64_t out_channels;
  WindowAttributes window;
};

// Of an operation that has one.
inline ImageWindow WindowOf(const Graph& graph, const Op& op) {
  const Shape& in = graph.tensors[op.inputs[0]].shape;
  const Shape& out = graph.tensors[op.output].shape;
  const auto& window = std::get<WindowAttributes>(op.attributes);
  return {in[0], in[1], in[2], out[0], out[1], out[2], window};
}

// Output o of a window of `size` taps covers the inputs o * stride - pad + k,
// 0 <= k < size; those outside [0, inputs) are padding.
struct WindowAxis {
  int64_t inputs;
  int64_t outputs;
  int64_t size;
  int64_t stride;
  int64_t pad;
};

inline WindowAxis RowAxis(const ImageWindow& shape) {
  return {shape.in_height, shape.out_height, shape.window.height,
          shape.window.stride, shape.window.pad_top};
}
inline WindowAxis ColumnAxis(const ImageWindow& shape) {
  return {shape.in_width, shape.out_width, shape.window.width,
          shape.window.stride, shape.window.pad_left};
}

// For each position of one end of the window, the taps that join it to a
// position of the other end, in ascending order of the tap. Padding has none.
class WindowTaps {
 public:
  struct Tap {
    int32_t k;
    int32_t source;
  };

  // Of each output: the inputs it covers.
  static WindowTaps OfOutputs(const WindowAxis& axis) {
    WindowTaps taps;
    for (int64_t o = 0; o < axis.outputs; ++o) {
      for (int64_t k = 0; k < axis.size; ++k) {
        const int64_t input = o * axis.stride - axis.pad + k;
        if (input >= 0 && input < axis.inputs) taps.Append(k, input);
      }
      taps.EndPosition(axis.size);
    }
    return taps;
  }

  // Of each input: the outputs that cover it, descending as taps ascend.
  static WindowTaps OfInputs(const WindowAxis& axis) {
    WindowTaps taps;
    for (int64_t i = 0; i < axis.inputs; ++i) {
      for (int64_t k = 0; k < axis.size; ++k) {
        const int64_t scaled = i + axis.pad - k;
        if (scaled < 0 || scaled % axis.stride != 0) continue;
        const int64_t output = scaled / axis.stride;
        if (output < axis.outputs) taps.Append(k, output);
      }
      taps.EndPosition(axis.size);
    }
    return taps;
  }

  int64_t positions() const { return static_cast<int64_t>(ends_.size()) - 1; }

  absl::Span<const Tap> operator[](int64_t position) const {
    const auto p = static_cast<size_t>(position);
    return absl::MakeConstSpan(taps_.data() + ends_[p],
                               ends_[p + 1] - ends_[p]);
  }

  // The first run of positions that have every tap.
  int64_t full_begin() const { return full_begin_; }
  int64_t full_end() const { return full_end_; }

 private:
  void Append(int64_t k, int64_t source) {
    taps_.push_back({static_cast<int32_t>(k), static_cast<int32_t>(source)});
  }

  void EndPosition(int64_t size) {
    const int64_t position = positions();
    if (static_cast<int64_t>(taps_.size() - ends_.back()) == size) {
      if (full_begin_ == full_end_) full_begin_ = full_end_ = position;
      if (full_end_ == position) ++full_end_;
    }
    ends_.push_back(taps_.size());
  }

  std::vector<Tap> taps_;
  std::vector<size_t> ends_ = {0};
  int64_t full_begin_ = 0;
  int64_t full_end_ = 0;
};

// Both axes of a window over images, in both directions.
struct ImageTaps {
  explicit ImageTaps(const ImageWindow& shape)
      : output_rows(WindowTaps::OfOutputs(RowAxis(shape))),
        output_cols(WindowTaps::OfOutputs(ColumnAxis(shape))),
        input_rows(WindowTaps::OfInputs(RowAxis(shape))),
        input_cols(WindowTaps::OfInputs(ColumnAxis(shape))) {}

  const WindowTaps output_rows, output_cols;
  const WindowTaps input_rows, input_cols;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_WINDOW_H_
