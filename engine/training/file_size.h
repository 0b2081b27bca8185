// How large the files of a run can get, known before its first step.
#ifndef REPRO16_ENGINE_TRAINING_FILE_SIZE_H_
#define REPRO16_ENGINE_TRAINING_FILE_SIZE_H_

#include <cstdint>

#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// The most bytes that the state of a run (RunState) takes in a file: that after
// the last step, every number at its longest, with all warnings that the run
// may end with. Its result takes no more. CheckSpec takes `spec`.
int64_t MostStateBytes(const RunSpec& spec, const Graph& graph,
                       int64_t train_examples, bool diagnose);

// The most bytes of a checkpoint with so many of the run's state.
int64_t MostCheckpointBytes(const RunSpec& spec, const Graph& graph,
                            const PrecisionPolicy& policy, int64_t state_bytes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_FILE_SIZE_H_
