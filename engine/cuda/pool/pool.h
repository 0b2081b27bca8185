// Pooling over windows and whole images. The formulas: engine/cpu/pool/pool.h.
#ifndef REPRO16_ENGINE_CUDA_POOL_POOL_H_
#define REPRO16_ENGINE_CUDA_POOL_POOL_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"
#include "engine/graph/window.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeMaxPool(const ImageWindow& shape);

std::unique_ptr<Operation> MakeAveragePool(const ImageWindow& shape);

// in: [H, W, C].
std::unique_ptr<Operation> MakeGlobalAveragePool(const Shape& in);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_POOL_POOL_H_
