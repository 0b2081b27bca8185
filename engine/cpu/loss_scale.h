// Dynamic loss scaling, as Keras' LossScaleOptimizer does it.
#ifndef REPRO16_ENGINE_CPU_LOSS_SCALE_H_
#define REPRO16_ENGINE_CPU_LOSS_SCALE_H_

#include <cstdint>

namespace repro16 {

// The factor by which the loss, and with it every gradient, is multiplied.
class LossScale {
 public:
  // Disabled: the factor is 1 and every step is accepted.
  explicit LossScale(bool enabled)
      : enabled_(enabled), scale_(enabled ? kInitial : 1.0f) {}

  float scale() const { return scale_; }

  // Finite steps in a row since the scale last changed.
  int good_steps() const { return good_steps_; }

  // Goes on from what another one was; no effect where disabled.
  void Restore(float scale, int good_steps) {
    if (!enabled_) return;
    scale_ = scale;
    good_steps_ = good_steps;
  }

  // After the backward pass: whether the update may be made. A step with an
  // infinity or NaN among its weight gradients (batch normalisation's, which
  // are f32, too) is skipped and halves the scale (never under 1);
  // kGrowthInterval finite steps in a row double it. A doubling that would
  // leave the range of f32 does not happen.
  bool Accept(bool finite) {
    if (!enabled_) return true;
    if (!finite) {
      good_steps_ = 0;
      scale_ = scale_ > 2.0f ? scale_ / 2 : 1.0f;
      return false;
    }
    if (++good_steps_ == kGrowthInterval) {
      good_steps_ = 0;
      if (scale_ < kLargest) scale_ *= 2;
    }
    return true;
  }

 private:
  static constexpr float kInitial = 32768;  // 2^15
  static constexpr float kLargest = 0x1p127f;
  static constexpr int kGrowthInterval = 2000;

  bool enabled_;
  float scale_;
  int good_steps_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_LOSS_SCALE_H_
