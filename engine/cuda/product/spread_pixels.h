// The operand of the gradient of a convolution's input where the stride is
// above 1.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_SPREAD_PIXELS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_SPREAD_PIXELS_H_

#include "engine/cuda/product/operands.h"
#include "engine/cuda/product/window.h"
#include "engine/cuda/simt/simt.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Pixels (n, y, x) of which the stride leaves the same rests of y and x meet
// the same taps. Ordered by these rests, most tiles have pixels of one kind,
// and the taps that these do not meet need no work.
struct PixelKinds {
  struct Pixel {
    int number;  // of (n, y, x)
    int y_rest;
    int x_rest;
  };
  SIMT_FUNCTION Pixel At(int line) const {
    for (int kind = 0;; ++kind) {
      const int y_rest = kind / stride, x_rest = kind % stride;
      const int rows = (height - y_rest + stride - 1) / stride;
      const int cols = (width - x_rest + stride - 1) / stride;
      if (line >= images * rows * cols) {
        line -= images * rows * cols;
        continue;
      }
      const int y = y_rest + line / cols % rows * stride;
      const int x = x_rest + line % cols * stride;
      return {(line / cols / rows * height + y) * width + x, y_rest, x_rest};
    }
  }

  int images;
  int height;
  int width;
  int stride;
};

// Lines are pixels, by kind; terms are taps.
template <class T>
struct SpreadPixelsByTaps {
  using Type = T;
  static constexpr bool kTermsContiguous = true;
  static constexpr bool kHasGaps = true;

  template <int kWidth, int kCount, int kStep>
  using Reader = PixelReader<SpreadPixelsByTaps, kWidth, kCount, kStep>;

  // Those of the taps that the tile's pixels meet, if they are of one kind and
  // no staged part has two taps.
  class Positions {
   public:
    static constexpr bool kSkips = true;

    SIMT_FUNCTION int From(int term) const {
      if (!one_kind_) return term;
      while (term < window_.taps) {
        int channel, tap_x, y_rest, x_rest;
        const int tap_y = window_.tap_cols.Divide(
            window_.channels.Divide(term, &channel), &tap_x);
        window_.stride.Divide(tap_y, &y_rest);
        window_.stride.Divide(tap_x, &x_rest);
        if (y_rest == y_rest_ && x_rest == x_rest_) break;
        term += window_.channel_count - channel;
      }
      return term;
    }

   private:
    friend SpreadPixelsByTaps;
    SIMT_FUNCTION explicit Positions(const SpreadWindow<T>& window)
        : window_(window) {}

    const SpreadWindow<T>& window_;
    bool one_kind_;
    int y_rest_;  // of the taps
    int x_rest_;
  };
  template <int kRows, int kDepth>
  SIMT_FUNCTION Positions PositionsOf(int first_row) const {
    const int last_row =
        ExistingLine<true, 1>(first_row + kRows - 1, window.pixels);
    const auto first = kinds.At(first_row), last = kinds.At(last_row);
    Positions positions(window);
    positions.one_kind_ = first.y_rest == last.y_rest &&
                          first.x_rest == last.x_rest &&
                          window.channel_count % kDepth == 0;
    positions.y_rest_ = (first.y_rest + window.first_row) % kinds.stride;
    positions.x_rest_ = (first.x_rest + window.first_col) % kinds.stride;
    return positions;
  }

  SIMT_FUNCTION const SpreadPixelsByTaps& At(int /*outer*/,
                                             int /*inner*/) const {
    return *this;
  }
  SIMT_FUNCTION int RowOf(int line) const { return kinds.At(line).number; }

  SpreadWindow<T> window;
  PixelKinds kinds;
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_SPREAD_PIXELS_H_
