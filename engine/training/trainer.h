// Trains one network as a run specification says.
#ifndef REPRO16_ENGINE_TRAINING_TRAINER_H_
#define REPRO16_ENGINE_TRAINING_TRAINER_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/io/safetensors.h"
#include "engine/run/checkpoint.pb.h"
#include "engine/run/run.pb.h"
#include "engine/training/progress.h"

namespace repro16 {

// How a run is made; none of it changes a bit of what comes out.
struct TrainOptions {
  // Goes on from there, and lets go of it then. A checkpoint of this
  // specification, data and graph (ReadCheckpoint). Null: from the start.
  std::shared_ptr<const Checkpoint> resume_from;

  // Keeps a checkpoint: after every save_steps steps, every save_seconds
  // (either is off at 0), and when the run stops before its end. The next
  // training step waits for it. Where it fails on the way, `warn` is told, and
  // the run goes on and tries again when it is due next; where the run stops,
  // its error is the run's.
  std::function<absl::Status(const Checkpoint&)> save;
  int64_t save_steps = 0;
  double save_seconds = 0;

  // Asked after each batch: whether to stop now, before the run's end.
  std::function<bool()> stop;
  // Stops after the evaluation of that epoch, if it is not the last; before the
  // first step where resume_from is past it already. 0: not.
  int64_t stop_after_epoch = 0;

  // Bytes that the run may take, data set included; 0: what the device has.
  int64_t memory_limit = 0;

  // Told each of RunResult::warnings when it is known: before the first step
  // since the run started or went on, or after the last. Told, too, but no part
  // of the result: a checkpoint that could not be kept on the way; and
  // RunResult::first_non_finite, once, when the records of its step, or the
  // first ones since the run went on, are taken: after its epoch at the latest.
  std::function<void(std::string_view)> warn;

  // Record what rounding does to each tensor, parameter and optimizer slot,
  // which are read after each step.
  bool diagnose = false;
};

// What a run leaves behind: a pure function of specification, data and
// kNumericsVersion, but for `telemetry`.
struct RunOutput {
  // Whether the run came to its end; else `result` is what it has so far, and
  // there are no weights and probabilities.
  bool finished = false;
  RunResult result;
  Diagnosis diagnosis;  // empty unless asked for
  // Of the time since the run started, or went on from a checkpoint.
  RunTelemetry telemetry;
  // The parameters as the optimizer keeps them, after the last step.
  Safetensors weights;
  // "probabilities" [test examples, classes] in the policy's activation type,
  // after the last epoch, and "labels" [test examples].
  Safetensors probabilities;
};

// SHA-256, hexadecimal, of the parameters' bytes one after another: what
// RunResult::weights_sha256 holds.
std::string WeightsDigest(const Safetensors& weights);

// Checks what needs no data: fields that are missing or out of range, unknown
// policy, optimizer or backend, hyper-parameters that are refused in the
// policy's type (engine/training/hyper_parameters.h). No backend means
// kDefaultBackend (engine/create_backend.h). The error names the field and the
// cure.
absl::Status CheckSpec(const RunSpec& spec);

// Trains `graph` for spec.epochs() epochs, each over a new permutation of the
// training examples in batches of spec.batch_size(), the last of which may be
// smaller, and evaluates the test examples after each epoch. Fails before the
// first step if the graph does not fit the data, or what the run comes to does
// not fit the memory or its files.
//
// A run whose values overflow goes on to its end: that is what is being
// studied.
absl::StatusOr<RunOutput> Train(const RunSpec& spec, const Graph& graph,
                                const Dataset& data, Backend& backend,
                                Progress& progress, TrainOptions options = {});

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_TRAINER_H_
