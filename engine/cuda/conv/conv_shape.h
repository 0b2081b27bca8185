// A window over images, as the kernels of convolutions take it.
#ifndef REPRO16_ENGINE_CUDA_CONV_CONV_SHAPE_H_
#define REPRO16_ENGINE_CUDA_CONV_CONV_SHAPE_H_

#include <cstdint>

#include "engine/cuda/product/product_kernels.h"
#include "engine/graph/window.h"

namespace repro16::cuda {

inline ConvShape ConvShapeOf(const ImageWindow& shape, int64_t batch) {
  const WindowAttributes& window = shape.window;
  return {batch,
          shape.in_height,
          shape.in_width,
          shape.in_channels,
          shape.out_height,
          shape.out_width,
          shape.out_channels,
          window.height,
          window.width,
          window.stride,
          window.pad_top,
          window.pad_left};
}

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_CONV_CONV_SHAPE_H_
