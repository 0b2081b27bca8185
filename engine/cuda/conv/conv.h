// Conv2D with its bias.
// The formulas: engine/cpu/conv/conv.h.
#ifndef REPRO16_ENGINE_CUDA_CONV_CONV_H_
#define REPRO16_ENGINE_CUDA_CONV_CONV_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/window.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeConv2D(const ImageWindow& shape,
                                      DType accumulator);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_CONV_CONV_H_
