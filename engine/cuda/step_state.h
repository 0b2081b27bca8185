// What a step is told, and what it keeps for the next: on the device, so that
// the host waits for nothing.
#ifndef REPRO16_ENGINE_CUDA_STEP_STATE_H_
#define REPRO16_ENGINE_CUDA_STEP_STATE_H_

#include <cstdint>

#include "engine/graph/loss_scale.h"

namespace repro16 {

struct StepState {
  int64_t first = 0;     // example of the source
  int64_t step = 0;      // selects dropout masks
  uint64_t correct = 0;  // examples of the batch that were classified right
  int64_t record = 0;    // where its record goes
  UpdateState update;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_STEP_STATE_H_
