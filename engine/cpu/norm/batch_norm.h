// Batch normalisation (Ioffe and Szegedy 2015, Batch Normalization:
// Accelerating Deep Network Training by Reducing Internal Covariate Shift),
// alone or with the activation after it.
//
// Input and output [C] or [H, W, C] of an example; a row is the C channels of
// one position, and the n rows of a batch stand in the order (example, row,
// column). Parameters gamma, beta, moving mean, moving variance: [C] each, of
// whatever type their TensorRef names. r() rounds to the type of the tensor
// that is stored; all else is f32, each operation as written, in this order.
// Sums over rows have the order of engine/numerics/reduction.h.
//
// Forward, training: by channel, with mean and squares of ComputeMoments,
//   inv = Rsqrt(squares / n + epsilon)      scale = gamma * inv
//   y = r(fma(x - mean, scale, beta))
// and the moving statistics, s <- batch statistic b,
//   s = r(s - r(r(s - r(b)) * r(1 - momentum)))
// where 1 - momentum is taken in f64. As in Keras 2.15, the moving variance
// follows squares / (n - 1) for [H, W, C] and squares / n for [C]; it becomes
// NaN where n - 1 is 0 and squares too.
// Forward, inference: the moving statistics in place of mean and squares / n.
//
// Backward, with s1 = sum_i dz[i], s2 = sum_i dz[i] * (x[i] - mean) (RowSum,
// DotSum in f32): section 3 of the paper, where dl/dvariance and dl/dmean are
// put into dl/dx and the terms gathered, as
//   dx = gamma * inv * (dz - s1 / n - (x - mean) * inv^2 * s2 / n)
// which is computed as
//   k = (s2 / n) * (inv * inv)
//   dx = r(scale * fma(-(x - mean), k, dz - s1 / n))
//   dbeta = r(s1)      dgamma = r(s2 * inv)
//
// A fused activation gives the bits of the operations one after the other: the
// value is rounded, counted as a store of the normalisation, then selected by
// ReLU or ReLU6. Backward computes y = r(fma(x - mean, scale, beta)) again, and
// dz is dy where 0 < y (and y < 6), else 0. Without one dz is dy.
#ifndef REPRO16_ENGINE_CPU_NORM_BATCH_NORM_H_
#define REPRO16_ENGINE_CPU_NORM_BATCH_NORM_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

// in: [C] or [H, W, C]. Training saves mean and inv. Output may be the input's
// memory where no backward pass follows, dx that of dy always.
std::unique_ptr<Kernel> MakeBatchNorm(const Shape& in,
                                      const BatchNormAttributes& attributes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_NORM_BATCH_NORM_H_
