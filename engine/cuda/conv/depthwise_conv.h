// DepthwiseConv2D: one filter a channel.
// The formulas: engine/cpu/conv/depthwise_conv.h.
#ifndef REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_CONV_H_
#define REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_CONV_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/window.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeDepthwiseConv2D(const ImageWindow& shape,
                                               DType accumulator);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_CONV_H_
