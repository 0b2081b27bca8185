// Batch normalisation, alone or with the activation after it. The formulas:
// engine/cpu/norm/batch_norm.h.
#ifndef REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_H_
#define REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"

namespace repro16::cuda {

// in: [C] or [H, W, C]. Training saves mean and inv. Output may be the input's
// memory where no backward pass follows, dx that of dy always.
std::unique_ptr<Operation> MakeBatchNorm(const Shape& in,
                                         const BatchNormAttributes& attributes);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_H_
