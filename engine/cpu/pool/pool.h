// Pooling over windows and whole images.
//
// x and dx are [N, H, W, C], y and dy [N, OH, OW, C], all of one storage type;
// r() rounds to it. A window is the inputs that WindowAttributes gives an
// output; padding is left out of it. Chains start at +0 and add in f32.
#ifndef REPRO16_ENGINE_CPU_POOL_POOL_H_
#define REPRO16_ENGINE_CPU_POOL_POOL_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/window.h"

namespace repro16 {

// y is the largest value of its window, +0 above -0, and NaN if the window has
// one; nothing is rounded.
//
// The backward pass reads x and y. The gradient of an output goes to the first
// input, by row and column, that equals it (zeros of either sign are equal; of
// a NaN: to the first NaN):
//
//   dx[n, p, q, c] = r( sum_{h, v} dy[n, h, v, c] )
//
// over the outputs whose gradient goes to (p, q), one chain in ascending
// (h, v).
std::unique_ptr<Kernel> MakeMaxPool(const ImageWindow& shape);

// With m(h, v) the number of inputs in a window:
//
//   y[n, h, v, c]  = r( sum_{p, q} x[n, p, q, c] / m(h, v) )
//   dx[n, p, q, c] = r( sum_{h, v} dy[n, h, v, c] / m(h, v) )
//
// over the inputs of the window, and over the outputs whose windows have
// (p, q), each one chain in ascending order. The first divides a sum, the
// second sums quotients; divisions are IEEE operations in f32.
std::unique_ptr<Kernel> MakeAveragePool(const ImageWindow& shape);

// in: [H, W, C]; y and dy are [N, C].
//
//   y[n, c]        = r( sum_{p, q} x[n, p, q, c] / (H W) )   (RowSum)
//   dx[n, p, q, c] = r( dy[n, c] / (H W) )
std::unique_ptr<Kernel> MakeGlobalAveragePool(const Shape& in);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_POOL_POOL_H_
