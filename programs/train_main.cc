// Trains one network as a specification says and writes what came of it.
//
//   train --spec=run.textproto --data_dir=DIR --out=result.pb
//
// A long run keeps a checkpoint and goes on after whatever stopped it:
//
//   train --spec=... --out=... --checkpoint=run.checkpoint --resume
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/safetensors.h"
#include "engine/io/terminal.h"
#include "engine/run/checkpoint.pb.h"
#include "engine/run/run.pb.h"
#include "engine/training/checkpoint.h"
#include "engine/training/diagnosis.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "models/registry.h"
#include "programs/asked_network.h"

ABSL_FLAG(std::string, spec, "",
          "The run to make: a RunSpec (engine/run/run.proto) in text form. "
          "Required.");
ABSL_FLAG(std::string, data_dir, "",
          "Folder with the data set's uncompressed files; `bazel build "
          "@mnist//:files` makes one. "
          "Not needed for synthetic_mnist and synthetic_cifar10.");
ABSL_FLAG(std::string, out, "",
          "Where the RunResult goes, in binary form. Required, but not with a "
          "--stop_after_epoch before the last.");
ABSL_FLAG(
    std::string, telemetry_out, "",
    "Where the RunTelemetry goes (time, memory, device), in binary form.");
ABSL_FLAG(std::string, weights_out, "",
          "Where the final weights go, as safetensors.");
ABSL_FLAG(
    std::string, probabilities_out, "",
    "Where the test set's class probabilities and labels go, as safetensors.");
ABSL_FLAG(std::string, checkpoint, "",
          "Where to keep a checkpoint while the run is on its way. It stays "
          "when the run has ended. One run at a time may have it: FILE.lock is "
          "there meanwhile.");
ABSL_FLAG(int64_t, checkpoint_steps, 0,
          "Write the checkpoint after every so many steps; 0: not by steps.");
ABSL_FLAG(double, checkpoint_minutes, 10,
          "Write the checkpoint every so many minutes; 0: not by time.");
ABSL_FLAG(bool, resume, false,
          "Go on from --checkpoint if it exists, else from the start.");
ABSL_FLAG(std::string, resume_from, "",
          "Go on from this checkpoint, which is only read.");
ABSL_FLAG(int64_t, stop_after_epoch, 0,
          "Stop after this epoch if it is not the last, with exit code 0: only "
          "--checkpoint is written. A run that is past it trains nothing. With "
          "--resume_from, runs in segments.");
ABSL_FLAG(int64_t, memory_limit_mib, 0,
          "Memory that the run may take, in MiB; 0 takes what the machine has "
          "available. A run that needs more is refused before it starts.");
ABSL_FLAG(bool, diagnose, false,
          "Count overflow, NaN and results rounded to zero of each tensor, "
          "follow each parameter's updates and optimizer slots, and print the "
          "worst at the end. Reads all parameters and slots after each step, "
          "which takes time. Does not change a bit of the result.");
ABSL_FLAG(std::string, diagnose_out, "",
          "Where these go, by epoch, tensor and parameter: a Diagnosis "
          "(engine/run/diagnosis.proto) in text form. Prints nothing without "
          "--diagnose.");
ABSL_FLAG(int, threads, 0,
          "Worker threads; 0 takes one per core. Does not change a bit of the "
          "result.");
ABSL_FLAG(std::string, simd, "auto",
          "Instruction set: auto, AVX2, AVX3, AVX3_ZEN4 or NEON. Does not "
          "change a bit of the "
          "result.");
ABSL_FLAG(std::string, progress, "auto",
          "How to tell how far the run is: bar (redrawn), plain (a line an "
          "epoch), none, or auto "
          "(bar on a terminal, else plain).");

namespace repro16 {
namespace {

constexpr char kUsage[] =
    "Trains one neural network, in one numeric precision, to the same bits on "
    "every machine.\n\n"
    "  ./bazelw run //programs:train -- --spec=$PWD/run.textproto "
    "--out=$PWD/result.pb\n\n"
    "A specification in text form:\n"
    "  model: \"mlp\"  policy: \"FP16\"  seed: 1  epochs: 2  batch_size: 128\n"
    "  optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } }\n"
    "  data { dataset: \"synthetic_mnist\" normalization: \"unit\" }\n\n"
    "With model_options { width: 0.25 } the network is a quarter as wide.\n"
    "Policies: FP32, FP16, FP16_BN32, MP, BF16, FP16_ACC16 "
    "(engine/numerics/README.md).\n"
    "With --checkpoint=FILE a run can be stopped (Ctrl-C, SIGTERM) or killed; "
    "the same command with --resume goes on to the very same result.\n"
    "Exit code: 0; 2 for bad input; 3 where a signal stopped the run.";

constexpr int kExitStopped = 3;

// Set by SIGINT and SIGTERM.
volatile std::sig_atomic_t stop_wanted = 0;

// The run stops after the batch in progress; a second signal ends it at once.
void StopOnSignals() {
  struct sigaction action {};
  action.sa_handler = [](int /*signal*/) { stop_wanted = 1; };
  action.sa_flags = SA_RESETHAND | SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool Diagnoses() {
  return absl::GetFlag(FLAGS_diagnose) ||
         !absl::GetFlag(FLAGS_diagnose_out).empty();
}

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

absl::Status CheckFlagRanges() {
  for (const auto& [name, value] :
       {std::pair{"--checkpoint_steps", absl::GetFlag(FLAGS_checkpoint_steps)},
        std::pair{"--stop_after_epoch", absl::GetFlag(FLAGS_stop_after_epoch)},
        std::pair{"--memory_limit_mib",
                  absl::GetFlag(FLAGS_memory_limit_mib)}}) {
    // So that MiB in bytes are in range, too.
    constexpr int64_t kMost = int64_t{1} << 40;
    if (value < 0 || value > kMost) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": ", value, " is not in [0, 2^40]; give e.g. 100"));
    }
  }
  const double minutes = absl::GetFlag(FLAGS_checkpoint_minutes);
  if (!(minutes >= 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--checkpoint_minutes: ", minutes,
                     " is negative or not a number; give e.g. 10"));
  }
  return absl::OkStatus();
}

// Flags that need another one, or exclude it.
absl::Status CheckCheckpointFlags() {
  const std::string checkpoint = absl::GetFlag(FLAGS_checkpoint);
  const bool resume = absl::GetFlag(FLAGS_resume);
  const bool resume_from = !absl::GetFlag(FLAGS_resume_from).empty();
  for (const auto& [name, given] :
       {std::pair{"--resume", resume},
        std::pair{"--checkpoint_steps",
                  absl::GetFlag(FLAGS_checkpoint_steps) != 0},
        std::pair{"--stop_after_epoch",
                  absl::GetFlag(FLAGS_stop_after_epoch) != 0}}) {
    if (given && checkpoint.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(name, ": needs --checkpoint; give its path"));
    }
  }
  if (resume && resume_from) {
    return absl::InvalidArgumentError(
        "--resume_from: given beside --resume; give one of them");
  }
  return absl::OkStatus();
}

// Whether the run is to stop before its end, without a result.
bool IsSegment(const RunSpec& spec) {
  const int64_t stop = absl::GetFlag(FLAGS_stop_after_epoch);
  return stop > 0 && stop < spec.epochs();
}

// The file that FileLock makes of --checkpoint; "" where there is none.
std::string CheckpointLock() {
  const absl::StatusOr<std::string> file =
      ResolveOutput(absl::GetFlag(FLAGS_checkpoint));
  return file.ok() ? *file + ".lock" : "";
}

// Fails early on an output that could not be written at the end, or that would
// take the place of another one or of what the run reads.
absl::Status CheckOutputs(const RunSpec& spec) {
  if (absl::GetFlag(FLAGS_out).empty() && !IsSegment(spec)) {
    return absl::InvalidArgumentError(
        "--out: missing; give the path of the result");
  }
  std::map<std::string, std::string_view> flags;  // by resolved path
  for (const auto& [flag, path, written] :
       {std::tuple("--spec", absl::GetFlag(FLAGS_spec), false),
        std::tuple("--resume_from", absl::GetFlag(FLAGS_resume_from), false),
        std::tuple("--out", absl::GetFlag(FLAGS_out), true),
        std::tuple("--telemetry_out", absl::GetFlag(FLAGS_telemetry_out), true),
        std::tuple("--weights_out", absl::GetFlag(FLAGS_weights_out), true),
        std::tuple("--probabilities_out",
                   absl::GetFlag(FLAGS_probabilities_out), true),
        std::tuple("--diagnose_out", absl::GetFlag(FLAGS_diagnose_out), true),
        std::tuple("--checkpoint", absl::GetFlag(FLAGS_checkpoint), true),
        std::tuple("the lock of --checkpoint", CheckpointLock(), true)}) {
    if (path.empty()) continue;
    if (written) {
      const absl::Status status = CheckWritable(path);
      if (!status.ok()) return status;
    }
    const absl::StatusOr<std::string> file = ResolveOutput(path);
    if (!file.ok()) continue;  // reading it says what is wrong
    const auto [other, added] = flags.emplace(*file, flag);
    if (written && !added) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": named for both ", other->second, " and ", flag,
                       "; give each a file of its own"));
    }
  }
  return absl::OkStatus();
}

// Keeps the checkpoint to this run. Nothing without --checkpoint.
absl::StatusOr<std::optional<FileLock>> LockCheckpoint() {
  const std::string checkpoint = absl::GetFlag(FLAGS_checkpoint);
  if (checkpoint.empty()) return std::nullopt;
  absl::StatusOr<FileLock> lock = FileLock::Acquire(checkpoint);
  if (!lock.ok()) return lock.status();
  if (!absl::GetFlag(FLAGS_resume) && Exists(checkpoint)) {
    return absl::AlreadyExistsError(absl::StrCat(
        checkpoint,
        ": a checkpoint is there; give --resume to go on from it, or remove "
        "it"));
  }
  return *std::move(lock);
}

// The result comes last. One that fails costs no other one: the error is the
// first.
absl::Status WriteOutputs(const RunOutput& output) {
  absl::Status status;
  if (const std::string path = absl::GetFlag(FLAGS_weights_out);
      !path.empty()) {
    status.Update(WriteSafetensors(path, output.weights));
  }
  if (const std::string path = absl::GetFlag(FLAGS_probabilities_out);
      !path.empty()) {
    status.Update(WriteSafetensors(path, output.probabilities));
  }
  if (const std::string path = absl::GetFlag(FLAGS_telemetry_out);
      !path.empty()) {
    status.Update(WriteBinaryProto(path, output.telemetry));
  }
  if (const std::string path = absl::GetFlag(FLAGS_diagnose_out);
      !path.empty()) {
    status.Update(WriteTextProto(path, output.diagnosis));
  }
  status.Update(WriteBinaryProto(absl::GetFlag(FLAGS_out), output.result));
  return status;
}

// The checkpoint to go on from, if any.
absl::StatusOr<std::shared_ptr<const Checkpoint>> FindCheckpoint(
    const RunSpec& spec, const Dataset& data, const Graph& graph) {
  std::string path = absl::GetFlag(FLAGS_resume_from);
  if (absl::GetFlag(FLAGS_resume)) {
    path = absl::GetFlag(FLAGS_checkpoint);
    if (!Exists(path)) {
      PrintFormat(stderr,
                  "train: %s does not exist yet; training from the start\n",
                  path);
      return nullptr;
    }
  }
  if (path.empty()) return nullptr;
  absl::StatusOr<Checkpoint> checkpoint =
      ReadCheckpoint(path, spec, data.digest, graph);
  if (!checkpoint.ok()) return checkpoint.status();
  return std::make_shared<const Checkpoint>(*std::move(checkpoint));
}

// Whether the run goes on from beyond the segment that it was to train.
bool IsPastSegment(const RunSpec& spec, const Checkpoint* checkpoint) {
  return checkpoint != nullptr && IsSegment(spec) &&
         checkpoint->run().epoch() > absl::GetFlag(FLAGS_stop_after_epoch);
}

TrainOptions MakeTrainOptions() {
  TrainOptions options;
  if (const std::string path = absl::GetFlag(FLAGS_checkpoint); !path.empty()) {
    options.save = [path](const Checkpoint& checkpoint) {
      return WriteCheckpoint(path, checkpoint);
    };
    options.save_steps = absl::GetFlag(FLAGS_checkpoint_steps);
    options.save_seconds = 60 * absl::GetFlag(FLAGS_checkpoint_minutes);
  }
  options.stop = [] { return stop_wanted != 0; };
  options.stop_after_epoch = absl::GetFlag(FLAGS_stop_after_epoch);
  options.memory_limit = absl::GetFlag(FLAGS_memory_limit_mib) << 20;
  options.warn = [](std::string_view warning) {
    PrintFormat(stderr, "train: warning: %s\n", warning);
  };
  options.diagnose = Diagnoses();
  return options;
}

// Tells that --stop_after_epoch leaves nothing to train.
void TellPastSegment() {
  const std::string from = absl::GetFlag(FLAGS_resume_from);
  PrintFormat(stderr, "train: %s is past epoch %d already: nothing to train\n",
              from.empty() ? absl::GetFlag(FLAGS_checkpoint) : from,
              absl::GetFlag(FLAGS_stop_after_epoch));
}

// Tells where a run stands that a signal stopped.
void TellStopped(const RunResult& result) {
  const std::string checkpoint = absl::GetFlag(FLAGS_checkpoint);
  const std::string how =
      checkpoint.empty()
          ? "nothing was saved; a run with --checkpoint=FILE can go on"
          : absl::StrCat(checkpoint,
                         " is saved; go on by the same command with --resume");
  PrintFormat(stderr, "train: stopped after step %d in epoch %d of %d; %s\n",
              result.steps_size(), result.epochs_size(), result.spec().epochs(),
              how);
}

absl::StatusOr<RunSpec> ReadSpec() {
  if (absl::GetFlag(FLAGS_spec).empty()) {
    return absl::InvalidArgumentError(
        "--spec: missing; give a run specification (see --help)");
  }
  RunSpec spec;
  const std::string spec_path = absl::GetFlag(FLAGS_spec);
  if (absl::Status status = ReadTextProto(spec_path, &spec); !status.ok()) {
    return status;
  }
  // So that a result does not depend on whether it was written out.
  if (spec.backend().empty()) {
    spec.set_backend(std::string(kDefaultBackend));
  }
  if (absl::Status status = CheckSpec(spec); !status.ok()) {
    return absl::Status(status.code(),
                        absl::StrCat(spec_path, ": ", status.message()));
  }
  return spec;
}

// The exit code.
absl::StatusOr<int> Run() {
  const absl::StatusOr<RunSpec> spec = ReadSpec();
  if (!spec.ok()) return spec.status();
  for (const absl::Status& status :
       {CheckFlagRanges(), CheckCheckpointFlags(), CheckOutputs(*spec)}) {
    if (!status.ok()) return status;
  }
  const absl::StatusOr<std::optional<FileLock>> lock = LockCheckpoint();
  if (!lock.ok()) return lock.status();
  auto progress = MakeProgress(absl::GetFlag(FLAGS_progress), stderr);
  if (!progress.ok()) return progress.status();
  auto backend = CreateBackend(spec->backend(), {absl::GetFlag(FLAGS_threads),
                                                 absl::GetFlag(FLAGS_simd)});
  if (!backend.ok()) return backend.status();
  absl::StatusOr<Dataset> data =
      LoadDataset(spec->data(), absl::GetFlag(FLAGS_data_dir));
  if (!data.ok()) return data.status();
  absl::StatusOr<Graph> graph =
      BuildModel(spec->model(), AskedOptions(*spec, *data));
  if (!graph.ok()) return graph.status();
  auto checkpoint = FindCheckpoint(*spec, *data, *graph);
  if (!checkpoint.ok()) return checkpoint.status();
  if (IsPastSegment(*spec, checkpoint->get())) TellPastSegment();

  TrainOptions options = MakeTrainOptions();
  options.resume_from = *std::move(checkpoint);
  absl::StatusOr<RunOutput> output =
      Train(*spec, *graph, *data, **backend, **progress, std::move(options));
  if (!output.ok()) return output.status();
  progress->reset();                                    // a bar leaves the line
  if (!output->finished && stop_wanted == 0) return 0;  // --stop_after_epoch
  if (absl::GetFlag(FLAGS_diagnose)) {
    PrintText(stderr, absl::StrCat(WorstTensors(output->diagnosis),
                                   WorstSecondMoments(output->diagnosis)));
  }
  if (!output->finished) {
    TellStopped(output->result);
    return kExitStopped;
  }
  if (absl::Status status = WriteOutputs(*output); !status.ok()) return status;
  return 0;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, repro16::kUsage);
  repro16::StopOnSignals();
  const absl::StatusOr<int> exit_code = repro16::Run();
  if (!exit_code.ok()) {
    repro16::PrintFormat(stderr, "train: %s\n", exit_code.status().message());
    return 2;
  }
  return *exit_code;
}
