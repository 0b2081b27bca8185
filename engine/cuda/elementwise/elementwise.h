// Operations in which each output element depends on one element of each input.
// The formulas: engine/cpu/elementwise/elementwise.h.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_H_

#include <cstdint>
#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeUnary(UnaryFunction function);
std::unique_ptr<Operation> MakeDropout(double rate, uint32_t stream);
std::unique_ptr<Operation> MakeScale(const ScaleAttributes& attributes);
std::unique_ptr<Operation> MakePositionEmbedding(const Shape& in);
// y = x, and dx = dy: flatten.
std::unique_ptr<Operation> MakeCopy();
std::unique_ptr<Operation> MakeAdd();

// sum = r(sum + term), one more contribution to a gradient.
void Accumulate(const PassContext& pass, const TensorRef& term,
                const TensorRef& sum);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_H_
