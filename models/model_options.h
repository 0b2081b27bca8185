// What can be chosen of a network besides its name.
#ifndef REPRO16_MODELS_MODEL_OPTIONS_H_
#define REPRO16_MODELS_MODEL_OPTIONS_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "engine/tensor/shape.h"

namespace repro16 {

struct ModelOptions {
  int64_t classes = 10;
  // Factor of the hidden channel counts, in (0, kMaxWidth]; depth, windows,
  // attention heads and dropout rates stay. See Channels; MobileNetV2 has
  // Keras' rule of its own.
  double width = 1;
  // In [0, 1). Absent: each network's own.
  std::optional<double> batch_norm_momentum;
  // [H, W, C]. Absent: 32 x 32 x 3; of the MLP 28 x 28 x 1.
  std::optional<Shape> image;

  static constexpr double kMaxWidth = 16;

  // Channels of a layer that has `own` of them at width 1: own * width rounded
  // to the nearest integer, halves up, and at least 1.
  int64_t Channels(int64_t own) const {
    return std::max<int64_t>(1, std::llround(static_cast<double>(own) * width));
  }
  double BatchNormMomentum(double own = 0.99) const {
    return batch_norm_momentum.value_or(own);
  }
  Shape Image() const { return image.value_or(Shape({32, 32, 3})); }
};

}  // namespace repro16

#endif  // REPRO16_MODELS_MODEL_OPTIONS_H_
