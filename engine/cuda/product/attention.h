// The batched matrix products of multi-head attention.
// The formulas: engine/cpu/product/attention.h.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_

#include <cstdint>
#include <memory>

#include "engine/cuda/operation.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

struct AttentionShape {
  int64_t tokens;
  int64_t heads;
  int64_t key_size;
};

std::unique_ptr<Operation> MakeAttentionScores(const AttentionShape& shape,
                                               DType accumulator);
std::unique_ptr<Operation> MakeAttentionContext(const AttentionShape& shape,
                                                DType accumulator);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_ATTENTION_H_
