// Dynamic loss scaling, as Keras' LossScaleOptimizer does it. The state is
// plain: a device can keep it and decide on it.
#ifndef REPRO16_ENGINE_GRAPH_LOSS_SCALE_H_
#define REPRO16_ENGINE_GRAPH_LOSS_SCALE_H_

#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {

// With the parameters and the optimizer's slots, all that a training step hands
// to the next one.
struct UpdateState {
  int64_t updates = 0;     // made; skipped ones are not counted (Adam's t)
  float loss_scale = 1;    // of the next step
  int64_t good_steps = 0;  // in a row with finite gradients, since the loss
                           // scale last changed
  bool skipped = false;    // the last step made no update
};

inline constexpr float kInitialLossScale = 32768;  // 2^15
inline constexpr float kLargestLossScale = 0x1p127f;
inline constexpr int64_t kLossScaleGrowthInterval = 2000;

// Before the first step. `dynamic`: the loss, and with it every gradient, is
// multiplied by a factor that adapts; else the factor is 1.
REPRO16_HOST_DEVICE inline UpdateState InitialUpdateState(bool dynamic) {
  UpdateState state;
  if (dynamic) state.loss_scale = kInitialLossScale;
  return state;
}

// After a backward pass, whose weight gradients (batch normalisation's, which
// are f32, too) are all `finite` or not: the state after the update, or after
// the step that was skipped instead. A dynamic scale skips a step with an
// infinity or NaN and halves (never under 1); kLossScaleGrowthInterval finite
// steps in a row double it. A doubling that would leave the range of f32 does
// not happen. Without a dynamic scale every step makes its update.
REPRO16_HOST_DEVICE inline UpdateState AfterStep(UpdateState state,
                                                 bool dynamic, bool finite) {
  state.skipped = dynamic && !finite;
  if (!state.skipped) ++state.updates;
  if (!dynamic) return state;
  if (!finite) {
    state.good_steps = 0;
    state.loss_scale =
        state.loss_scale > 2.0f ? f32::Div(state.loss_scale, 2) : 1.0f;
  } else if (++state.good_steps == kLossScaleGrowthInterval) {
    state.good_steps = 0;
    if (state.loss_scale < kLargestLossScale) {
      state.loss_scale = f32::Mul(state.loss_scale, 2);
    }
  }
  return state;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_LOSS_SCALE_H_
