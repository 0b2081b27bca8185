#include "engine/cuda/program/program_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/cuda/program/make_operation.h"
#include "engine/graph/fuse.h"
#include "engine/graph/memory_plan.h"

namespace repro16::cuda {
namespace {

absl::Status CheckSizes(const Graph& graph, const CompileOptions& options) {
  if (options.max_batch < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_batch is ", options.max_batch, "; at least 1 is needed"));
  }
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.shape.NumElements() <= kMost / options.max_batch) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        tensor.name, " of ", options.max_batch, " examples has more than ",
        kMost, " elements; use smaller batches"));
  }
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.shape.NumElements() <= kMost) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(parameter.name, " has more than ", kMost, " elements"));
  }
  return absl::OkStatus();
}

}  // namespace

ProgramMemory ProgramPlan::memory() const {
  ProgramMemory memory = layout.memory();
  memory.workspace = saved_bytes + workspace_bytes;
  return memory;
}

absl::StatusOr<ProgramPlan> PlanProgram(const Graph& graph,
                                        const PrecisionPolicy& policy,
                                        const CompileOptions& options) {
  if (absl::Status status = CheckSizes(graph, options); !status.ok()) {
    return status;
  }
  ProgramPlan plan;
  plan.graph = options.keep_all_tensors ? graph : FuseActivations(graph);
  plan.layout = LayOutProgram(plan.graph, policy, options);
  for (const Op& op : plan.graph.ops) {
    auto operation = MakeOperation(plan.graph, op, policy);
    plan.saved_offsets.push_back(plan.saved_bytes);
    plan.saved_bytes += AlignedBytes(operation->SavedBytes(options.max_batch));
    plan.workspace_bytes = std::max(
        plan.workspace_bytes, operation->WorkspaceBytes(options.max_batch));
    plan.operations.push_back(std::move(operation));
  }
  return plan;
}

}  // namespace repro16::cuda
