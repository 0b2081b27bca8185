// What the kernels of a depthwise convolution are told.
#ifndef REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_ARGS_H_
#define REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_ARGS_H_

#include <cstdint>

#include "engine/graph/window.h"
#include "engine/numerics/reduction.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Channels of a task of the weight gradient: a few cache lines of each pixel.
inline constexpr int64_t kTaskChannels = 64;

// out[n, i, j, c] = r( sum over rows[i] and cols[j] of
//                      source[n, row.source, col.source, c] *
//                      weights[row.k * kernel_width + col.k, c] + bias[c] ):
// the forward pass, and the gradient of x, where taps reach back (`reversed`).
struct DepthwiseFilter {
  const WindowTaps* rows;
  const WindowTaps* cols;
  int64_t kernel_height;
  int64_t kernel_width;
  int64_t stride;
  bool reversed;
  DType accumulator;
  int64_t source_height;
  int64_t source_width;
  int64_t channels;
  int64_t weight_stride;  // of `weights`, in elements
  const float* weights;   // [taps, weight_stride]
  const float* bias;      // [weight_stride], or null
  const void* source;
  void* out;
  DType type;  // of source and out

  int64_t chunks() const {
    return (kernel_height * kernel_width + kReductionChunk - 1) /
           kReductionChunk;
  }
};

// dw[tap, c] = the sum over outputs of x * dy.
struct DepthwiseWeightGradient {
  const WindowTaps* rows;  // of outputs
  const WindowTaps* cols;
  int64_t kernel_height;
  int64_t kernel_width;
  int64_t stride;
  DType accumulator;
  int64_t in_height;
  int64_t in_width;
  int64_t channels;
  int64_t outputs;  // examples * rows * columns
  const void* x;
  const void* dy;
  DType type;  // of x and dy
  int64_t sum_stride;
  float* sums;  // ChunkSums of width taps * sum_stride
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_ARGS_H_
