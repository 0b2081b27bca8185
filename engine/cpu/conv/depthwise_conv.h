// DepthwiseConv2D: one filter a channel.
#ifndef REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_H_
#define REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/window.h"

namespace repro16 {

// x [N, H, W, C], w [KH, KW, C, 1], optional b [C], y [N, OH, OW, C]; x, y and
// their gradients have one storage type, w and b may have others. With s the
// stride, (t, l) the padding above and to the left, r() the rounding to the
// storage type of what is stored, and sums as DotSum takes them
// (engine/numerics/reduction.h) with `accumulator`:
//
//   y[n, h, v, c]   = r( sum_{i, j} x[n, s h - t + i, s v - l + j, c] *
//                                   w[i, j, c, 0] + b[c] )
//   dx[n, p, q, c]  = r( sum_{i, j} dy[n, (p + t - i) / s, (q + l - j) / s, c]
//                                   * w[i, j, c, 0] )
//   dw[i, j, c, 0]  = r( sum_{n, h, v} x[n, s h - t + i, s v - l + j, c] *
//                                      dy[n, h, v, c] )
//   db[c]           = r( sum_{n, h, v} dy[n, h, v, c] )   (RowSum, in f32)
//
// Terms are ordered as the indices under the sum are written. What falls
// outside x, or between outputs, is no term and yet a position; sum and bias
// are one operation, rounded once.
std::unique_ptr<Kernel> MakeDepthwiseConv2D(const ImageWindow& shape,
                                            DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_DEPTHWISE_CONV_H_
