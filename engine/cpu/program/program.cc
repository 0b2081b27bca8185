#include "engine/cpu/program/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/cpu/elementwise/elementwise.h"
#include "engine/cpu/elementwise/optimizer.h"
#include "engine/cpu/program/device_buffer.h"
#include "engine/graph/pass_check.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {

absl::Status CpuProgram::SetInputTable(const std::array<double, 256>& table) {
  const DType type = policy_.activation;
  for (size_t i = 0; i < table.size(); ++i) {
    StoreAsType(table[i], type, input_table_.data() + i * SizeOf(type));
  }
  return absl::OkStatus();
}

absl::Status CpuProgram::CheckTarget() const {
  const std::string target = SelectedSimdTarget();
  if (target == plan_.simd_target) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the program was compiled for ", plan_.simd_target,
      ", and the process has selected ", target, "; compile it again"));
}

absl::Status CpuProgram::CheckReady(int64_t batch, bool trains) const {
  const absl::Status status = CheckTarget();
  return status.ok() ? CheckPass(options_, batch, trains) : status;
}

absl::Status CpuProgram::CheckReadyFor(const BatchSource& source, int64_t first,
                                       int64_t batch, bool trains) const {
  const absl::Status status = CheckTarget();
  return status.ok()
             ? CheckBatch(graph_, options_, source, first, batch, trains)
             : status;
}

absl::Status CpuProgram::Gather(const BoundPass& pass,
                                const BatchSource& source, int64_t first,
                                int64_t batch) {
  const TensorRef& input = pass.values[graph_.input];
  const uint8_t* images = HostData(*source.images);
  const uint8_t* labels = HostData(*source.labels);
  const uint8_t* order =
      source.order != nullptr ? HostData(*source.order) : nullptr;
  if (images == nullptr || labels == nullptr ||
      (source.order != nullptr && order == nullptr)) {
    return absl::InvalidArgumentError(
        "a buffer of the batch's source is another backend's");
  }
  const SourceLabels named = {
      {labels, static_cast<size_t>(source.labels->bytes())}, order};
  const absl::Status status = ForEachExample(
      named, graph_.tensors[graph_.output].shape.NumElements(), first, batch,
      [&](int64_t i, int64_t example, uint8_t label) {
        examples_[static_cast<size_t>(i)] = example;
        labels_[static_cast<size_t>(i)] = label;
      });
  if (!status.ok()) return status;
  VisitDType(input.type, [&](auto tag) {
    using T = decltype(tag);
    const auto* table = reinterpret_cast<const T*>(input_table_.data());
    pool_->Run(batch, [&](int64_t i, int /*worker*/) {
      const uint8_t* pixels =
          images + examples_[static_cast<size_t>(i)] * input.elements;
      T* to = static_cast<T*>(input.data) + i * input.elements;
      for (int64_t p = 0; p < input.elements; ++p) to[p] = table[pixels[p]];
    });
  });
  return absl::OkStatus();
}

PassContext CpuProgram::Context(int64_t batch, bool training) {
  PassContext context;
  context.pool = pool_;
  context.workspace = workspace_.data();
  context.batch = batch;
  context.training = training;
  context.step = step_;
  context.seed = options_.seed;
  context.labels = labels_.data();
  context.loss_scale = state_.loss_scale;
  context.correct = &correct_;
  return context;
}

void CpuProgram::RunSteps(BoundPass& pass, int begin, int end,
                          const PassContext& context) {
  if (operation_times_.empty()) {
    for (int i = begin; i < end; ++i) RunStep(pass, i, context);
    return;
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::now();
  for (int i = begin; i < end; ++i) {
    RunStep(pass, i, context);
    const Step& step = pass.layout->schedule.steps[static_cast<size_t>(i)];
    OperationTime& time = operation_times_[static_cast<size_t>(step.op)];
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last).count();
    (step.kind == StepKind::kForward ? time.forward : time.backward) += seconds;
    last = now;
  }
}

void CpuProgram::RunStep(BoundPass& pass, int index,
                         const PassContext& context) {
  const Step& step = pass.layout->schedule.steps[static_cast<size_t>(index)];
  const OpBuffers& buffers = pass.buffers[static_cast<size_t>(index)];
  const Kernel& kernel = *plan_.kernels[static_cast<size_t>(step.op)];
  switch (step.kind) {
    case StepKind::kForward:
      kernel.Forward(buffers, context);
      break;
    case StepKind::kBackward:
      kernel.Backward(buffers, context);
      break;
    case StepKind::kAccumulate: {
      const TensorRef& sum = buffers.input_gradients[0];
      if (sum.data == nullptr) break;  // added where it was computed
      Accumulate(context, sum.type, context.batch * sum.elements,
                 buffers.output_gradient.data, sum.data, *sum.counter);
      break;
    }
  }
}

void CpuProgram::BeginPass(BoundPass& pass) {
  std::fill_n(pass.counters, pass.layout->num_counters(), StoreCounter{});
  correct_ = 0;
  last_pass_ = &pass;
}

void CpuProgram::ApplyUpdate() {
  const auto constants_for = [&](DType type) {
    return ConstantsOf(*options_.optimizer, type, policy_.update,
                       state_.updates, state_.loss_scale);
  };
  const UpdateConstants weight_constants = constants_for(policy_.update);
  const UpdateConstants batch_norm_constants =
      constants_for(policy_.batch_norm);
  const auto at = [](const TensorRef& ref, int64_t i) -> void* {
    if (ref.data == nullptr) return nullptr;
    return static_cast<uint8_t*>(ref.data) +
           i * static_cast<int64_t>(SizeOf(ref.type));
  };
  const auto tasks = static_cast<int64_t>(update_tasks_.size());
  pool_->Run(tasks, [&](int64_t i, int /*worker*/) {
    const UpdateTask& task = update_tasks_[static_cast<size_t>(i)];
    const BoundParameter& bound = parameters_[task.parameter];
    UpdateArgs args{};
    args.n = task.n;
    args.type = bound.kept.type;
    args.weights = at(bound.kept, task.begin);
    for (int s = 0; s < 2; ++s) args.slots[s] = at(bound.slots[s], task.begin);
    args.gradients = at(bound.gradient, task.begin);
    args.gradient_type = bound.gradient.type;
    if (bound.read.data != bound.kept.data) {
      args.copy = at(bound.read, task.begin);
      args.copy_type = bound.read.type;
    }
    const Parameter& parameter = graph_.parameters[task.parameter];
    StoreCounter counter;
    repro16::Update(args,
                    parameter.role == ParameterRole::kWeight
                        ? weight_constants
                        : batch_norm_constants,
                    parameter.l2, counter);
    task_counters_[static_cast<size_t>(i)] = counter;
  });
  for (size_t i = 0; i < update_tasks_.size(); ++i) {
    const int counter =
        training_.layout->CounterOfParameter(update_tasks_[i].parameter);
    training_.counters[static_cast<size_t>(counter)] += task_counters_[i];
  }
}

float CpuProgram::MeanLoss(const BoundPass& pass, int64_t batch) const {
  const auto* losses = static_cast<const float*>(pass.values[graph_.loss].data);
  RowSum sum;
  for (int64_t i = 0; i < batch; ++i) sum.AddTerm(losses[i]);
  return sum.Total() / static_cast<float>(batch);
}

StepRecord CpuProgram::Record(const BoundPass& pass, int64_t batch) const {
  StepRecord record;
  record.training = &pass == &training_;
  record.loss = MeanLoss(pass, batch);
  record.examples = batch;
  record.correct = correct_;
  record.loss_scale = state_.loss_scale;
  AddSites(pass.layout->stores.data(), 0,
           static_cast<int>(pass.layout->first_update_store), pass.counters,
           record);
  return record;
}

void CpuProgram::Keep(const StepRecord& record) {
  records_.push_back(record);
  if (!options_.record_tensors) return;
  const BoundPass& pass = record.training ? training_ : evaluation_;
  const size_t sites = record.skipped ? pass.layout->first_update_store
                                      : pass.layout->stores.size();
  std::vector<StoreCounter> counters;
  for (size_t i = 0; i < sites; ++i) {
    counters.push_back(
        pass.counters[static_cast<size_t>(pass.layout->stores[i].counter)]);
  }
  recorded_counters_.push_back(std::move(counters));
}

absl::Status CpuProgram::TrainStep(const BatchSource& source, int64_t first,
                                   int64_t batch, int64_t step) {
  absl::Status status = CheckReadyFor(source, first, batch, /*trains=*/true);
  if (status.ok()) status = Gather(training_, source, first, batch);
  if (!status.ok()) return status;
  BeginPass(training_);
  step_ = step;
  const PassLayout& layout = *training_.layout;
  RunSteps(training_, 0, static_cast<int>(layout.schedule.steps.size()),
           Context(batch, /*training=*/true));

  StepRecord record = Record(training_, batch);
  const StoreCounter& gradients =
      record.rounding.counters[RoundingTotals::kWeightGradients];
  // The update still sees the state of this step.
  const UpdateState next =
      AfterStep(state_, policy_.dynamic_loss_scale,
                /*finite=*/gradients.infinite + gradients.nan == 0);
  record.skipped = next.skipped;
  if (!record.skipped) {
    ApplyUpdate();
    AddSites(layout.stores.data(), static_cast<int>(layout.first_update_store),
             static_cast<int>(layout.stores.size()), training_.counters,
             record);
  }
  state_ = next;
  Keep(record);
  return absl::OkStatus();
}

absl::Status CpuProgram::EvaluateBatch(const BatchSource& source, int64_t first,
                                       int64_t batch,
                                       DeviceBuffer* probabilities) {
  absl::Status status = CheckReadyFor(source, first, batch, /*trains=*/false);
  if (!status.ok()) return status;
  uint8_t* rows = nullptr;
  if (probabilities != nullptr) {
    const TensorRef& p = evaluation_.values[graph_.probabilities];
    rows = HostData(*probabilities);
    if (rows == nullptr || p.Bytes(first + batch) > probabilities->bytes()) {
      return absl::OutOfRangeError(
          "the buffer of probabilities is too small, or another backend's");
    }
    rows += p.Bytes(first);
  }
  status = Gather(evaluation_, source, first, batch);
  if (!status.ok()) return status;
  BeginPass(evaluation_);
  RunSteps(evaluation_, 0,
           static_cast<int>(evaluation_.layout->schedule.steps.size()),
           Context(batch, /*training=*/false));
  if (rows != nullptr) {
    const TensorRef& p = evaluation_.values[graph_.probabilities];
    std::memcpy(rows, p.data, static_cast<size_t>(p.Bytes(batch)));
  }
  Keep(Record(evaluation_, batch));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BatchRecord>> CpuProgram::TakeRecords() {
  std::vector<BatchRecord> named;
  named.reserve(records_.size());
  for (size_t i = 0; i < records_.size(); ++i) {
    const BoundPass& pass = records_[i].training ? training_ : evaluation_;
    named.push_back(NameRecord(records_[i], *pass.layout,
                               options_.record_tensors
                                   ? absl::MakeConstSpan(recorded_counters_[i])
                                   : absl::Span<const StoreCounter>()));
  }
  records_.clear();
  recorded_counters_.clear();
  return named;
}

absl::Status CpuProgram::Forward(int64_t batch, bool training) {
  if (absl::Status status = CheckReady(batch, training); !status.ok()) {
    return status;
  }
  BoundPass& pass = training ? training_ : evaluation_;
  const TensorRef& input = pass.values[graph_.input];
  const auto wanted = static_cast<size_t>(input.Bytes(batch));
  if (input_.size() < wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat("the input has ", input_.size(), " bytes, and a batch of ",
                     batch, " needs ", wanted, "; call WriteInput"));
  }
  std::memcpy(input.data, input_.data(), wanted);
  BeginPass(pass);
  RunSteps(pass, 0, pass.layout->schedule.first_backward_step,
           Context(batch, training));
  return absl::OkStatus();
}

absl::Status CpuProgram::Backward(int64_t batch) {
  if (absl::Status status = CheckReady(batch, /*trains=*/true); !status.ok()) {
    return status;
  }
  const Schedule& schedule = training_.layout->schedule;
  RunSteps(training_, schedule.first_backward_step,
           static_cast<int>(schedule.steps.size()),
           Context(batch, /*training=*/true));
  return absl::OkStatus();
}

absl::Status CpuProgram::Update() {
  if (!options_.optimizer.has_value()) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  ApplyUpdate();
  ++state_.updates;
  return absl::OkStatus();
}

}  // namespace repro16
