// Layer normalisation. The formulas: engine/cpu/norm/layer_norm.h.
#ifndef REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_KERNELS_H_

#include <cstdint>

#include "engine/cuda/sums/channel_array.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_LAYER_NORM_KERNELS(K)                   \
  K(LayerNormForward, LayerNormForwardArgs)             \
  K(LayerNormParameterGradients, LayerNormGradientArgs) \
  K(LayerNormGradient, LayerNormGradientArgs)

namespace repro16 {

// x [rows, columns], at most kReductionChunk columns.
struct LayerNormInput {
  DType type;  // of x, y, dy, dx
  const void* x;
  int64_t rows;
  int64_t columns;
  ChannelArray gamma;  // by column
  float* mean;         // by row, f32
  float* inv;
};

// y = r(fma((x - mean) * inv, gamma, beta)); y may be x. Leaves mean and inv,
// unless they are null.
struct LayerNormForwardArgs {
  LayerNormInput in;
  ChannelArray beta;
  float epsilon;
  void* y;
  StoreCounter* counter;
};

// With mean and inv from the forward pass. ParameterGradients: the gradients of
// gamma and beta. Gradient: dx, which may be dy, so that it comes after them.
struct LayerNormGradientArgs {
  LayerNormInput in;
  const void* dy;
  ChannelArray gamma_gradient;
  ChannelArray beta_gradient;
  float* workspace;  // ChunkSumBytes of two sums (engine/cuda/sums)
  void* dx;
  StoreCounter* counter;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_KERNELS_H_
