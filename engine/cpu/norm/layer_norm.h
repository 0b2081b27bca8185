// Layer normalisation over the last axis (Ba, Kiros and Hinton 2016, Layer
// Normalization).
//
// Input and output [..., L] of an example; a row is L values of the last axis,
// L at most kMaxRow (one chunk of the order of sums). Parameters gamma, beta:
// [L]. r() rounds to the type of the tensor that is stored; all else is f32,
// each operation as written, in this order. Sums over a row are chains from +0
// in order of the index: acc + x, or fma(a, b, acc) for a product; sums over
// rows have the order of engine/numerics/reduction.h.
//
// Forward: by row, with mean and biased variance of ComputeMoments,
//   inv = Rsqrt(variance + epsilon)
//   xhat = (x - mean) * inv
//   y = r(fma(xhat, gamma, beta))
//
// Backward: mean, inv and xhat again from x; g = dy * gamma; by row
//   s1 = sum_l g[l]      s2 = sum_l g[l] * xhat[l]
//   dx = r(inv * fma(-xhat, s2 / L, g - s1 / L))
// (the formula of engine/cpu/norm/batch_norm.h with gamma inside the sums), and
// over the rows of the batch
//   dgamma = r(sum dy * xhat)   (DotSum in f32)
//   dbeta = r(sum dy)           (RowSum)
#ifndef REPRO16_ENGINE_CPU_NORM_LAYER_NORM_H_
#define REPRO16_ENGINE_CPU_NORM_LAYER_NORM_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

// in: [..., L]. Output may be the input's memory where no backward pass
// follows, dx that of dy always.
std::unique_ptr<Kernel> MakeLayerNorm(const Shape& in,
                                      const LayerNormAttributes& attributes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_NORM_LAYER_NORM_H_
