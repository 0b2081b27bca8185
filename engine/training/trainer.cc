#include "engine/training/trainer.h"

#include <sys/resource.h>

#include <chrono>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/io/sha256.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/version.h"
#include "engine/training/initialize.h"

namespace repro16 {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

absl::Span<const uint8_t> AsBytes(const void* data, size_t bytes) {
  return {static_cast<const uint8_t*>(data), bytes};
}

absl::Status CheckFit(const RunSpec& spec, const Graph& graph,
                      const Dataset& data) {
  const Shape image({data.height, data.width, data.channels});
  if (graph.tensors[graph.input].shape != image) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model ", spec.model(), " takes ",
        graph.tensors[graph.input].shape.ToString(), ", but the images of ",
        data.name, " are ", image.ToString()));
  }
  if (graph.loss == kNoTensor ||
      graph.tensors[graph.output].shape[0] != data.classes) {
    return absl::InvalidArgumentError(
        absl::StrCat("model ", spec.model(), " is not a classifier of ",
                     data.classes, " classes, as ", data.name, " needs"));
  }
  if (spec.batch_size() > data.train.count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch_size: ", spec.batch_size(), " exceeds the ", data.train.count,
        " training examples; give at most that"));
  }
  return absl::OkStatus();
}

void AddCounts(const RoundingTotals& totals, RoundingCounts& counts) {
  const auto add = [&](RoundingTotals::Kind kind, StoreCounts& to) {
    to.set_stored(to.stored() + totals.stored[kind]);
    to.set_infinite(to.infinite() + totals.counters[kind].infinite);
    to.set_nan(to.nan() + totals.counters[kind].nan);
    to.set_underflow(to.underflow() + totals.counters[kind].underflow);
  };
  add(RoundingTotals::kActivations, *counts.mutable_activations());
  add(RoundingTotals::kActivationGradients,
      *counts.mutable_activation_gradients());
  add(RoundingTotals::kWeightGradients, *counts.mutable_weight_gradients());
  add(RoundingTotals::kParameters, *counts.mutable_parameters());
}

// Sums over the batches of one pass, in order.
struct PassTotals {
  int64_t examples = 0;
  int64_t correct = 0;
  double loss = 0;  // sum over examples

  void Add(const BatchRecord& record) {
    examples += record.examples;
    correct += record.correct;
    loss +=
        static_cast<double>(record.loss) * static_cast<double>(record.examples);
  }
  double MeanLoss() const {
    return examples > 0 ? loss / static_cast<double>(examples) : 0;
  }
  double Accuracy() const {
    return examples > 0
               ? static_cast<double>(correct) / static_cast<double>(examples)
               : 0;
  }
};

// A split on the device.
struct DeviceSplit {
  std::unique_ptr<DeviceBuffer> images;
  std::unique_ptr<DeviceBuffer> labels;
};

class Trainer {
 public:
  Trainer(const RunSpec& spec, const Graph& graph, const Dataset& data,
          Backend& backend, Progress& progress)
      : spec_(spec),
        graph_(graph),
        data_(data),
        backend_(backend),
        progress_(progress) {}

  absl::StatusOr<RunOutput> Run() {
    if (absl::Status status = Prepare(); !status.ok()) return status;
    for (int64_t epoch = 1; epoch <= spec_.epochs(); ++epoch) {
      EpochResult& result = *output_.result.add_epochs();
      result.set_epoch(epoch);
      if (absl::Status status = TrainEpoch(epoch, result); !status.ok()) {
        return status;
      }
      if (absl::Status status = Evaluate(result); !status.ok()) return status;
      progress_.OnEpoch(result, spec_.epochs(), ImagesPerSecond());
    }
    if (absl::Status status = Export(); !status.ok()) return status;
    FillTelemetry();
    return std::move(output_);
  }

 private:
  absl::Status Prepare() {
    absl::StatusOr<PrecisionPolicy> policy = FindPolicy(spec_.policy());
    if (!policy.ok()) return policy.status();
    policy_ = *policy;
    CompileOptions options;
    options.max_batch = spec_.batch_size();
    options.optimizer = spec_.optimizer();
    options.seed = spec_.seed();
    auto program = backend_.Compile(graph_, policy_, options);
    if (!program.ok()) return program.status();
    program_ = *std::move(program);
    stream_ = backend_.CreateStream();
    if (absl::Status status =
            InitializeParameters(graph_, spec_.seed(), *program_);
        !status.ok()) {
      return status;
    }
    const auto table =
        NormalizationTable(spec_.data().normalization(), data_.train);
    if (!table.ok()) return table.status();
    if (absl::Status status = program_->SetInputTable(*table); !status.ok()) {
      return status;
    }
    if (absl::Status status = UploadData(); !status.ok()) return status;
    DescribeRun();
    return absl::OkStatus();
  }

  absl::Status UploadData() {
    const auto upload = [&](const void* bytes, size_t size,
                            std::unique_ptr<DeviceBuffer>& to) {
      auto buffer = backend_.Allocate(static_cast<int64_t>(size));
      if (!buffer.ok()) return buffer.status();
      to = *std::move(buffer);
      return backend_.Upload(AsBytes(bytes, size), *to);
    };
    for (auto [split, device] :
         {std::pair{&data_.train, &train_}, std::pair{&data_.test, &test_}}) {
      absl::Status status =
          upload(split->images.data(), split->images.size(), device->images);
      if (!status.ok()) return status;
      status =
          upload(split->labels.data(), split->labels.size(), device->labels);
      if (!status.ok()) return status;
    }
    auto order = backend_.Allocate(data_.train.count *
                                   static_cast<int64_t>(sizeof(uint32_t)));
    if (!order.ok()) return order.status();
    order_ = *std::move(order);
    auto probabilities =
        backend_.Allocate(data_.test.count * data_.classes *
                          static_cast<int64_t>(SizeOf(policy_.activation)));
    if (!probabilities.ok()) return probabilities.status();
    probabilities_ = *std::move(probabilities);
    return absl::OkStatus();
  }

  void DescribeRun() {
    RunResult& result = output_.result;
    *result.mutable_spec() = spec_;
    result.set_numerics_version(kNumericsVersion);
    result.set_data_digest(data_.digest);
    result.set_made_up_data(data_.made_up);
    result.set_parameter_count(graph_.ParameterCount());
  }

  absl::Status TrainEpoch(int64_t epoch, EpochResult& result) {
    const Clock::time_point start = Clock::now();
    const std::vector<uint32_t> order =
        Permutation(static_cast<uint32_t>(data_.train.count),
                    RandomStream(spec_.seed(), RandomPurpose::kShuffle,
                                 static_cast<uint32_t>(epoch)));
    absl::Status status = backend_.Upload(
        AsBytes(order.data(), order.size() * sizeof(uint32_t)), *order_);
    if (!status.ok()) return status;
    const BatchSource source{train_.images.get(), train_.labels.get(),
                             order_.get()};
    PassTotals totals;
    for (int64_t first = 0; first < data_.train.count;
         first += spec_.batch_size()) {
      const int64_t batch =
          std::min(spec_.batch_size(), data_.train.count - first);
      status = program_->TrainStep(source, first, batch, step_++, *stream_);
      if (!status.ok()) return status;
      const bool last = first + batch == data_.train.count;
      if (!last && !progress_.WantsBatch()) continue;
      if (status = TakeTrainRecords(totals, result); !status.ok()) {
        return status;
      }
      Report(epoch, totals, SecondsSince(start));
    }
    train_seconds_ += SecondsSince(start);
    trained_ += data_.train.count;
    result.set_train_loss(totals.MeanLoss());
    result.set_train_accuracy(totals.Accuracy());
    return absl::OkStatus();
  }

  absl::Status TakeTrainRecords(PassTotals& totals, EpochResult& epoch) {
    auto records = program_->TakeRecords(*stream_);
    if (!records.ok()) return records.status();
    for (const BatchRecord& record : *records) {
      totals.Add(record);
      AddCounts(record.rounding, *epoch.mutable_rounding());
      AddStep(record);
    }
    return absl::OkStatus();
  }

  void AddStep(const BatchRecord& record) {
    RunResult& result = output_.result;
    const int64_t index = result.steps_size();
    StepResult& step = *result.add_steps();
    step.set_loss(record.loss);
    step.set_skipped(record.skipped);
    for (const StoreCounter& counter : record.rounding.counters) {
      step.set_non_finite(step.non_finite() + counter.infinite + counter.nan);
      step.set_underflow(step.underflow() + counter.underflow);
    }
    if (!record.first_non_finite.empty() && !result.has_first_non_finite()) {
      result.mutable_first_non_finite()->set_step(index);
      result.mutable_first_non_finite()->set_tensor(record.first_non_finite);
    }
    if (!policy_.dynamic_loss_scale) return;
    const int changes = result.loss_scale_history_size();
    if (changes == 0 || result.loss_scale_history(changes - 1).loss_scale() !=
                            record.loss_scale) {
      LossScaleChange& change = *result.add_loss_scale_history();
      change.set_step(index);
      change.set_loss_scale(record.loss_scale);
    }
  }

  void Report(int64_t epoch, const PassTotals& totals, double epoch_seconds) {
    const double seconds = train_seconds_ + epoch_seconds;
    const auto done = static_cast<double>(trained_ + totals.examples);
    const double rate = seconds > 0 ? done / seconds : 0;
    const double all = static_cast<double>(spec_.epochs()) *
                       static_cast<double>(data_.train.count);
    progress_.OnBatch({epoch, spec_.epochs(), totals.examples,
                       data_.train.count, totals.MeanLoss(), totals.Accuracy(),
                       rate, rate > 0 ? (all - done) / rate : 0});
  }

  double ImagesPerSecond() const {
    return train_seconds_ > 0 ? static_cast<double>(trained_) / train_seconds_
                              : 0;
  }

  absl::Status Evaluate(EpochResult& result) {
    const Clock::time_point start = Clock::now();
    const BatchSource source{test_.images.get(), test_.labels.get()};
    for (int64_t first = 0; first < data_.test.count;
         first += spec_.batch_size()) {
      const int64_t batch =
          std::min(spec_.batch_size(), data_.test.count - first);
      const absl::Status status = program_->EvaluateBatch(
          source, first, batch, probabilities_.get(), *stream_);
      if (!status.ok()) return status;
    }
    auto records = program_->TakeRecords(*stream_);
    if (!records.ok()) return records.status();
    PassTotals totals;
    for (const BatchRecord& record : *records) totals.Add(record);
    result.set_test_loss(totals.MeanLoss());
    result.set_test_accuracy(totals.Accuracy());
    evaluate_seconds_ += SecondsSince(start);
    return absl::OkStatus();
  }

  absl::Status Export() {
    for (size_t i = 0; i < graph_.parameters.size(); ++i) {
      const auto id = static_cast<ParameterId>(i);
      auto bytes = program_->ReadParameter(id);
      if (!bytes.ok()) return bytes.status();
      output_.weights.tensors.push_back(
          {graph_.parameters[i].name,
           ToSafetensorsType(program_->ParameterType(id)),
           graph_.parameters[i].shape,
           std::string(bytes->begin(), bytes->end())});
    }
    output_.result.set_weights_sha256(WeightsDigest(output_.weights));

    std::string probabilities(static_cast<size_t>(probabilities_->bytes()),
                              '\0');
    const absl::Status status = backend_.Download(
        *probabilities_, {reinterpret_cast<uint8_t*>(probabilities.data()),
                          probabilities.size()});
    if (!status.ok()) return status;
    output_.probabilities.tensors.push_back(
        {"probabilities", ToSafetensorsType(policy_.activation),
         Shape({data_.test.count, data_.classes}), std::move(probabilities)});
    std::string labels;
    for (uint8_t label : data_.test.labels) {
      labels.push_back(static_cast<char>(label));
      labels.append(7, '\0');  // little-endian I64
    }
    output_.probabilities.tensors.push_back({"labels", SafetensorsType::kI64,
                                             Shape({data_.test.count}),
                                             std::move(labels)});
    return absl::OkStatus();
  }

  void FillTelemetry() {
    const ProgramMemory memory = program_->memory();
    RunTelemetry& telemetry = output_.telemetry;
    telemetry.set_device(backend_.device());
    telemetry.set_simd_target(backend_.simd_target());
    telemetry.set_train_seconds(train_seconds_);
    telemetry.set_evaluate_seconds(evaluate_seconds_);
    telemetry.set_train_images_per_second(ImagesPerSecond());
    telemetry.set_planned_bytes(memory.Total());
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    telemetry.set_peak_rss_bytes(int64_t{usage.ru_maxrss} * 1024);
  }

  const RunSpec& spec_;
  const Graph& graph_;
  const Dataset& data_;
  Backend& backend_;
  Progress& progress_;

  PrecisionPolicy policy_{};
  std::unique_ptr<Program> program_;
  std::unique_ptr<Stream> stream_;
  DeviceSplit train_;
  DeviceSplit test_;
  std::unique_ptr<DeviceBuffer> order_;
  std::unique_ptr<DeviceBuffer> probabilities_;

  int64_t step_ = 0;
  int64_t trained_ = 0;  // examples of finished epochs
  double train_seconds_ = 0;
  double evaluate_seconds_ = 0;
  RunOutput output_;
};

}  // namespace

std::string WeightsDigest(const Safetensors& weights) {
  Sha256 sha;
  for (const SafetensorsTensor& tensor : weights.tensors) {
    sha.Update(tensor.bytes);
  }
  return sha.HexDigest();
}

absl::StatusOr<RunOutput> Train(const RunSpec& spec, const Graph& graph,
                                const Dataset& data, Backend& backend,
                                Progress& progress) {
  if (absl::Status status = CheckSpec(spec); !status.ok()) return status;
  if (absl::Status status = CheckFit(spec, graph, data); !status.ok()) {
    return status;
  }
  return Trainer(spec, graph, data, backend, progress).Run();
}

}  // namespace repro16
