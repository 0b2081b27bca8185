// What the training steps do to each parameter and to the optimizer's slots.
#ifndef REPRO16_ENGINE_TRAINING_PARAMETER_WATCH_H_
#define REPRO16_ENGINE_TRAINING_PARAMETER_WATCH_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/run/diagnosis.pb.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// Compares the trained parameters of a program before and after each step, and
// counts zeros in its optimizer's slots (engine/run/diagnosis.proto). It keeps
// a copy of the parameters, and reads them and the slots after each step.
class ParameterWatch {
 public:
  // The program trains `graph` by `optimizer`. All outlive the watch.
  ParameterWatch(const Graph& graph, const OptimizerSpec& optimizer,
                 Program& program)
      : graph_(graph), optimizer_(optimizer), program_(program) {}

  // Copies the parameters as they are before the first step that is added.
  absl::Status Start();

  // Adds training step `step`, from 0 over the run, which has run to its end.
  absl::Status AddStep(int64_t step, EpochDiagnosis& epoch);

 private:
  absl::Status AddParameter(ParameterId id, int64_t step,
                            ParameterDiagnosis& diagnosis);
  absl::Status AddSlots(ParameterId id, ParameterDiagnosis& diagnosis);

  const Graph& graph_;
  const OptimizerSpec& optimizer_;
  Program& program_;
  // Of each parameter as stored; nothing of those that are not trained.
  std::vector<std::vector<uint8_t>> before_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_PARAMETER_WATCH_H_
