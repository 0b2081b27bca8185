// Batch normalisation, with or without the activation after it. The formulas:
// engine/cpu/norm/batch_norm.h.
#ifndef REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_

#include <cstdint>

#include "engine/cuda/sums/channel_array.h"
#include "engine/graph/fused_activation.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_BATCH_NORM_KERNELS(K)             \
  K(BatchNormStatistics, BatchNormStatisticsArgs) \
  K(MovingStatistics, MovingStatisticsArgs)       \
  K(BatchNormForward, BatchNormForwardArgs)       \
  K(BatchNormSums, BatchNormSumsArgs)             \
  K(BatchNormGradient, BatchNormGradientArgs)

namespace repro16 {

// x [rows, channels], and what is known of the channels: gamma and beta as
// stored, mean and inv in f32.
struct BatchNormInput {
  DType type;  // of the tensors by element: x, y, dy, dx
  FusedActivation activation;
  const void* x;
  int64_t rows;
  int64_t channels;
  ChannelArray gamma;
  ChannelArray beta;
  float* mean;
  float* inv;
};

// From x: mean, inv, and the moving statistics, which follow them
// (MovedStatistic in engine/graph/moving_average.h) at a rate of MovingRate.
struct BatchNormStatisticsArgs {
  BatchNormInput in;
  float epsilon;
  float moving_rows;  // the moving variance follows squares / moving_rows
  float rate;
  ChannelArray moving_mean;
  ChannelArray moving_variance;
  float* workspace;  // ChunkSumBytes of one sum (engine/cuda/sums)
};

// mean and inv from the moving statistics.
struct MovingStatisticsArgs {
  BatchNormInput in;
  float epsilon;
  ChannelArray moving_mean;
  ChannelArray moving_variance;
};

// y = act(r(fma(x - mean, gamma * inv, beta))), counted before the activation.
// y may be x.
struct BatchNormForwardArgs {
  BatchNormInput in;
  void* y;
  StoreCounter* counter;
};

// From s1 and s2: the gradients of gamma and beta, and what that of an element
// needs, s1 / n and k = (s2 / n) * (inv * inv).
struct BatchNormSumsArgs {
  BatchNormInput in;
  const void* dy;
  ChannelArray gamma_gradient;
  ChannelArray beta_gradient;
  float* mean_gradient;
  float* slope;
  float* workspace;  // ChunkSumBytes of two sums
};

// dx = r(scale * fma(-(x - mean), k, dz - s1 / n)), or, where sum_counter is
// not null, dx = r(dx + r(the same)): the inner rounding is `counter`'s, the
// outer one sum_counter's. dx may be dy.
struct BatchNormGradientArgs {
  BatchNormInput in;
  const void* dy;
  const float* mean_gradient;
  const float* slope;
  void* dx;
  StoreCounter* counter;
  StoreCounter* sum_counter;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_
