// A program's memory, taken once, when it is compiled.
#include <algorithm>
#include <utility>

#include "engine/cpu/program/program.h"

namespace repro16 {

CpuProgram::CpuProgram(ProgramPlan plan, const PrecisionPolicy& policy,
                       const CompileOptions& options, ThreadPool* pool)
    : plan_(std::move(plan)),
      graph_(plan_.graph),
      policy_(policy),
      options_(options),
      pool_(pool),
      arena_(plan_.layout.arena_bytes),
      kept_(plan_.layout.kept_bytes),
      copies_(plan_.layout.copy_bytes),
      gradients_(plan_.layout.gradient_bytes),
      slots_(plan_.layout.slot_bytes),
      workspace_(plan_.workspace_bytes),
      saved_(plan_.saved_bytes),
      input_table_(256 * static_cast<int64_t>(SizeOf(policy.activation))),
      parameters_(BindParameters(plan_.layout,
                                 {arena_.data(), kept_.data(), copies_.data(),
                                  gradients_.data(), slots_.data()})),
      training_(Bind(plan_.layout.training, training_counters_)),
      evaluation_(Bind(plan_.layout.evaluation, evaluation_counters_)),
      examples_(static_cast<size_t>(options.max_batch)),
      labels_(static_cast<size_t>(options.max_batch)),
      state_(InitialUpdateState(policy.dynamic_loss_scale)) {
  if (options_.time_operations) {
    for (const Op& op : graph_.ops) {
      operation_times_.push_back({op.name, op.kind});
    }
  }
  ListUpdateTasks();
}

BoundPass CpuProgram::Bind(const PassLayout& layout,
                           std::vector<StoreCounter>& counters) {
  counters.resize(static_cast<size_t>(layout.num_counters()));
  BindOptions bind{arena_.data(), counters.data(), {}, nullptr};
  if (&layout == &plan_.layout.training) {
    for (int64_t offset : plan_.saved_offsets) {
      bind.saved.push_back(saved_.data() + offset);
    }
  }
  if (!options_.keep_all_tensors) {
    bind.adds_to_gradient = [this](OpId op) {
      return plan_.kernels[static_cast<size_t>(op)]->AddsToGradient();
    };
  }
  return BindPass(graph_, layout, parameters_, bind);
}

void CpuProgram::ListUpdateTasks() {
  for (size_t p = 0; p < parameters_.size(); ++p) {
    const int64_t elements = parameters_[p].gradient.elements;
    for (int64_t begin = 0; begin < elements; begin += kElementsPerTask) {
      update_tasks_.push_back({static_cast<ParameterId>(p), begin,
                               std::min(kElementsPerTask, elements - begin)});
    }
  }
  task_counters_.resize(update_tasks_.size());
}

}  // namespace repro16
