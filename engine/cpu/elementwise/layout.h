// Operations that move values from one layout to another. Nothing is computed
// or rounded: a value keeps its bits. All tensors of an operation have one
// storage type.
#ifndef REPRO16_ENGINE_CPU_ELEMENTWISE_LAYOUT_H_
#define REPRO16_ENGINE_CPU_ELEMENTWISE_LAYOUT_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

// `in` and `out` are the shapes of one example.

// y [N, .., C0 + C1 + ..] = inputs [N, .., C0], [N, .., C1], .. side by side
// along the last axis; the gradients of the inputs that want one are the same
// pieces of dy.
std::unique_ptr<Kernel> MakeConcat(const Shape& out);

// y[n, h, w, c] = x[n, h - top, w - left, c], +0 outside x. The gradient is dy
// without the border.
std::unique_ptr<Kernel> MakeZeroPad(const Shape& in, const Shape& out,
                                    const PadAttributes& pad);

// y[n, h, w, c] = x[n, h, w, c - before], +0 outside x. The gradient is dy
// without the added channels.
std::unique_ptr<Kernel> MakePadChannels(const Shape& in, const Shape& out,
                                        const PadAttributes& pad);

// y[n, i * (W / s) + j, (p * s + q) * C + c] = x[n, i * s + p, j * s + q, c]
// for the H / s by W / s whole patches of s by s (quotients rounded down). The
// rows and columns of x beyond the last whole patch are dropped; their gradient
// is +0.
std::unique_ptr<Kernel> MakePatches(const Shape& in,
                                    const PatchAttributes& patches);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_ELEMENTWISE_LAYOUT_H_
