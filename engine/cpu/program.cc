#include "engine/cpu/program.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "engine/cpu/device_buffer.h"
#include "engine/cpu/elementwise.h"
#include "engine/cpu/fuse.h"
#include "engine/cpu/visit_dtype.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {
CpuProgram::CpuProgram(const Graph& graph, const PrecisionPolicy& policy,
                       const CompileOptions& options, ThreadPool* pool)
    : graph_(options.keep_all_tensors ? graph : FuseActivations(graph)),
      policy_(policy),
      options_(options),
      pool_(pool),
      state_(InitialUpdateState(policy.dynamic_loss_scale)) {
  for (const Op& op : graph_.ops) {
    kernels_.push_back(MakeKernel(graph_, op, policy_));
    if (options_.time_operations) {
      operation_times_.push_back({op.name, op.kind});
    }
  }
  PlaceParameters();
  PlaceSaved();
  PlaceTensors();
  PlaceScratch();
}

absl::Status CpuProgram::SetInputTable(const std::array<double, 256>& table) {
  const DType type = policy_.activation;
  for (size_t i = 0; i < table.size(); ++i) {
    StoreAsType(table[i], type, input_table_.data() + i * SizeOf(type));
  }
  return absl::OkStatus();
}

absl::Status CpuProgram::CheckPass(int64_t batch, bool trains) const {
  if (batch < 1 || batch > options_.max_batch) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch of ", batch, " examples; the program was compiled for 1 to ",
        options_.max_batch));
  }
  if (trains && training_.values.empty()) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  return absl::OkStatus();
}

absl::Status CpuProgram::CheckBatch(const BatchSource& source, int64_t first,
                                    int64_t batch, bool trains) const {
  if (absl::Status status = CheckPass(batch, trains); !status.ok()) {
    return status;
  }
  if (graph_.loss == kNoTensor) {
    return absl::FailedPreconditionError("the graph has no loss");
  }
  const int64_t pixels = graph_.tensors[graph_.input].shape.NumElements();
  if (source.images->bytes() != source.labels->bytes() * pixels) {
    return absl::InvalidArgumentError(
        absl::StrCat(source.labels->bytes(), " labels do not go with ",
                     source.images->bytes(), " bytes of images"));
  }
  const int64_t count =
      source.order != nullptr
          ? source.order->bytes() / static_cast<int64_t>(sizeof(int32_t))
          : source.labels->bytes();
  if (first < 0 || first + batch > count) {
    return absl::OutOfRangeError(absl::StrCat(
        "examples ", first, " to ", first + batch, " of a source of ", count));
  }
  return absl::OkStatus();
}

void CpuProgram::Gather(const Bound& bound, const BatchSource& source,
                        int64_t first, int64_t batch) {
  const TensorRef& input = bound.values[graph_.input];
  const uint8_t* images = HostData(*source.images);
  const uint8_t* labels = HostData(*source.labels);
  const auto* order =
      source.order != nullptr
          ? reinterpret_cast<const int32_t*>(HostData(*source.order))
          : nullptr;
  VisitDType(input.type, [&](auto tag) {
    using T = decltype(tag);
    const auto* table = reinterpret_cast<const T*>(input_table_.data());
    pool_->Run(batch, [&](int64_t i, int /*worker*/) {
      const int64_t example = order != nullptr ? order[first + i] : first + i;
      const uint8_t* pixels = images + example * input.elements;
      T* to = static_cast<T*>(input.data) + i * input.elements;
      for (int64_t p = 0; p < input.elements; ++p) to[p] = table[pixels[p]];
      labels_[static_cast<size_t>(i)] = labels[example];
    });
  });
}

PassContext CpuProgram::Pass(int64_t batch, bool training) {
  PassContext pass;
  pass.pool = pool_;
  pass.workspace = workspace_.data();
  pass.batch = batch;
  pass.training = training;
  pass.step = step_;
  pass.seed = options_.seed;
  pass.labels = labels_.data();
  pass.loss_scale = state_.loss_scale;
  pass.correct = &correct_;
  return pass;
}

void CpuProgram::RunSteps(Bound& bound, int begin, int end,
                          const PassContext& pass) {
  if (operation_times_.empty()) {
    for (int i = begin; i < end; ++i) RunStep(bound, i, pass);
    return;
  }
  using Clock = std::chrono::steady_clock;
  Clock::time_point last = Clock::now();
  for (int i = begin; i < end; ++i) {
    RunStep(bound, i, pass);
    const Step& step = bound.schedule.steps[i];
    OperationTime& time = operation_times_[step.op];
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last).count();
    (step.kind == StepKind::kForward ? time.forward : time.backward) += seconds;
    last = now;
  }
}

void CpuProgram::RunStep(Bound& bound, int index, const PassContext& pass) {
  const Step& step = bound.schedule.steps[index];
  const OpBuffers& buffers = bound.buffers[index];
  switch (step.kind) {
    case StepKind::kForward:
      kernels_[step.op]->Forward(buffers, pass);
      break;
    case StepKind::kBackward:
      kernels_[step.op]->Backward(buffers, pass);
      break;
    case StepKind::kAccumulate: {
      const TensorRef& sum = buffers.input_gradients[0];
      Accumulate(pass, sum.type, pass.batch * sum.elements,
                 buffers.output_gradient.data, sum.data,
                 bound.sum_counters[index]);
      break;
    }
  }
}

void CpuProgram::ResetCounters() {
  for (auto* counters : {&training_.value_counters, &training_.sum_counters,
                         &evaluation_.value_counters, &parameter_counters_,
                         &gradient_counters_}) {
    std::fill(counters->begin(), counters->end(), StoreCounter{});
  }
  correct_ = 0;
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
    const size_t p = static_cast<size_t>(task.parameter);
    UpdateArgs args{};
    args.n = task.n;
    args.type = slots_[0][p].type;
    args.weights = at(parameters_[p], task.begin);
    for (int s = 0; s < 2; ++s) args.slots[s] = at(slots_[s][p], task.begin);
    args.gradients = at(gradients_[p], task.begin);
    args.gradient_type = gradients_[p].type;
    if (HasCopy(p)) {
      args.rounded_weights = at(read_parameters_[p], task.begin);
    }
    const Parameter& parameter = graph_.parameters[p];
    StoreCounter counter;
    repro16::Update(args,
                    parameter.role == ParameterRole::kWeight
                        ? weight_constants
                        : batch_norm_constants,
                    parameter.l2, counter);
    task_counters_[static_cast<size_t>(i)] = counter;
  });
  for (size_t i = 0; i < update_tasks_.size(); ++i) {
    parameter_counters_[static_cast<size_t>(update_tasks_[i].parameter)] +=
        task_counters_[i];
  }
}

float CpuProgram::MeanLoss(const Bound& bound, int64_t batch) const {
  const auto* losses =
      static_cast<const float*>(bound.values[graph_.loss].data);
  RowSum sum;
  for (int64_t i = 0; i < batch; ++i) sum.AddTerm(losses[i]);
  return sum.Total() / static_cast<float>(batch);
}

BatchRecord CpuProgram::Record(const Bound& bound, int64_t batch) const {
  BatchRecord record;
  record.loss = MeanLoss(bound, batch);
  record.examples = batch;
  record.correct = correct_;
  record.loss_scale = state_.loss_scale;
  for (const Store& store : bound.stores) {
    const auto stored =
        static_cast<uint64_t>(store.elements * (store.per_example ? batch : 1));
    record.rounding.counters[store.kind] += *store.counter;
    record.rounding.stored[store.kind] += stored;
    if (options_.record_tensors) {
      record.tensors.push_back(
          {store.name, store.kind, stored, *store.counter});
    }
    if (record.first_non_finite.empty() &&
        store.counter->infinite + store.counter->nan > 0) {
      record.first_non_finite = store.name;
    }
  }
  return record;
}

void CpuProgram::AddParameterCounts(BatchRecord& record) const {
  for (size_t p = 0; p < parameters_.size(); ++p) {
    // The parameter, its slots, and in MP the copy that operations read.
    const int stores =
        1 +
        (graph_.parameters[p].trainable() ? NumSlots(*options_.optimizer) : 0) +
        (HasCopy(p) ? 1 : 0);
    const StoreCounter& counter = parameter_counters_[p];
    record.rounding.counters[RoundingTotals::kParameters] += counter;
    const auto stored = static_cast<uint64_t>(parameters_[p].elements * stores);
    record.rounding.stored[RoundingTotals::kParameters] += stored;
    if (options_.record_tensors) {
      record.tensors.push_back({graph_.parameters[p].name,
                                RoundingTotals::kParameters, stored, counter});
    }
    if (record.first_non_finite.empty() && counter.infinite + counter.nan > 0) {
      record.first_non_finite = graph_.parameters[p].name;
    }
  }
}

absl::Status CpuProgram::TrainStep(const BatchSource& source, int64_t first,
                                   int64_t batch, int64_t step,
                                   Stream& stream) {
  if (absl::Status status = CheckBatch(source, first, batch, /*trains=*/true);
      !status.ok()) {
    return status;
  }
  ResetCounters();
  step_ = step;
  Gather(training_, source, first, batch);
  const auto end = static_cast<int>(training_.schedule.steps.size());
  RunSteps(training_, 0, end, Pass(batch, /*training=*/true));
  last_pass_ = &training_;

  BatchRecord record = Record(training_, batch);
  const StoreCounter& gradients =
      record.rounding.counters[RoundingTotals::kWeightGradients];
  // The update still sees the state of this step.
  const UpdateState next =
      AfterStep(state_, policy_.dynamic_loss_scale,
                /*finite=*/gradients.infinite + gradients.nan == 0);
  record.skipped = next.skipped;
  if (!record.skipped) {
    if (absl::Status status = Update(stream); !status.ok()) return status;
    AddParameterCounts(record);
  }
  state_ = next;
  records_.push_back(std::move(record));
  return absl::OkStatus();
}

absl::Status CpuProgram::EvaluateBatch(const BatchSource& source, int64_t first,
                                       int64_t batch,
                                       DeviceBuffer* probabilities,
                                       Stream& /*stream*/) {
  if (absl::Status status = CheckBatch(source, first, batch, /*trains=*/false);
      !status.ok()) {
    return status;
  }
  ResetCounters();
  Gather(evaluation_, source, first, batch);
  const auto end = static_cast<int>(evaluation_.schedule.steps.size());
  RunSteps(evaluation_, 0, end, Pass(batch, /*training=*/false));
  last_pass_ = &evaluation_;
  if (probabilities != nullptr) {
    const TensorRef& p = evaluation_.values[graph_.probabilities];
    const int64_t offset = p.Bytes(first);
    if (offset + p.Bytes(batch) > probabilities->bytes()) {
      return absl::OutOfRangeError("the buffer of probabilities is too small");
    }
    std::memcpy(HostData(*probabilities) + offset, p.data,
                static_cast<size_t>(p.Bytes(batch)));
  }
  records_.push_back(Record(evaluation_, batch));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<BatchRecord>> CpuProgram::TakeRecords(
    Stream& stream) {
  if (absl::Status status = stream.Synchronize(); !status.ok()) return status;
  std::vector<BatchRecord> records = std::move(records_);
  records_.clear();
  records_.reserve(records.capacity());
  return records;
}

absl::Status CpuProgram::Forward(int64_t batch, bool training,
                                 Stream& /*stream*/) {
  if (absl::Status status = CheckPass(batch, training); !status.ok()) {
    return status;
  }
  ResetCounters();
  Bound& bound = training ? training_ : evaluation_;
  RunSteps(bound, 0, bound.schedule.first_backward_step, Pass(batch, training));
  last_pass_ = &bound;
  return absl::OkStatus();
}

absl::Status CpuProgram::Backward(int64_t batch, Stream& /*stream*/) {
  if (absl::Status status = CheckPass(batch, /*trains=*/true); !status.ok()) {
    return status;
  }
  RunSteps(training_, training_.schedule.first_backward_step,
           static_cast<int>(training_.schedule.steps.size()),
           Pass(batch, /*training=*/true));
  return absl::OkStatus();
}

absl::Status CpuProgram::Update(Stream& /*stream*/) {
  if (!options_.optimizer.has_value()) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  ApplyUpdate();
  ++state_.updates;
  return absl::OkStatus();
}

}  // namespace repro16
