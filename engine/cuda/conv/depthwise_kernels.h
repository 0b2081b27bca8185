// Depthwise convolutions: one filter a channel. The formulas:
// engine/cpu/conv/depthwise_conv.h.
#ifndef REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_
#define REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_

#include <algorithm>
#include <cstdint>

#include "engine/cuda/product/product_kernels.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_DEPTHWISE_KERNELS(K)       \
  K(DepthwiseForward, DepthwiseArgs)       \
  K(DepthwiseInputGradient, DepthwiseArgs) \
  K(DepthwiseWeightGradient, DepthwiseArgs)

namespace repro16 {

// The operands of
//   DepthwiseForward         x and w, with a bias or none,
//   DepthwiseInputGradient   dy and w,
//   DepthwiseWeightGradient  x and dy.
// All tensors have one storage type; in_channels is out_channels.
struct DepthwiseArgs {
  ConvShape shape;
  DType type;
  DType accumulator;  // kF32, or kF16 where the type is f16
  const void* a;
  const void* b;
  const void* bias;  // or null
  void* y;
  StoreCounter* counter;
  // Of the gradient of weights: for at least two chunk sums of each, if there
  // are two chunks.
  float* workspace;
  int64_t workspace_bytes;
};

// What the gradient of the weights works with; with less, but for two chunk
// sums of each weight, it takes more passes.
inline int64_t DepthwiseWorkspaceBytes(const ConvShape& shape) {
  const int64_t bytes =
      shape.window() * shape.out_channels * static_cast<int64_t>(sizeof(float));
  const int64_t chunks = ReductionChunks(shape.out_pixels());
  return bytes *
         std::min(chunks, std::max<int64_t>(2, kMaxChunkSumBytes / bytes));
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_
