// Which operation of the device computes an operation of a graph.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_MAKE_OPERATION_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_MAKE_OPERATION_H_

#include <memory>

#include "engine/cuda/operation.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeOperation(const Graph& graph, const Op& op,
                                         const PrecisionPolicy& policy);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_MAKE_OPERATION_H_
