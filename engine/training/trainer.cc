#include "engine/training/trainer.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "engine/graph/memory_plan.h"
#include "engine/io/proto_file.h"
#include "engine/io/sha256.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/version.h"
#include "engine/training/checkpoint.h"
#include "engine/training/device_split.h"
#include "engine/training/evaluation.h"
#include "engine/training/file_size.h"
#include "engine/training/hyper_parameters.h"
#include "engine/training/initialize.h"
#include "engine/training/parameter_watch.h"
#include "engine/training/run_state.h"
#include "engine/training/warnings.h"

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
  const int64_t estimation = spec.evaluation().estimation_examples();
  if (estimation > data.train.count) {
    return absl::InvalidArgumentError(absl::StrCat(
        "evaluation.estimation_examples: ", estimation, " exceeds the ",
        data.train.count, " training examples; give at most that"));
  }
  return absl::OkStatus();
}

class Trainer {
 public:
  Trainer(const RunSpec& spec, const Graph& graph, const Dataset& data,
          Backend& backend, Progress& progress, TrainOptions options)
      : spec_(spec),
        graph_(graph),
        data_(data),
        backend_(backend),
        progress_(progress),
        options_(std::move(options)) {}

  absl::StatusOr<RunOutput> Run() {
    if (absl::Status status = Prepare(); !status.ok()) return status;
    stopped_ = AtStop();
    while (!stopped_ && state_.epoch() <= spec_.epochs()) {
      if (absl::Status status = RunEpoch(); !status.ok()) return status;
    }
    output_.finished = state_.epoch() > spec_.epochs();
    const absl::Status status = output_.finished ? Export() : SaveAtStop();
    if (!status.ok()) return status;
    output_.result.Swap(state_.mutable_result());
    output_.diagnosis.Swap(state_.mutable_diagnosis());
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
    options.record_tensors = options_.diagnose;
    const auto planned = backend_.Plan(graph_, policy_, options);
    if (!planned.ok()) return planned.status();
    memory_ = *planned;
    const int64_t state_bytes =
        MostStateBytes(spec_, graph_, data_.train.count, options_.diagnose);
    const int64_t checkpoint_bytes =
        options_.save ? MostCheckpointBytes(spec_, graph_, policy_, state_bytes)
                      : 0;
    for (const absl::Status& status :
         {CheckRoundedFactors(graph_, policy_),
          CheckFiles(state_bytes, checkpoint_bytes),
          CheckMemory(state_bytes, checkpoint_bytes)}) {
      if (!status.ok()) return status;
    }
    auto program = backend_.Compile(graph_, policy_, options);
    if (!program.ok()) return program.status();
    program_ = *std::move(program);
    if (absl::Status status = StartOrResume(); !status.ok()) return status;
    if (options_.diagnose) {
      watch_.emplace(graph_, spec_.optimizer(), *program_);
      if (absl::Status status = watch_->Start(); !status.ok()) return status;
    }
    const auto table =
        NormalizationTable(spec_.data().normalization(), data_.train);
    if (!table.ok()) return table.status();
    if (absl::Status status = program_->SetInputTable(*table); !status.ok()) {
      return status;
    }
    if (absl::Status status = UploadData(); !status.ok()) return status;
    auto evaluation = Evaluation::Create(spec_, graph_, policy_, options,
                                         *table, data_, backend_, *program_);
    if (!evaluation.ok()) return evaluation.status();
    evaluation_.emplace(*std::move(evaluation));
    state_.mutable_result()->clear_warnings();
    for (const std::string& warning :
         WarningsBeforeTraining(spec_, policy_, graph_, data_.train.count)) {
      AddWarning(warning);
    }
    return absl::OkStatus();
  }

  void AddWarning(const std::string& warning) {
    state_.mutable_result()->add_warnings(warning);
    Tell(warning);
  }

  void Tell(std::string_view warning) {
    progress_.Clear();
    if (options_.warn) options_.warn(warning);
  }

  // That the files of the run can hold what it comes to.
  absl::Status CheckFiles(int64_t state_bytes, int64_t checkpoint_bytes) const {
    const auto refuse = [this](std::string_view file, int64_t bytes,
                               std::string_view cure) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "%s: model %s in %s for %d epochs of %d examples with batch_size %d "
          "takes up to %d bytes, and a file holds less than 2 GiB; %s",
          file, spec_.model(), spec_.policy(), spec_.epochs(),
          data_.train.count, spec_.batch_size(), bytes, cure));
    };
    if (state_bytes > kMaxMessageBytes) {
      return refuse("result", state_bytes,
                    "choose fewer epochs or a larger batch_size");
    }
    if (checkpoint_bytes > kMaxMessageBytes) {
      return refuse("checkpoint", checkpoint_bytes,
                    "leave out --checkpoint, or choose a narrower model or "
                    "fewer epochs");
    }
    return absl::OkStatus();
  }

  // Before any of the memory is taken.
  absl::Status CheckMemory(int64_t state_bytes,
                           int64_t checkpoint_bytes) const {
    const int64_t classes = data_.classes;
    const auto activation = static_cast<int64_t>(SizeOf(policy_.activation));
    const int64_t programs = EstimatesStatistics(spec_, graph_) ? 2 : 1;
    int64_t needed = programs * memory_.Total() +
                     data_.test.count * classes * activation +
                     data_.train.count * static_cast<int64_t>(sizeof(uint32_t));
    for (const Split* split : {&data_.train, &data_.test}) {
      needed +=
          static_cast<int64_t>(split->images.size() + split->labels.size());
    }
    if (backend_.shares_host_memory()) {
      needed += state_bytes;
      if (options_.diagnose) needed += memory_.parameters;  // a copy
      needed += 2 * checkpoint_bytes;  // as a message, and as the file's bytes
    }
    const int64_t limit = options_.memory_limit;
    const int64_t available = limit > 0
                                  ? std::min(limit, backend_.available_bytes())
                                  : backend_.available_bytes();
    return repro16::CheckMemory(
        absl::StrFormat("model %s with batch_size %d in %s", spec_.model(),
                        spec_.batch_size(), spec_.policy()),
        needed, available,
        "reduce batch_size, or choose another model or policy");
  }

  absl::Status StartOrResume() {
    last_save_ = Clock::now();
    if (options_.resume_from != nullptr) {
      const auto checkpoint = std::move(options_.resume_from);
      state_ = checkpoint->run();
      // Another one may have begun the run.
      state_.mutable_result()->mutable_spec()->set_backend(spec_.backend());
      return RestoreProgram(*checkpoint, graph_, *program_);
    }
    DescribeRun();
    state_.set_epoch(1);
    return InitializeParameters(graph_, spec_.seed(), *program_,
                                spec_.flip_last_bit());
  }

  absl::Status UploadData() {
    auto train = UploadSplit(data_.train, backend_);
    if (!train.ok()) return train.status();
    train_ = *std::move(train);
    auto order = backend_.Allocate(data_.train.count *
                                   static_cast<int64_t>(sizeof(uint32_t)));
    if (!order.ok()) return order.status();
    order_ = *std::move(order);
    return absl::OkStatus();
  }

  void DescribeRun() {
    RunResult& result = *state_.mutable_result();
    *result.mutable_spec() = spec_;
    result.set_numerics_version(kNumericsVersion);
    result.set_data_digest(data_.digest);
    result.set_made_up_data(data_.made_up);
    result.set_parameter_count(graph_.ParameterCount());
  }

  // Trains and evaluates the epoch in progress, or what is left of it.
  absl::Status RunEpoch() {
    const int64_t epoch = state_.epoch();
    RunResult& result = *state_.mutable_result();
    if (result.epochs_size() < epoch) result.add_epochs()->set_epoch(epoch);
    if (absl::Status status = TrainEpoch(epoch); !status.ok()) return status;
    if (stopped_) return absl::OkStatus();
    EpochResult& record = *result.mutable_epochs()->rbegin();
    record.set_train_loss(MeanLoss(state_.epoch_totals()));
    record.set_train_accuracy(Accuracy(state_.epoch_totals()));
    if (absl::Status status = Evaluate(record); !status.ok()) return status;
    if (stopped_) return absl::OkStatus();
    progress_.OnEpoch(record, spec_.epochs(), ImagesPerSecond());
    state_.set_epoch(epoch + 1);
    state_.clear_epoch_totals();
    stopped_ = AtStop();
    return absl::OkStatus();
  }

  // Whether the epoch to stop after is over, and epochs are left.
  bool AtStop() const {
    return options_.stop_after_epoch > 0 &&
           state_.epoch() > options_.stop_after_epoch &&
           state_.epoch() <= spec_.epochs();
  }

  absl::Status TrainEpoch(int64_t epoch) {
    const Clock::time_point start = Clock::now();
    const std::vector<uint32_t> order =
        Permutation(static_cast<uint32_t>(data_.train.count),
                    RandomStream(spec_.seed(), RandomPurpose::kShuffle,
                                 static_cast<uint32_t>(epoch)));
    absl::Status status = backend_.Upload(
        AsBytes(order.data(), order.size() * sizeof(uint32_t)), *order_);
    if (!status.ok()) return status;
    const BatchSource source = train_.InOrder(order_.get());
    int64_t step = state_.result().steps_size();
    const int64_t done_before = state_.epoch_totals().examples();
    for (int64_t first = done_before; first < data_.train.count && !stopped_;
         first += spec_.batch_size()) {
      const int64_t batch =
          std::min(spec_.batch_size(), data_.train.count - first);
      status = program_->TrainStep(source, first, batch, step++);
      if (status.ok() && watch_.has_value()) status = DiagnoseStep();
      if (!status.ok()) return status;
      stopped_ = StopWanted();
      const bool save = SaveIsDue(step);
      const bool last = first + batch == data_.train.count;
      if (!stopped_ && !save && !last && !progress_.WantsBatch()) continue;
      if (status = TakeTrainRecords(); !status.ok()) return status;
      Report(first + batch - done_before, SecondsSince(start));
      if (!save || stopped_) continue;  // where it stops, Run saves
      if (status = SaveOnTheWay(step); !status.ok()) return status;
    }
    train_seconds_ += SecondsSince(start);
    trained_ += state_.epoch_totals().examples() - done_before;
    return absl::OkStatus();
  }

  bool StopWanted() const { return options_.stop && options_.stop(); }

  bool SaveIsDue(int64_t steps) const {
    if (!options_.save) return false;
    return (options_.save_steps > 0 && steps % options_.save_steps == 0) ||
           (options_.save_seconds > 0 &&
            SecondsSince(last_save_) >= options_.save_seconds);
  }

  absl::Status SaveAtStop() {
    if (!options_.save) return absl::OkStatus();
    const auto checkpoint = MakeCheckpoint(state_, graph_, *program_);
    if (!checkpoint.ok()) return checkpoint.status();
    return options_.save(*checkpoint);
  }

  // After so many steps. The state is whole in memory whether or not the
  // checkpoint could be kept.
  absl::Status SaveOnTheWay(int64_t steps) {
    const auto checkpoint = MakeCheckpoint(state_, graph_, *program_);
    if (!checkpoint.ok()) return checkpoint.status();
    const absl::Status kept = options_.save(*checkpoint);
    last_save_ = Clock::now();
    if (!kept.ok()) {
      Tell(absl::StrCat(kept.message(),
                        "; training goes on, and the checkpoint is tried "
                        "again ",
                        NextSave(steps)));
    }
    return absl::OkStatus();
  }

  // When SaveIsDue next, after so many steps.
  std::string NextSave(int64_t steps) const {
    std::vector<std::string> times;
    if (const int64_t every = options_.save_steps; every > 0) {
      times.push_back(
          absl::StrCat("after ", (steps / every + 1) * every, " steps"));
    }
    if (options_.save_seconds > 0) {
      times.push_back(absl::StrFormat("in %g seconds", options_.save_seconds));
    }
    return absl::StrJoin(times, " or ");
  }

  absl::Status TakeTrainRecords() {
    auto records = program_->TakeRecords();
    if (!records.ok()) return records.status();
    for (const BatchRecord& record : *records) {
      AddStep(record, policy_.dynamic_loss_scale, state_);
    }
    TellNonFinite();
    return absl::OkStatus();
  }

  void TellNonFinite() {
    const RunResult& result = state_.result();
    if (told_non_finite_ || !result.has_first_non_finite()) return;
    told_non_finite_ = true;
    const NonFinite& first = result.first_non_finite();
    const bool skipped = result.steps(static_cast<int>(first.step())).skipped();
    Tell(absl::StrCat("step ", first.step(),
                      ": an infinity or NaN was stored to ", first.tensor(),
                      " first",
                      skipped ? "; loss scaling skipped the step" : ""));
  }

  // The step that was just enqueued.
  absl::Status DiagnoseStep() {
    if (absl::Status status = TakeTrainRecords(); !status.ok()) return status;
    return watch_->AddStep(
        state_.result().steps_size() - 1,
        *state_.mutable_diagnosis()->mutable_epochs()->rbegin());
  }

  // `examples` and `seconds` are those of this epoch since it started or went
  // on.
  void Report(int64_t examples, double seconds) {
    const PassTotals& totals = state_.epoch_totals();
    const double all_seconds = train_seconds_ + seconds;
    const double rate =
        all_seconds > 0 ? static_cast<double>(trained_ + examples) / all_seconds
                        : 0;
    const auto left = static_cast<double>(
        (spec_.epochs() - state_.epoch() + 1) * data_.train.count -
        totals.examples());
    progress_.OnBatch({state_.epoch(), spec_.epochs(), totals.examples(),
                       data_.train.count, MeanLoss(totals), Accuracy(totals),
                       rate, rate > 0 ? left / rate : 0});
  }

  double ImagesPerSecond() const {
    return train_seconds_ > 0 ? static_cast<double>(trained_) / train_seconds_
                              : 0;
  }

  absl::Status Evaluate(EpochResult& result) {
    const Clock::time_point start = Clock::now();
    const absl::StatusOr<bool> whole = evaluation_->AfterEpoch(
        train_.InOrder(nullptr), [this] { return StopWanted(); }, result);
    if (!whole.ok()) return whole.status();
    stopped_ = !*whole;
    if (!stopped_) evaluate_seconds_ += SecondsSince(start);
    return absl::OkStatus();
  }

  absl::Status Export() {
    if (const auto warning = LossScaleWarning(state_.result())) {
      AddWarning(*warning);
    }
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
    state_.mutable_result()->set_weights_sha256(WeightsDigest(output_.weights));

    absl::StatusOr<std::string> probabilities = evaluation_->Probabilities();
    if (!probabilities.ok()) return probabilities.status();
    output_.probabilities.tensors.push_back(
        {"probabilities", ToSafetensorsType(policy_.activation),
         Shape({data_.test.count, data_.classes}), *std::move(probabilities)});
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
    RunTelemetry& telemetry = output_.telemetry;
    telemetry.set_device(backend_.device());
    telemetry.set_simd_target(backend_.variant());
    telemetry.set_train_seconds(train_seconds_);
    telemetry.set_evaluate_seconds(evaluate_seconds_);
    telemetry.set_train_images_per_second(ImagesPerSecond());
    telemetry.set_planned_bytes(memory_.Total());
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    telemetry.set_peak_rss_bytes(int64_t{usage.ru_maxrss} * 1024);
  }

  const RunSpec& spec_;
  const Graph& graph_;
  const Dataset& data_;
  Backend& backend_;
  Progress& progress_;
  TrainOptions options_;

  PrecisionPolicy policy_{};
  ProgramMemory memory_;
  std::unique_ptr<Program> program_;
  std::optional<ParameterWatch> watch_;  // where the run is diagnosed
  DeviceSplit train_;
  std::unique_ptr<DeviceBuffer> order_;
  std::optional<Evaluation> evaluation_;

  RunState state_;
  bool stopped_ = false;
  bool told_non_finite_ = false;
  Clock::time_point last_save_;
  int64_t trained_ = 0;  // examples of earlier epochs, since start or resume
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
                                Progress& progress, TrainOptions options) {
  if (absl::Status status = CheckSpec(spec); !status.ok()) return status;
  if (absl::Status status = CheckFit(spec, graph, data); !status.ok()) {
    return status;
  }
  return Trainer(spec, graph, data, backend, progress, std::move(options))
      .Run();
}

}  // namespace repro16
