// Operations in which each output element depends on one element of each input.
#ifndef REPRO16_ENGINE_CPU_ELEMENTWISE_ELEMENTWISE_H_
#define REPRO16_ENGINE_CPU_ELEMENTWISE_ELEMENTWISE_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"
#include "engine/graph/operation_shapes.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeUnary(UnaryFunction function);

// Training: an element is kept where its uniform draw is at least `rate` and
// multiplied by r(1 / (1 - rate)), r rounding to the storage type; else it is
// +0. The gradient likewise. Draws come from the dropout stream at (element of
// the batch, step, `stream`), so the mask is not stored. Inference: the
// identity.
std::unique_ptr<Kernel> MakeDropout(double rate, uint32_t stream);

// y = x * r(factor), dx = dy * r(factor), r rounding to the storage type.
std::unique_ptr<Kernel> MakeScale(const ScaleAttributes& attributes);

// Parameter e, in the activation type. y[n, i] = x[n, i] + e[i]; dx is a copy
// of dy; de[i] = r(sum_n dy[n, i]), in the order of RowSum
// (engine/numerics/reduction.h).
std::unique_ptr<Kernel> MakePositionEmbedding(const Shape& in);

// y = x, and dx = dy: flatten.
std::unique_ptr<Kernel> MakeCopy();

// y = a + b; both gradients are copies of dy.
std::unique_ptr<Kernel> MakeAdd();

// sum = r(sum + term) over n elements of one storage type: one more
// contribution to a gradient.
void Accumulate(const PassContext& pass, DType type, int64_t n,
                const void* term, void* sum, StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_ELEMENTWISE_ELEMENTWISE_H_
