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

// Kernels count elements with 32 bits, and the last block of a launch counts
// on past the last element, by less than the most threads a block can have.
constexpr int64_t kMostThreads = 1024;
constexpr int64_t kMostElements =
    std::numeric_limits<int32_t>::max() - kMostThreads;

absl::Status CheckSizes(const Graph& graph, const CompileOptions& options) {
  if (options.max_batch < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "max_batch is ", options.max_batch, "; at least 1 is needed"));
  }
  for (const Tensor& tensor : graph.tensors) {
    if (tensor.shape.NumElements() <= kMostElements / options.max_batch) {
      continue;
    }
    return absl::InvalidArgumentError(absl::StrCat(
        tensor.name, " of ", options.max_batch, " examples has more than ",
        kMostElements, " elements; use smaller batches"));
  }
  for (const Parameter& parameter : graph.parameters) {
    if (parameter.shape.NumElements() <= kMostElements) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        parameter.name, " has more than ", kMostElements, " elements"));
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
