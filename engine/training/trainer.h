// Trains one network as a run specification says.
#ifndef REPRO16_ENGINE_TRAINING_TRAINER_H_
#define REPRO16_ENGINE_TRAINING_TRAINER_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/io/safetensors.h"
#include "engine/run/run.pb.h"
#include "engine/training/progress.h"

namespace repro16 {

// What a run leaves behind. `result`, `weights` and `probabilities` are a pure
// function of specification, data and kNumericsVersion; `telemetry` is not.
struct RunOutput {
  RunResult result;
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
// policy, optimizer or backend. The error names the field and the cure.
absl::Status CheckSpec(const RunSpec& spec);

// Trains `graph` for spec.epochs() epochs, each over a new permutation of the
// training examples in batches of spec.batch_size(), the last of which may be
// smaller, and evaluates the test examples after each epoch. Fails before the
// first step if the graph does not fit the data.
//
// A run whose values overflow goes on to its end: that is what is being
// studied.
absl::StatusOr<RunOutput> Train(const RunSpec& spec, const Graph& graph,
                                const Dataset& data, Backend& backend,
                                Progress& progress);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_TRAINER_H_
