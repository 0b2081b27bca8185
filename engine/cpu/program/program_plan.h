// What a program is before it takes any memory.
#ifndef REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_PLAN_H_
#define REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_PLAN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/graph/program_layout.h"
#include "engine/numerics/policy.h"

namespace repro16 {

struct ProgramPlan {
  Graph graph;                                   // with fused operations
  std::vector<std::unique_ptr<Kernel>> kernels;  // by operation
  ProgramLayout layout;
  std::vector<int64_t> saved_offsets;  // by operation, in a block of
  int64_t saved_bytes = 0;             // Kernel::SavedBytes
  int64_t workspace_bytes = 0;         // of the kernel that needs most
  // Workspaces are sized for this instruction set.
  std::string simd_target;

  ProgramMemory memory() const;
};

ProgramPlan PlanProgram(const Graph& graph, const PrecisionPolicy& policy,
                        const CompileOptions& options);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PROGRAM_PROGRAM_PLAN_H_
