// What a training run records as it goes: the part of a run's state that is not
// in the program.
#ifndef REPRO16_ENGINE_TRAINING_RUN_STATE_H_
#define REPRO16_ENGINE_TRAINING_RUN_STATE_H_

#include "engine/graph/backend.h"
#include "engine/run/checkpoint.pb.h"

namespace repro16 {

// Adds one batch.
void AddBatch(const BatchRecord& batch, PassTotals& totals);

// Means over the examples; 0 where there are none.
double MeanLoss(const PassTotals& totals);
double Accuracy(const PassTotals& totals);

// Adds one training step to the epoch in progress, which is the last one of
// `state.result`. Changes of the loss scale are recorded where it is dynamic.
void AddStep(const BatchRecord& step, bool dynamic_loss_scale, RunState& state);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_RUN_STATE_H_
