// Layer normalisation over the last axis. The formulas:
// engine/cpu/norm/layer_norm.h.
#ifndef REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_H_
#define REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"

namespace repro16::cuda {

// in: [..., L]. Training saves each row's mean and inv. Output may be the
// input's memory where no backward pass follows, dx that of dy always.
std::unique_ptr<Operation> MakeLayerNorm(const Shape& in,
                                         const LayerNormAttributes& attributes);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_NORM_LAYER_NORM_H_
