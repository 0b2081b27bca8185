#include "engine/graph/program_layout.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/memory_plan.h"
#include "engine/graph/storage_type.h"
#include "engine/graph/update_rule.h"

namespace repro16 {
namespace {

// Puts a tensor at the end of a block of `bytes`.
Placed Append(DType type, int64_t elements, int64_t& bytes) {
  const Placed placed = {bytes, type, elements};
  bytes += AlignedBytes(placed.Bytes(1));
  return placed;
}

void PlaceParameters(const Graph& graph, const PrecisionPolicy& policy,
                     const CompileOptions& options, ProgramLayout& layout) {
  const bool trains = options.optimizer.has_value() || options.keep_all_tensors;
  const int slots =
      options.optimizer.has_value() ? NumSlots(*options.optimizer) : 0;
  for (const Parameter& parameter : graph.parameters) {
    const int64_t elements = parameter.shape.NumElements();
    const int64_t trained = parameter.trainable() ? elements : 0;
    const auto type = [&](ParameterUse use) {
      return StorageType(policy, parameter.role, use);
    };
    ParameterLayout placed;
    placed.kept =
        Append(type(ParameterUse::kKept), elements, layout.kept_bytes);
    if (HasReadCopy(policy, parameter.role)) {
      placed.copy =
          Append(type(ParameterUse::kRead), elements, layout.copy_bytes);
    }
    placed.gradient = Append(type(ParameterUse::kGradient),
                             trains ? trained : 0, layout.gradient_bytes);
    layout.parameters.push_back(placed);
  }
  // One slot of all parameters after the other.
  for (int s = 0; s < slots; ++s) {
    for (size_t p = 0; p < graph.parameters.size(); ++p) {
      const Parameter& parameter = graph.parameters[p];
      layout.parameters[p].slots[static_cast<size_t>(s)] =
          Append(StorageType(policy, parameter.role, ParameterUse::kSlot),
                 parameter.trainable() ? parameter.shape.NumElements() : 0,
                 layout.slot_bytes);
    }
  }
}

// For each value, the one whose memory it takes over, through all takeovers. A
// value comes after the one that it takes over from.
std::vector<size_t> Owners(const std::vector<Value>& values) {
  std::vector<size_t> owners;
  for (const Value& value : values) {
    owners.push_back(value.shares == kNoValue
                         ? owners.size()
                         : owners[static_cast<size_t>(value.shares)]);
  }
  return owners;
}

// Places the values of a pass in an arena; returns its bytes.
int64_t PlaceValues(const Graph& graph, const PrecisionPolicy& policy,
                    const CompileOptions& options, PassLayout& pass) {
  const std::vector<Value>& values = pass.schedule.values;
  for (const Value& value : values) {
    pass.values.push_back({0, StorageType(graph, policy, value.tensor),
                           graph.tensors[value.tensor].shape.NumElements()});
  }
  const bool keep = options.keep_all_tensors;
  const std::vector<size_t> owners = Owners(values);
  std::vector<MemoryRequest> requests;
  for (size_t v = 0; v < values.size(); ++v) {
    const int64_t bytes = pass.values[v].Bytes(options.max_batch);
    if (keep) {
      requests.push_back(
          {bytes, 0, static_cast<int>(pass.schedule.steps.size())});
      continue;
    }
    const bool own = owners[v] == v && values[v].first_step >= 0;
    requests.push_back(
        {own ? bytes : 0, values[v].first_step, values[v].last_step});
    if (owners[v] != v) {
      int& last = requests[owners[v]].last_step;
      last = std::max(last, values[v].last_step);
    }
  }
  const MemoryPlan plan = PlanMemory(requests);
  for (size_t v = 0; v < values.size(); ++v) {
    pass.values[v].offset = plan.offsets[keep ? v : owners[v]];
  }
  return plan.arena_bytes;
}

// The operation that writes the tensor; "input".
const std::string& WriterOf(const Graph& graph, TensorId tensor) {
  for (const Op& op : graph.ops) {
    if (op.output == tensor) return op.name;
  }
  return graph.tensors[tensor].name;
}

class StoreLister {
 public:
  StoreLister(const Graph& graph, const ProgramLayout& layout, PassLayout& pass)
      : graph_(graph), layout_(layout), pass_(pass) {}

  void Run(bool has_optimizer) {
    for (size_t i = 0; i < pass_.schedule.steps.size(); ++i) {
      AddStep(static_cast<int>(i));
    }
    pass_.first_update_store = pass_.stores.size();
    if (has_optimizer) AddUpdate();
  }

 private:
  void Add(const StoreSite& site, std::string name) {
    pass_.stores.push_back(site);
    pass_.store_names.push_back(std::move(name));
  }

  // Where an activation is fused, the values that are rounded are those of the
  // operation before it; the gradients are those of the activation.
  void AddActivation(ValueId id) {
    Add({RoundingTotals::kActivations, pass_.CounterOfValue(id),
         /*per_example=*/true, pass_.values[id].elements},
        WriterOf(graph_, pass_.schedule.values[id].tensor));
  }

  void AddGradient(TensorId tensor, int counter) {
    Add({RoundingTotals::kActivationGradients, counter, /*per_example=*/true,
         graph_.tensors[tensor].shape.NumElements()},
        absl::StrCat("gradient of ", graph_.tensors[tensor].name));
  }

  void AddStep(int index) {
    const Step& step = pass_.schedule.steps[static_cast<size_t>(index)];
    const Op& op = graph_.ops[step.op];
    switch (step.kind) {
      case StepKind::kForward:
        if (!TraitsOf(op.kind).forward_moves) AddActivation(step.output);
        return;
      case StepKind::kAccumulate:
        AddGradient(step.summed, pass_.CounterOfSum(index));
        return;
      case StepKind::kBackward:
        break;
    }
    for (ParameterId id : op.parameters) {
      if (!graph_.parameters[id].trainable()) continue;
      Add({RoundingTotals::kWeightGradients, pass_.CounterOfGradient(id),
           /*per_example=*/false, layout_.parameters[id].gradient.elements},
          graph_.parameters[id].name + " gradient");
    }
    if (TraitsOf(op.kind).backward_moves) return;
    for (size_t i = 0; i < step.input_gradients.size(); ++i) {
      const ValueId id = step.input_gradients[i];
      if (id != kNoValue) AddGradient(op.inputs[i], pass_.CounterOfValue(id));
    }
  }

  void AddUpdate() {
    for (size_t p = 0; p < layout_.parameters.size(); ++p) {
      const ParameterLayout& placed = layout_.parameters[p];
      int64_t stored = placed.kept.elements + placed.copy.elements;
      for (const Placed& slot : placed.slots) stored += slot.elements;
      Add({RoundingTotals::kParameters,
           pass_.CounterOfParameter(static_cast<ParameterId>(p)),
           /*per_example=*/false, stored},
          graph_.parameters[p].name);
    }
  }

  const Graph& graph_;
  const ProgramLayout& layout_;
  PassLayout& pass_;
};

}  // namespace

ProgramLayout LayOutProgram(const Graph& graph, const PrecisionPolicy& policy,
                            const CompileOptions& options) {
  ProgramLayout layout;
  PlaceParameters(graph, policy, options, layout);
  if (options.optimizer.has_value() || options.keep_all_tensors) {
    layout.training.schedule =
        TrainingSchedule(graph, {options.input_gradient,
                                 /*keep_gradients=*/options.keep_all_tensors});
  }
  layout.evaluation.schedule = EvaluationSchedule(graph);
  for (PassLayout* pass : {&layout.training, &layout.evaluation}) {
    pass->num_parameters = static_cast<int>(graph.parameters.size());
    layout.arena_bytes = std::max(layout.arena_bytes,
                                  PlaceValues(graph, policy, options, *pass));
    StoreLister(graph, layout, *pass)
        .Run(pass == &layout.training && options.optimizer.has_value());
  }
  return layout;
}

BatchRecord NameRecord(const StepRecord& record, const PassLayout& pass,
                       absl::Span<const StoreCounter> counters) {
  BatchRecord named;
  named.loss = record.loss;
  named.examples = record.examples;
  named.correct = record.correct;
  named.rounding = record.rounding;
  named.skipped = record.skipped;
  named.loss_scale = record.loss_scale;
  if (record.first_non_finite != kNoSite) {
    named.first_non_finite =
        pass.store_names[static_cast<size_t>(record.first_non_finite)];
  }
  for (size_t i = 0; i < counters.size(); ++i) {
    const StoreSite& site = pass.stores[i];
    named.tensors.push_back({pass.store_names[i], site.kind,
                             site.Stored(record.examples), counters[i]});
  }
  return named;
}

}  // namespace repro16
