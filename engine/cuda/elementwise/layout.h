// Operations that move values from one layout to another. The formulas:
// engine/cpu/elementwise/layout.h.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_H_

#include <cstdint>
#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeConcat(const Shape& out);
std::unique_ptr<Operation> MakeZeroPad(const Shape& in, const Shape& out,
                                       const PadAttributes& pad);
std::unique_ptr<Operation> MakePadChannels(const Shape& in, const Shape& out,
                                           const PadAttributes& pad);
std::unique_ptr<Operation> MakePatches(const Shape& in,
                                       const PatchAttributes& patches);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_H_
