#include "engine/cuda/elementwise/layout_kernels.h"

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

// to[moves.To(i)] = from[moves.From(i)], or +0 where that is -1; nothing where
// To is -1.
template <class Moves, class T>
SIMT_KERNEL(kElementThreads, 1)
MoveKernel(const Moves moves, int n, const T* from, T* to) {
  const int i = ElementIndex();
  if (i >= n) return;
  const int at = moves.From(i);
  const int target = moves.To(i);
  if (target >= 0) to[target] = at >= 0 ? from[at] : T{0};
}

template <class Moves>
void Move(Stream& stream, size_t size, const Moves& moves, int64_t n,
          const void* from, void* to) {
  const auto launch = [&](auto tag) {
    using T = decltype(tag);
    Launch(stream, MoveKernel<Moves, T>, ElementGrid(n), kElementThreads,
           /*shared_bytes=*/0, moves, static_cast<int>(n),
           static_cast<const T*>(from), static_cast<T*>(to));
  };
  if (size == sizeof(uint32_t)) {
    launch(uint32_t{});
  } else {
    launch(uint16_t{});
  }
}

struct Whole {
  SIMT_FUNCTION int From(int i) const { return i; }
  SIMT_FUNCTION int To(int i) const { return i; }
};

struct Rows {
  Divisor columns;
  int from_stride;
  int to_stride;
  const StepState* step;

  SIMT_FUNCTION int From(int i) const { return At(i, from_stride); }
  SIMT_FUNCTION int To(int i) const {
    const int first =
        step != nullptr ? static_cast<int>(step->first) * to_stride : 0;
    return first + At(i, to_stride);
  }

 private:
  SIMT_FUNCTION int At(int i, int stride) const {
    int col;
    const int row = columns.Divide(i, &col);
    return row * stride + col;
  }
};

// An element of an image.
struct Position {
  int image;
  int row;
  int col;
  int channel;
};

struct ImageShape {
  ImageShape(int64_t h, int64_t w, int64_t c)
      : height(static_cast<int>(h)),
        width(static_cast<int>(w)),
        channels(static_cast<int>(c)),
        divide_height(h),
        divide_width(w),
        divide_channels(c) {}

  SIMT_FUNCTION Position Of(int i) const {
    Position at;
    const int pixel = divide_channels.Divide(i, &at.channel);
    const int line = divide_width.Divide(pixel, &at.col);
    at.image = divide_height.Divide(line, &at.row);
    return at;
  }
  // The element, or -1 outside of the image.
  SIMT_FUNCTION int At(const Position& at) const {
    if (at.row < 0 || at.row >= height || at.col < 0 || at.col >= width ||
        at.channel < 0 || at.channel >= channels) {
      return -1;
    }
    return ((at.image * height + at.row) * width + at.col) * channels +
           at.channel;
  }

  int height;
  int width;
  int channels;
  Divisor divide_height, divide_width, divide_channels;
};

struct PadImages {
  explicit PadImages(const PadShape& shape)
      : small(shape.height, shape.width, shape.channels),
        large(shape.large_height, shape.large_width, shape.large_channels),
        top(static_cast<int>(shape.top)),
        left(static_cast<int>(shape.left)),
        before(static_cast<int>(shape.before)) {}

  ImageShape small, large;
  int top;
  int left;
  int before;
};

struct PadMoves : PadImages {
  using PadImages::PadImages;
  SIMT_FUNCTION int From(int i) const {
    Position at = large.Of(i);
    at.row -= top;
    at.col -= left;
    at.channel -= before;
    return small.At(at);
  }
  SIMT_FUNCTION int To(int i) const { return i; }
};

struct CropMoves : PadImages {
  using PadImages::PadImages;
  SIMT_FUNCTION int From(int i) const {
    Position at = small.Of(i);
    at.row += top;
    at.col += left;
    at.channel += before;
    return large.At(at);
  }
  SIMT_FUNCTION int To(int i) const { return i; }
};

// Element i of the images has element PatchElement(i) of the patches, or none.
struct PatchImages {
  explicit PatchImages(const PatchShape& shape)
      : image(shape.height, shape.width, shape.channels),
        side(static_cast<int>(shape.side)),
        rows(static_cast<int>(shape.height / shape.side)),
        cols(static_cast<int>(shape.width / shape.side)),
        divide_side(shape.side) {}

  SIMT_FUNCTION int PatchElement(int i) const {
    const Position at = image.Of(i);
    int row, col;  // in the patch
    const int patch_row = divide_side.Divide(at.row, &row);
    const int patch_col = divide_side.Divide(at.col, &col);
    if (patch_row >= rows || patch_col >= cols) return -1;
    const int patch = (at.image * rows + patch_row) * cols + patch_col;
    return ((patch * side + row) * side + col) * image.channels + at.channel;
  }

  ImageShape image;
  int side;
  int rows;
  int cols;
  Divisor divide_side;
};

struct UnpatchMoves : PatchImages {
  using PatchImages::PatchImages;
  SIMT_FUNCTION int From(int i) const { return PatchElement(i); }
  SIMT_FUNCTION int To(int i) const { return i; }
};

struct PatchMoves : PatchImages {
  using PatchImages::PatchImages;
  SIMT_FUNCTION int From(int i) const { return i; }
  SIMT_FUNCTION int To(int i) const { return PatchElement(i); }
};

}  // namespace

void Copy(const CopyArgs& args, Stream& stream) {
  const size_t size = args.bytes % 4 == 0 ? sizeof(uint32_t) : sizeof(uint16_t);
  Move(stream, size, Whole(), args.bytes / static_cast<int64_t>(size),
       args.from, args.to);
}

void CopyRows(const CopyRowsArgs& args, Stream& stream) {
  const Rows moves = {Divisor(args.columns), static_cast<int>(args.from_stride),
                      static_cast<int>(args.to_stride), args.step};
  Move(stream, args.size, moves, args.rows * args.columns, args.from, args.to);
}

void Pad(const PadArgs& args, Stream& stream) {
  const PadShape& s = args.shape;
  Move(stream, args.size, PadMoves(s),
       s.batch * s.large_height * s.large_width * s.large_channels, args.small,
       args.large);
}

void Crop(const CropArgs& args, Stream& stream) {
  const PadShape& s = args.shape;
  Move(stream, args.size, CropMoves(s),
       s.batch * s.height * s.width * s.channels, args.large, args.small);
}

void Patches(const PatchesArgs& args, Stream& stream) {
  const PatchShape& s = args.shape;
  Move(stream, args.size, PatchMoves(s),
       s.batch * s.height * s.width * s.channels, args.image, args.patches);
}

void Unpatch(const UnpatchArgs& args, Stream& stream) {
  const PatchShape& s = args.shape;
  Move(stream, args.size, UnpatchMoves(s),
       s.batch * s.height * s.width * s.channels, args.patches, args.image);
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
