// The batched matrix products of multi-head attention.
// The formulas: engine/cpu/product/attention.h.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/operation_shapes.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeAttentionScores(const AttentionShape& shape,
                                               DType accumulator);
std::unique_ptr<Operation> MakeAttentionContext(const AttentionShape& shape,
                                                DType accumulator);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_
