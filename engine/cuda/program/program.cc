#include "engine/cuda/program/program.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/cuda/elementwise/elementwise.h"
#include "engine/graph/pass_check.h"
#include "engine/numerics/round_to_type.h"

namespace repro16::cuda {
namespace {

// Batches of a run have two or three sizes, and its sources are few.
constexpr size_t kMostRecordedWork = 32;

absl::Status AnotherBackends() {
  return absl::InvalidArgumentError(
      "a buffer of the batch's source is another backend's");
}

}  // namespace

absl::Status CudaProgram::SetInputTable(const std::array<double, 256>& table) {
  const DType type = policy_.activation;
  std::vector<uint8_t> stored(table.size() * SizeOf(type));
  for (size_t i = 0; i < table.size(); ++i) {
    StoreAsType(table[i], type, stored.data() + i * SizeOf(type));
  }
  return runtime_->CopyIn(input_table_, stored.data(),
                          static_cast<int64_t>(stored.size()));
}

absl::StatusOr<CudaProgram::Source> CudaProgram::Check(
    const BatchSource& source, int64_t first, int64_t batch,
    bool trains) const {
  absl::Status status =
      CheckBatch(graph_, options_, source, first, batch, trains);
  if (!status.ok()) return status;
  const CudaDeviceBuffer* images = BufferOf(*runtime_, *source.images);
  const CudaDeviceBuffer* labels = BufferOf(*runtime_, *source.labels);
  const CudaDeviceBuffer* order =
      source.order != nullptr ? BufferOf(*runtime_, *source.order) : nullptr;
  if (images == nullptr || labels == nullptr ||
      (source.order != nullptr && order == nullptr)) {
    return AnotherBackends();
  }
  const absl::StatusOr<const uint8_t*> known_labels = labels->HostCopy();
  if (!known_labels.ok()) return known_labels.status();
  SourceLabels known = {{*known_labels, static_cast<size_t>(labels->bytes())}};
  if (order != nullptr) {
    const absl::StatusOr<const uint8_t*> known_order = order->HostCopy();
    if (!known_order.ok()) return known_order.status();
    known.order = *known_order;
  }
  status = ForEachExample(
      known, graph_.tensors[graph_.output].shape.NumElements(), first, batch,
      [](int64_t /*i*/, int64_t /*example*/, uint8_t /*label*/) {});
  if (!status.ok()) return status;
  return Source{images->data(), labels->data(),
                order != nullptr
                    ? reinterpret_cast<const uint32_t*>(order->data())
                    : nullptr};
}

PassContext CudaProgram::Context(int64_t batch, bool training) {
  return {kernels_, *stream_,      workspace_, batch,
          training, options_.seed, state_,     labels_};
}

void CudaProgram::RunSteps(const DevicePass& pass, int begin, int end,
                           int64_t batch) {
  const PassContext context = Context(batch, &pass == &training_);
  if (operation_times_.empty()) {
    for (int i = begin; i < end; ++i) RunStep(pass, i, context);
    return;
  }
  using Clock = std::chrono::steady_clock;
  stream_->Synchronize().IgnoreError();  // told by who waits for the pass
  Clock::time_point last = Clock::now();
  for (int i = begin; i < end; ++i) {
    RunStep(pass, i, context);
    stream_->Synchronize().IgnoreError();
    const Step& step = pass.layout().schedule.steps[static_cast<size_t>(i)];
    OperationTime& time = operation_times_[static_cast<size_t>(step.op)];
    const Clock::time_point now = Clock::now();
    const double seconds = std::chrono::duration<double>(now - last).count();
    (step.kind == StepKind::kForward ? time.forward : time.backward) += seconds;
    last = now;
  }
}

void CudaProgram::RunStep(const DevicePass& pass, int index,
                          const PassContext& context) {
  const Step& step = pass.layout().schedule.steps[static_cast<size_t>(index)];
  const OpBuffers& buffers = pass.bound.buffers[static_cast<size_t>(index)];
  const Operation& operation = *plan_.operations[static_cast<size_t>(step.op)];
  switch (step.kind) {
    case StepKind::kForward:
      operation.Forward(buffers, context);
      break;
    case StepKind::kBackward:
      operation.Backward(buffers, context);
      break;
    case StepKind::kAccumulate: {
      const TensorRef& sum = buffers.input_gradients[0];
      if (sum.data == nullptr) break;  // added where it was computed
      Accumulate(context, buffers.output_gradient, sum);
      break;
    }
  }
}

void CudaProgram::ClearCounters(const DevicePass& pass) {
  stream_->Clear(pass.bound.counters,
                 pass.layout().num_counters() *
                     static_cast<int64_t>(sizeof(StoreCounter)));
}

void CudaProgram::EnqueuePass(const DevicePass& pass, const Source& source,
                              int64_t batch) {
  const PassLayout& layout = pass.layout();
  const TensorRef& input = pass.bound.values[graph_.input];
  ClearCounters(pass);
  kernels_.Gather(
      {input.type, batch, input.elements, state_, source.images, source.labels,
       source.order, input_table_, input.data, labels_},
      *stream_);
  RunSteps(pass, 0, static_cast<int>(layout.schedule.steps.size()), batch);
}

void CudaProgram::EnqueueUpdate(const StepState* step) {
  UpdateParametersArgs update = update_;
  update.step = step;
  kernels_.UpdateParameters(update, *stream_);
}

void CudaProgram::EnqueueEndOfPass(const DevicePass& pass, int64_t batch) {
  kernels_.EndPass(
      {/*training=*/&pass == &training_, policy_.dynamic_loss_scale, batch,
       static_cast<const float*>(pass.bound.values[graph_.loss].data),
       pass.sites, static_cast<int>(pass.layout().first_update_store),
       pass.bound.counters, state_, records_},
      *stream_);
}

void CudaProgram::KeepCounters(const DevicePass& pass) {
  if (record_sites_ == 0) return;
  kernels_.KeepCounters(
      {pass.sites, static_cast<int>(pass.layout().stores.size()),
       pass.bound.counters, state_, record_counters_, record_sites_},
      *stream_);
}

void CudaProgram::EnqueueTrainStep(const Source& source, int64_t batch) {
  EnqueuePass(training_, source, batch);
  // With the state of this step; the end of the pass leaves that of the next.
  kernels_.BeginUpdate({rules_, num_rules_, state_}, *stream_);
  EnqueueEndOfPass(training_, batch);
  EnqueueUpdate(state_);
  const PassLayout& layout = training_.layout();
  kernels_.EndUpdate(
      {training_.sites, static_cast<int>(layout.first_update_store),
       static_cast<int>(layout.stores.size()), training_.bound.counters, state_,
       records_},
      *stream_);
  KeepCounters(training_);
}

void CudaProgram::EnqueueEvaluation(const Source& source, int64_t batch,
                                    uint8_t* probabilities) {
  EnqueuePass(evaluation_, source, batch);
  EnqueueEndOfPass(evaluation_, batch);
  KeepCounters(evaluation_);
  if (probabilities == nullptr) return;
  const TensorRef& p = evaluation_.bound.values[graph_.probabilities];
  CopyRowsArgs rows{};
  rows.size = SizeOf(p.type);
  rows.rows = batch;
  rows.columns = rows.from_stride = rows.to_stride = p.elements;
  rows.from = p.data;
  rows.to = probabilities;
  rows.step = state_;
  kernels_.CopyRows(rows, *stream_);
}

absl::Status CudaProgram::Run(const WorkKey& key,
                              const std::function<void()>& enqueue) {
  if (!operation_times_.empty()) {
    enqueue();
    return absl::OkStatus();
  }
  auto found = recorded_.find(key);
  if (found == recorded_.end()) {
    if (recorded_.size() == kMostRecordedWork) {
      if (absl::Status status = stream_->Synchronize(); !status.ok()) {
        return status;
      }
      recorded_.clear();
    }
    absl::Status status = stream_->BeginRecording();
    if (!status.ok()) return status;
    enqueue();
    absl::StatusOr<std::unique_ptr<RecordedWork>> work =
        stream_->EndRecording();
    if (!work.ok()) return work.status();
    found = recorded_.emplace(key, *std::move(work)).first;
  }
  stream_->Replay(*found->second);
  return absl::OkStatus();
}

absl::Status CudaProgram::BeginRecord(int64_t first, int64_t step) {
  if (waiting_records_ == record_capacity_) {
    if (absl::Status status = FetchRecords(); !status.ok()) return status;
  }
  kernels_.BeginPass({state_, first, step, waiting_records_}, *stream_);
  ++waiting_records_;
  return absl::OkStatus();
}

absl::Status CudaProgram::TrainStep(const BatchSource& source, int64_t first,
                                    int64_t batch, int64_t step) {
  const absl::StatusOr<Source> checked =
      Check(source, first, batch, /*trains=*/true);
  if (!checked.ok()) return checked.status();
  absl::Status status = BeginRecord(first, step);
  if (!status.ok()) return status;
  last_pass_ = &training_;
  return Run({/*training=*/true, batch, checked->images, checked->labels,
              checked->order, nullptr},
             [&] { EnqueueTrainStep(*checked, batch); });
}

absl::Status CudaProgram::EvaluateBatch(const BatchSource& source,
                                        int64_t first, int64_t batch,
                                        DeviceBuffer* probabilities) {
  const absl::StatusOr<Source> checked =
      Check(source, first, batch, /*trains=*/false);
  if (!checked.ok()) return checked.status();
  uint8_t* rows = nullptr;
  if (probabilities != nullptr) {
    const CudaDeviceBuffer* buffer = BufferOf(*runtime_, *probabilities);
    const TensorRef& p = evaluation_.bound.values[graph_.probabilities];
    if (buffer == nullptr || p.Bytes(first + batch) > buffer->bytes()) {
      return absl::OutOfRangeError(
          "the buffer of probabilities is too small, or another backend's");
    }
    rows = buffer->data();
  }
  absl::Status status = BeginRecord(first, /*step=*/0);
  if (!status.ok()) return status;
  last_pass_ = &evaluation_;
  return Run({/*training=*/false, batch, checked->images, checked->labels,
              checked->order, rows},
             [&] { EnqueueEvaluation(*checked, batch, rows); });
}

absl::Status CudaProgram::FetchRecords() {
  const auto waiting = static_cast<size_t>(waiting_records_);
  const size_t before = fetched_.size();
  fetched_.resize(before + waiting);
  absl::Status status =
      runtime_->CopyOut(fetched_.data() + before, records_,
                        static_cast<int64_t>(waiting * sizeof(StepRecord)));
  if (status.ok() && record_sites_ > 0) {
    const size_t sites = waiting * static_cast<size_t>(record_sites_);
    const size_t known = fetched_counters_.size();
    fetched_counters_.resize(known + sites);
    status =
        runtime_->CopyOut(fetched_counters_.data() + known, record_counters_,
                          static_cast<int64_t>(sites * sizeof(StoreCounter)));
  }
  waiting_records_ = 0;
  return status;
}

absl::StatusOr<std::vector<BatchRecord>> CudaProgram::TakeRecords() {
  if (absl::Status status = FetchRecords(); !status.ok()) return status;
  std::vector<BatchRecord> named;
  named.reserve(fetched_.size());
  for (size_t i = 0; i < fetched_.size(); ++i) {
    const StepRecord& record = fetched_[i];
    const PassLayout& layout =
        record.training ? training_.layout() : evaluation_.layout();
    absl::Span<const StoreCounter> counters;
    if (record_sites_ > 0) {
      counters = absl::MakeConstSpan(
          fetched_counters_.data() + i * static_cast<size_t>(record_sites_),
          record.skipped ? layout.first_update_store : layout.stores.size());
    }
    named.push_back(NameRecord(record, layout, counters));
  }
  fetched_.clear();
  fetched_counters_.clear();
  return named;
}

absl::Status CudaProgram::Forward(int64_t batch, bool training) {
  absl::Status status = CheckPass(options_, batch, training);
  if (!status.ok()) return status;
  const DevicePass& pass = training ? training_ : evaluation_;
  const TensorRef& input = pass.bound.values[graph_.input];
  const auto wanted = static_cast<size_t>(input.Bytes(batch));
  if (input_.size() < wanted) {
    return absl::FailedPreconditionError(
        absl::StrCat("the input has ", input_.size(), " bytes, and a batch of ",
                     batch, " needs ", wanted, "; call WriteInput"));
  }
  status =
      runtime_->CopyIn(input.data, input_.data(), static_cast<int64_t>(wanted));
  if (!status.ok()) return status;
  ClearCounters(pass);
  last_pass_ = &pass;
  RunSteps(pass, 0, pass.layout().schedule.first_backward_step, batch);
  return absl::OkStatus();
}

absl::Status CudaProgram::Backward(int64_t batch) {
  const absl::Status status = CheckPass(options_, batch, /*trains=*/true);
  if (!status.ok()) return status;
  const Schedule& schedule = training_.layout().schedule;
  RunSteps(training_, schedule.first_backward_step,
           static_cast<int>(schedule.steps.size()), batch);
  return absl::OkStatus();
}

absl::Status CudaProgram::Update() {
  if (!options_.optimizer.has_value()) {
    return absl::FailedPreconditionError(
        "the program was compiled without an optimizer");
  }
  kernels_.BeginUpdate({rules_, num_rules_, state_}, *stream_);
  EnqueueUpdate(/*step=*/nullptr);
  absl::StatusOr<UpdateState> state = ReadUpdateState();
  if (!state.ok()) return state.status();
  ++state->updates;
  return runtime_->CopyIn(&state_->update, &*state, sizeof(*state));
}

}  // namespace repro16::cuda
