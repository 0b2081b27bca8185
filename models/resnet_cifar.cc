#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

constexpr double kL2 = 1e-4;

class ResNetCifar {
 public:
  explicit ResNetCifar(const ModelOptions& options) : options_(options) {}

  absl::StatusOr<Graph> Build(int units) && {
    channels_ = options_.Channels(16);
    TensorId x = Conv(b_.Input(options_.Image()), channels_, 1);
    for (int64_t stage_channels : {16, 32, 64}) {
      for (int unit = 0; unit < units; ++unit) {
        x = Unit(
            x, options_.Channels(stage_channels),
            stage_channels > 16 && unit == 0 ? 2 : 1,
            /*shortcut_from_activation=*/stage_channels == 16 && unit == 0);
      }
    }
    x = b_.GlobalAveragePool(Activate(x));
    // A 1 x 1 convolution of the mean, with its regulariser.
    x = b_.Dense(x, options_.classes, Initializer::kGlorotUniform, kL2);
    return std::move(b_).Classifier(x);
  }

 private:
  TensorId Activate(TensorId x) {
    return b_.Relu(b_.BatchNorm(x, 1e-3, options_.BatchNormMomentum()));
  }

  TensorId Conv(TensorId x, int64_t filters, int64_t stride) {
    ConvOptions conv;
    conv.l2 = kL2;
    return b_.Conv2D(x, filters, Window::Square(3, stride), conv);
  }

  TensorId Unit(TensorId x, int64_t channels, int64_t stride,
                bool shortcut_from_activation) {
    const TensorId activated = Activate(x);
    TensorId shortcut = shortcut_from_activation ? activated : x;
    if (stride > 1) {
      const int64_t more = channels - channels_;
      shortcut = b_.PadChannels(
          b_.AveragePool(shortcut, Window::Square(2, stride), Padding::kSame),
          more / 2, more - more / 2);
    }
    channels_ = channels;
    const TensorId inner = Activate(Conv(activated, channels, stride));
    return b_.Add(Conv(inner, channels, 1), shortcut);
  }

  const ModelOptions& options_;
  GraphBuilder b_;
  int64_t channels_ = 0;  // of the tensor that the next unit reads
};

}  // namespace

absl::StatusOr<Graph> BuildResNetCifar(int depth, const ModelOptions& options) {
  return ResNetCifar(options).Build((depth - 2) / 6);
}

}  // namespace repro16
