// What a program is before it takes any memory.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_PLAN_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_PLAN_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/cuda/operation.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/graph/program_layout.h"
#include "engine/numerics/policy.h"

namespace repro16::cuda {

struct ProgramPlan {
  Graph graph;                                         // with fused operations
  std::vector<std::unique_ptr<Operation>> operations;  // by OpId
  ProgramLayout layout;
  std::vector<int64_t> saved_offsets;  // by operation, in a block of
  int64_t saved_bytes = 0;             // Operation::SavedBytes
  int64_t workspace_bytes = 0;         // of the operation that needs most

  ProgramMemory memory() const;
};

// InvalidArgument where a tensor of a whole batch, or a parameter, has 2^31 -
// 1024 elements or more: kernels count with 32 bits.
absl::StatusOr<ProgramPlan> PlanProgram(const Graph& graph,
                                        const PrecisionPolicy& policy,
                                        const CompileOptions& options);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_PLAN_H_
