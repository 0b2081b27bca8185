#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

struct Stage {
  int units_18;  // in ResNet-18
  int units_34;
  int64_t channels;
  int64_t stride;
};

constexpr Stage kStages[] = {
    {2, 3, 64, 1}, {2, 4, 128, 2}, {2, 6, 256, 2}, {2, 3, 512, 2}};

class ResNetPreact {
 public:
  explicit ResNetPreact(const ModelOptions& options) : options_(options) {}

  absl::StatusOr<Graph> Build(int depth) && {
    channels_ = options_.Channels(64);
    TensorId x = Conv(b_.Input(options_.Image()), channels_, 3, 1);
    for (const Stage& stage : kStages) {
      const int units = depth == 18 ? stage.units_18 : stage.units_34;
      for (int unit = 0; unit < units; ++unit) {
        x = Unit(x, options_.Channels(stage.channels),
                 unit == 0 ? stage.stride : 1);
      }
    }
    x = b_.GlobalAveragePool(Activate(x));
    x = b_.Dense(x, options_.classes, Initializer::kHeNormal);
    return std::move(b_).Classifier(x);
  }

 private:
  TensorId Activate(TensorId x) {
    return b_.Relu(b_.BatchNorm(x, 1e-3, options_.BatchNormMomentum()));
  }

  TensorId Conv(TensorId x, int64_t filters, int64_t size, int64_t stride) {
    ConvOptions conv;
    conv.bias = false;
    conv.initializer = Initializer::kHeNormal;
    return b_.Conv2D(x, filters, Window::Square(size, stride), conv);
  }

  TensorId Unit(TensorId x, int64_t channels, int64_t stride) {
    const TensorId activated = Activate(x);
    const bool same = stride == 1 && channels == channels_;
    const TensorId shortcut = same ? x : Conv(activated, channels, 1, stride);
    channels_ = channels;
    const TensorId inner = Activate(Conv(activated, channels, 3, stride));
    return b_.Add(Conv(inner, channels, 3, 1), shortcut);
  }

  const ModelOptions& options_;
  GraphBuilder b_;
  int64_t channels_ = 0;  // of the tensor that the next unit reads
};

}  // namespace

absl::StatusOr<Graph> BuildResNetPreact(int depth,
                                        const ModelOptions& options) {
  return ResNetPreact(options).Build(depth);
}

}  // namespace repro16
