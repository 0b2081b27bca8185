// Softmax, and softmax with cross entropy as one operation from logits. The
// formulas: engine/cpu/elementwise/softmax.h.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_H_

#include <cstdint>
#include <memory>

#include "engine/cuda/operation.h"

namespace repro16::cuda {

// Over rows of `cols` elements, at most kMaxRow. Output may be the input's
// memory, dx that of dy.
std::unique_ptr<Operation> MakeSoftmax(int64_t cols);

// PassContext::labels must be below the number of classes. Forward adds to
// PassContext::step's `correct`, Backward reads its loss scale.
std::unique_ptr<Operation> MakeSoftmaxCrossEntropy();

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_H_
