// Which kernel computes an operation.
#ifndef REPRO16_ENGINE_CPU_PROGRAM_MAKE_KERNEL_H_
#define REPRO16_ENGINE_CPU_PROGRAM_MAKE_KERNEL_H_

#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeKernel(const Graph& graph, const Op& op,
                                   const PrecisionPolicy& policy);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PROGRAM_MAKE_KERNEL_H_
