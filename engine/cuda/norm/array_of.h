// A parameter, or its gradient, for a kernel.
#ifndef REPRO16_ENGINE_CUDA_NORM_ARRAY_OF_H_
#define REPRO16_ENGINE_CUDA_NORM_ARRAY_OF_H_

#include "engine/cuda/sums/channel_array.h"
#include "engine/graph/binding.h"

namespace repro16::cuda {

inline ChannelArray ArrayOf(const TensorRef& tensor) {
  return {tensor.data, tensor.type, tensor.counter};
}

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_NORM_ARRAY_OF_H_
