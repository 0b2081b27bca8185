// Where a product finds its terms.
//
// An operand has lines (rows of a, columns of b) of terms. Memory is contiguous
// along one of the two, kTermsContiguous says which, and a thread reads vectors
// of kWidth elements along it. A Reader<kWidth, kCount, kStep> finds the
// vectors of the lines `line`, line + kStep, ... for one thread: Seek() chooses
// the (first) term, Find(i) gives vector i and whether it is there; where not,
// the address is valid all the same, as a load that always happens needs no
// branch. With kWidth above 1, the number of what is contiguous is a multiple
// of it, and so are strides and addresses.
//
// Lines past the last are the last ones again; their sums are not stored. Terms
// past the last are not there.
//
// Of operand a, RowOf(line) is the row of the result that a line's sums are,
// and PositionsOf() tells which positions the lines of a tile have terms at.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_OPERANDS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_OPERANDS_H_

#include "engine/cuda/product/window.h"
#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/simt.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// All of them.
struct AllPositions {
  static constexpr bool kSkips = false;

  // The first one from `term` on; a multiple of the depth of a staged part.
  SIMT_FUNCTION int From(int term) const { return term; }
};

// What most operands have in common.
struct RowsInOrder {
  template <int kRows, int kDepth>
  SIMT_FUNCTION AllPositions PositionsOf(int /*first_row*/) const {
    return {};
  }
  SIMT_FUNCTION int RowOf(int line) const { return line; }
};

// Line i of a thread, or the last line.
template <bool kTermsContiguous, int kWidth>
SIMT_FUNCTION int ExistingLine(int line, int lines) {
  const int last = lines - (kTermsContiguous ? 1 : kWidth);
  return line < last ? line : last;
}

// Element (line, term) is data[line * stride + term] if terms are contiguous,
// else data[line + term * stride].
template <class T, bool kTermsContiguousT>
struct MatrixOperand : RowsInOrder {
  using Type = T;
  static constexpr bool kTermsContiguous = kTermsContiguousT;
  // Whether a term can be missing before the last one.
  static constexpr bool kHasGaps = false;

  template <int kWidth, int kCount, int kStep>
  class Reader {
   public:
    SIMT_FUNCTION Reader(const MatrixOperand& matrix, int line)
        : matrix_(matrix) {
      SIMT_UNROLL for (int i = 0; i < kCount; ++i) {
        const int at = ExistingLine<kTermsContiguous, kWidth>(line + i * kStep,
                                                              matrix.lines);
        offset_[i] = kTermsContiguous ? at * matrix.stride : at;
      }
    }
    SIMT_FUNCTION void Seek(int term) {
      present_ = term < matrix_.terms;
      const int at = present_ ? term : 0;
      if (kTermsContiguous) {
        int rest;
        const int group = matrix_.group.Divide(at, &rest);
        first_ = matrix_.data + (at + group * matrix_.group_gap);
      } else {
        first_ = matrix_.data + at * matrix_.stride;
      }
    }
    SIMT_FUNCTION Found<T> Find(int i) const {
      return {first_ + offset_[i], present_};
    }

   private:
    const MatrixOperand matrix_;
    int offset_[kCount];
    bool present_;
    const T* first_;
  };

  // That of a product of a batch.
  SIMT_FUNCTION MatrixOperand At(int outer, int inner) const {
    MatrixOperand matrix = *this;
    matrix.data += outer * outer_stride + inner * inner_stride;
    return matrix;
  }

  const T* data;
  int lines;
  int terms;
  int stride;
  int outer_stride = 0;
  int inner_stride = 0;
  // Contiguous terms come in groups of group.divisor(), between which lie
  // group_gap other elements.
  Divisor group = {};
  int group_gap = 0;
  int no_padding = 0;
};

// Of an operand whose lines are pixels under its `window`, terms are taps.
template <class Operand, int kWidth, int kCount, int kStep>
class PixelReader {
 public:
  SIMT_FUNCTION PixelReader(const Operand& operand, int line)
      : window_(operand.window) {
    SIMT_UNROLL for (int i = 0; i < kCount; ++i) {
      const int existing =
          ExistingLine<true, kWidth>(line + i * kStep, window_.pixels);
      place_[i] = window_.PlaceOf(operand.RowOf(existing));
    }
  }
  SIMT_FUNCTION void Seek(int term) {
    present_ = term < window_.taps;
    tap_ = window_.TapOf(term);
  }
  SIMT_FUNCTION Found<typename Operand::Type> Find(int i) const {
    return window_.Find(place_[i], tap_, present_);
  }

 private:
  using Window = decltype(Operand::window);

  const Window& window_;
  typename Window::Place place_[kCount];
  bool present_;
  typename Window::Place tap_;
};

// Lines are pixels, terms are taps.
template <class T>
struct PixelsByTaps : RowsInOrder {
  using Type = T;
  static constexpr bool kTermsContiguous = true;
  static constexpr bool kHasGaps = true;

  template <int kWidth, int kCount, int kStep>
  using Reader = PixelReader<PixelsByTaps, kWidth, kCount, kStep>;

  SIMT_FUNCTION const PixelsByTaps& At(int /*outer*/, int /*inner*/) const {
    return *this;
  }

  Window<T> window;
};

// Lines are taps, terms are pixels.
template <class T>
struct TapsByPixels : RowsInOrder {
  using Type = T;
  static constexpr bool kTermsContiguous = false;
  static constexpr bool kHasGaps = true;

  template <int kWidth, int kCount, int kStep>
  class Reader {
   public:
    SIMT_FUNCTION Reader(const TapsByPixels& operand, int line)
        : window_(operand.window) {
      SIMT_UNROLL for (int i = 0; i < kCount; ++i) {
        tap_[i] = window_.TapOf(
            ExistingLine<false, kWidth>(line + i * kStep, window_.taps));
      }
    }
    SIMT_FUNCTION void Seek(int term) {
      present_ = term < window_.pixels;
      place_ = window_.PlaceOf(term);
    }
    SIMT_FUNCTION Found<T> Find(int i) const {
      return window_.Find(place_, tap_[i], present_);
    }

   private:
    const Window<T>& window_;
    typename Window<T>::Place tap_[kCount];
    bool present_;
    typename Window<T>::Place place_;
  };

  SIMT_FUNCTION const TapsByPixels& At(int /*outer*/, int /*inner*/) const {
    return *this;
  }

  Window<T> window;
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_OPERANDS_H_
