// Moves of values from one layout to another: they keep their bits, and nothing
// is counted. Elements have `size` bytes, 2 or 4.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_

#include <cstddef>
#include <cstdint>

#include "engine/cuda/step_state.h"

namespace repro16 {

// Bytes, an even number of them, that do not overlap.
struct CopyArgs {
  int64_t bytes;
  const void* from;
  void* to;
};

// to[row, col] = from[row, col]; strides in elements.
struct CopyRowsArgs {
  size_t size;
  int64_t rows;
  int64_t columns;
  const void* from;
  int64_t from_stride;
  void* to;
  int64_t to_stride;
  // Where it is not null, `to` begins at row step->first.
  const StepState* step = nullptr;
};

// A small image [batch, height, width, channels] inside a large one, its first
// element at (top, left, before).
struct PadShape {
  int64_t batch;
  int64_t height;
  int64_t width;
  int64_t channels;
  int64_t large_height;
  int64_t large_width;
  int64_t large_channels;
  int64_t top;
  int64_t left;
  int64_t before;
};

// The large image from the small one: +0 around it.
struct PadArgs {
  size_t size;
  PadShape shape;
  const void* small;
  void* large;
};

// The small image out of the large one.
struct CropArgs {
  size_t size;
  PadShape shape;
  const void* large;
  void* small;
};

// Images [batch, height, width, channels] and their whole patches of side by
// side elements, [batch, patches, side, side, channels].
struct PatchShape {
  int64_t batch;
  int64_t height;
  int64_t width;
  int64_t channels;
  int64_t side;
};

struct PatchesArgs {
  size_t size;
  PatchShape shape;
  const void* image;
  void* patches;
};

// The images again, +0 where there is no whole patch.
struct UnpatchArgs {
  size_t size;
  PatchShape shape;
  const void* patches;
  void* image;
};

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_LAYOUT_KERNELS(K) \
  K(Copy, CopyArgs)               \
  K(CopyRows, CopyRowsArgs)       \
  K(Pad, PadArgs)                 \
  K(Crop, CropArgs)               \
  K(Patches, PatchesArgs)         \
  K(Unpatch, UnpatchArgs)

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_
