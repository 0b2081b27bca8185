// A program's memory on the device, taken once, when it is compiled.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/cuda/program/program.h"
#include "engine/graph/update_rule.h"

namespace repro16::cuda {
namespace {

// Records that wait on the device before they are fetched.
constexpr int kRecords = 1024;
constexpr int kRecordsWithTensors = 64;

// The constants of a parameter's update: weights have those of the policy's
// update, batch normalisation's own parameters those of their type.
UpdateRule RuleOf(const OptimizerSpec& optimizer, DType type,
                  DType learning_rate_type) {
  return {ConstantsOf(optimizer, type, learning_rate_type, /*step=*/0,
                      /*loss_scale=*/1),
          type, optimizer.adam().beta_1(), optimizer.adam().beta_2()};
}

}  // namespace

CudaProgram::CudaProgram(ProgramPlan plan, const PrecisionPolicy& policy,
                         const CompileOptions& options, Runtime* runtime)
    : plan_(std::move(plan)),
      graph_(plan_.graph),
      policy_(policy),
      options_(options),
      runtime_(runtime),
      kernels_(runtime->kernels()) {
  if (options_.time_operations) {
    for (const Op& op : graph_.ops) {
      operation_times_.push_back({op.name, op.kind});
    }
  }
}

absl::StatusOr<std::unique_ptr<Program>> CudaProgram::Create(
    ProgramPlan plan, const PrecisionPolicy& policy,
    const CompileOptions& options, Runtime* runtime) {
  const absl::StatusOr<int64_t> free = runtime->FreeBytes();
  if (!free.ok()) return free.status();
  const int64_t wanted = plan.memory().Total();
  if (wanted > *free) {
    return absl::ResourceExhaustedError(absl::StrCat(
        "the network needs ", wanted >> 20, " MiB of the GPU's memory, and ",
        *free >> 20, " MiB are free; use smaller batches"));
  }
  std::unique_ptr<CudaProgram> program(
      new CudaProgram(std::move(plan), policy, options, runtime));
  if (absl::Status status = program->TakeMemory(); !status.ok()) return status;
  return program;
}

absl::StatusOr<uint8_t*> CudaProgram::Take(int64_t bytes) {
  absl::StatusOr<DeviceMemory> memory =
      DeviceMemory::Allocate(*runtime_, bytes);
  if (!memory.ok()) return memory.status();
  memory_.push_back(*std::move(memory));
  return memory_.back().data();
}

template <class T>
absl::StatusOr<T*> CudaProgram::TakeCopy(const std::vector<T>& host) {
  const auto bytes = static_cast<int64_t>(host.size() * sizeof(T));
  absl::StatusOr<uint8_t*> memory = Take(bytes);
  if (!memory.ok()) return memory.status();
  const absl::Status status = runtime_->CopyIn(*memory, host.data(), bytes);
  if (!status.ok()) return status;
  return reinterpret_cast<T*>(*memory);
}

absl::Status CudaProgram::TakeMemory() {
  absl::StatusOr<std::unique_ptr<DeviceStream>> stream =
      runtime_->CreateStream();
  if (!stream.ok()) return stream.status();
  stream_ = *std::move(stream);
  absl::Status status = TakeBlocks();
  if (status.ok()) status = TakeRecordMemory();
  if (status.ok()) status = BindPasses();
  if (status.ok() && options_.optimizer.has_value()) status = PrepareUpdate();
  return status.ok() ? stream_->Synchronize() : status;
}

absl::Status CudaProgram::TakeBlocks() {
  const ProgramLayout& layout = plan_.layout;
  struct Block {
    uint8_t** to;
    int64_t bytes;
    bool zero;  // where a pass or a reader could see what was never written
  };
  const Block blocks[] = {
      {&blocks_.arena, layout.arena_bytes, false},
      {&blocks_.kept, layout.kept_bytes, true},
      {&blocks_.copies, layout.copy_bytes, true},
      {&blocks_.gradients, layout.gradient_bytes, true},
      {&blocks_.slots, layout.slot_bytes, true},
      {&saved_, plan_.saved_bytes, false},
      {&workspace_, plan_.workspace_bytes, false},
      {&input_table_, 256 * static_cast<int64_t>(SizeOf(policy_.activation)),
       true},
      {&labels_, options_.max_batch, true},
  };
  for (const Block& block : blocks) {
    const absl::StatusOr<uint8_t*> memory = Take(block.bytes);
    if (!memory.ok()) return memory.status();
    *block.to = *memory;
    if (block.zero) stream_->Clear(*memory, block.bytes);
  }
  parameters_ = BindParameters(layout, blocks_);
  return absl::OkStatus();
}

absl::Status CudaProgram::TakeRecordMemory() {
  StepState initial;
  initial.update = InitialUpdateState(policy_.dynamic_loss_scale);
  const absl::StatusOr<StepState*> state =
      TakeCopy(std::vector<StepState>{initial});
  if (!state.ok()) return state.status();
  state_ = *state;
  record_capacity_ = options_.record_tensors ? kRecordsWithTensors : kRecords;
  const absl::StatusOr<StepRecord*> records =
      TakeCopy(std::vector<StepRecord>(static_cast<size_t>(record_capacity_)));
  if (!records.ok()) return records.status();
  records_ = *records;
  if (!options_.record_tensors) return absl::OkStatus();
  record_sites_ =
      static_cast<int>(std::max(plan_.layout.training.stores.size(),
                                plan_.layout.evaluation.stores.size()));
  const absl::StatusOr<uint8_t*> counters =
      Take(static_cast<int64_t>(sizeof(StoreCounter)) * record_capacity_ *
           record_sites_);
  if (!counters.ok()) return counters.status();
  record_counters_ = reinterpret_cast<StoreCounter*>(*counters);
  return absl::OkStatus();
}

absl::Status CudaProgram::BindPasses() {
  for (const bool training : {true, false}) {
    const PassLayout& layout =
        training ? plan_.layout.training : plan_.layout.evaluation;
    DevicePass& pass = training ? training_ : evaluation_;
    const absl::StatusOr<StoreSite*> sites = TakeCopy(layout.stores);
    if (!sites.ok()) return sites.status();
    pass.sites = *sites;
    const absl::StatusOr<uint8_t*> counters = Take(
        layout.num_counters() * static_cast<int64_t>(sizeof(StoreCounter)));
    if (!counters.ok()) return counters.status();
    BindOptions bind{
        blocks_.arena, reinterpret_cast<StoreCounter*>(*counters), {}, nullptr};
    if (training) {
      for (int64_t offset : plan_.saved_offsets) {
        bind.saved.push_back(saved_ + offset);
      }
    }
    if (!options_.keep_all_tensors) {
      bind.adds_to_gradient = [this](OpId op) {
        return plan_.operations[static_cast<size_t>(op)]->AddsToGradient();
      };
    }
    pass.bound = BindPass(graph_, layout, parameters_, bind);
    ClearCounters(pass);
  }
  return absl::OkStatus();
}

absl::Status CudaProgram::PrepareUpdate() {
  const std::vector<UpdateRule> rules = {
      RuleOf(*options_.optimizer, policy_.update, policy_.update),
      RuleOf(*options_.optimizer, policy_.batch_norm, policy_.update)};
  std::vector<UpdatedParameter> updated;
  std::vector<UpdateTask> tasks;
  for (size_t p = 0; p < parameters_.size(); ++p) {
    const BoundParameter& bound = parameters_[p];
    if (bound.gradient.elements == 0) continue;
    const Parameter& parameter = graph_.parameters[p];
    UpdatedParameter of{};
    of.type = bound.kept.type;
    of.gradient_type = bound.gradient.type;
    of.has_l2 = parameter.l2 != 0;
    of.l2_factor = L2Factor(parameter.l2, of.type);
    of.rule = parameter.role == ParameterRole::kWeight ? 0 : 1;
    of.weights = bound.kept.data;
    of.slots[0] = bound.slots[0].data;
    of.slots[1] = bound.slots[1].data;
    of.gradient = bound.gradient.data;
    if (bound.read.data != bound.kept.data) {
      of.copy = bound.read.data;
      of.copy_type = bound.read.type;
    }
    of.elements = bound.kept.elements;
    of.counter =
        training_.bound.counters +
        training_.layout().CounterOfParameter(static_cast<ParameterId>(p));
    for (int64_t begin = 0; begin < of.elements; begin += kUpdateElements) {
      tasks.push_back({static_cast<int>(updated.size()), begin});
    }
    updated.push_back(of);
  }
  const absl::StatusOr<UpdateRule*> device_rules = TakeCopy(rules);
  const absl::StatusOr<UpdatedParameter*> device_updated = TakeCopy(updated);
  const absl::StatusOr<UpdateTask*> device_tasks = TakeCopy(tasks);
  for (const absl::Status& status :
       {device_rules.status(), device_updated.status(),
        device_tasks.status()}) {
    if (!status.ok()) return status;
  }
  rules_ = *device_rules;
  num_rules_ = static_cast<int>(rules.size());
  update_ = {rules_, *device_updated, *device_tasks,
             static_cast<int>(tasks.size()), /*step=*/nullptr};
  return absl::OkStatus();
}

}  // namespace repro16::cuda
