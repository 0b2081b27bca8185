// Conv2D: one operation with its bias, rounded once.
//
//   y[n, oy, ox, o] = r( sum_(kr, kc, i) x[n, iy, ix, i] * w[kr, kc, i, o]
//                        + b[o] ),
//   iy = oy * stride - pad_top + kr, ix = ox * stride - pad_left + kc.
//
// x [N, in_height, in_width, in_channels], w [height, width, in_channels,
// out_channels], b [out_channels] (optional), y [N, out_height, out_width,
// out_channels]; taps outside of x contribute no term. Gradients, each rounded
// once:
//
//   dx[n, iy, ix, i] = r( sum_(kr, kc, o) dy[n, oy, ox, o] * w[kr, kc, i, o] ),
//   dw[kr, kc, i, o] = r( sum_(n, oy, ox) x[n, iy, ix, i] * dy[n, oy, ox, o] ),
//   db[o] = r( sum_(n, oy, ox) dy[n, oy, ox, o] )   (RowSum, in f32).
//
// Sums run in the order of engine/numerics/reduction.h, over the indices as
// written here, whatever the threads, the instruction set and the block sizes.
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_H_

#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/window.h"

namespace repro16 {

// Parameters are w and, where the operation has a bias, b. `accumulator` as in
// PrecisionPolicy.
std::unique_ptr<Kernel> MakeConv2D(const ImageWindow& shape, DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_H_
