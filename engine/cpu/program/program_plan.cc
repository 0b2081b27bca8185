#include "engine/cpu/program/program_plan.h"

#include <algorithm>
#include <utility>

#include "engine/cpu/program/make_kernel.h"
#include "engine/graph/fuse.h"
#include "engine/graph/memory_plan.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {

ProgramMemory ProgramPlan::memory() const {
  ProgramMemory memory = layout.memory();
  memory.workspace = saved_bytes + workspace_bytes;
  return memory;
}

ProgramPlan PlanProgram(const Graph& graph, const PrecisionPolicy& policy,
                        const CompileOptions& options) {
  ProgramPlan plan;
  plan.simd_target = SelectedSimdTarget();
  plan.graph = options.keep_all_tensors ? graph : FuseActivations(graph);
  plan.layout = LayOutProgram(plan.graph, policy, options);
  for (const Op& op : plan.graph.ops) {
    auto kernel = MakeKernel(plan.graph, op, policy);
    plan.saved_offsets.push_back(plan.saved_bytes);
    plan.saved_bytes += AlignedBytes(kernel->SavedBytes(options.max_batch));
    plan.workspace_bytes = std::max(plan.workspace_bytes,
                                    kernel->WorkspaceBytes(options.max_batch));
    plan.kernels.push_back(std::move(kernel));
  }
  return plan;
}

}  // namespace repro16
