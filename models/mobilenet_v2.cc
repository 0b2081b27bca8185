#include <algorithm>
#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

// Table 2 of the paper of Sandler et al.
struct Stage {
  int64_t expansion;
  int64_t filters;
  int units;
  int64_t stride;  // of the first unit
};

constexpr Stage kStages[] = {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2},
                             {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2},
                             {6, 320, 1, 1}};

// The nearest multiple of 8, at least 8 and not under 0.9 * v: Keras'
// _make_divisible.
int64_t MakeDivisible(double v) {
  const int64_t nearest =
      std::max<int64_t>(8, static_cast<int64_t>(v + 4) / 8 * 8);
  return static_cast<double>(nearest) < 0.9 * v ? nearest + 8 : nearest;
}

class MobileNetV2 {
 public:
  explicit MobileNetV2(const ModelOptions& options) : options_(options) {}

  absl::StatusOr<Graph> Build() && {
    const double width = options_.width;
    const Shape image = options_.Image();
    TensorId x = b_.Input(image);
    channels_ = MakeDivisible(32 * width);
    x = b_.Relu6(Conv(x, channels_, Window::Square(3, 2)));
    height_ = (image[0] + 1) / 2;
    width_ = (image[1] + 1) / 2;
    for (const Stage& stage : kStages) {
      // Keras drops the fraction first.
      const auto filters =
          static_cast<int64_t>(static_cast<double>(stage.filters) * width);
      for (int unit = 0; unit < stage.units; ++unit) {
        x = Unit(x, stage.expansion,
                 MakeDivisible(static_cast<double>(filters)),
                 unit == 0 ? stage.stride : 1);
      }
    }
    const int64_t last = width > 1 ? MakeDivisible(1280 * width) : 1280;
    x = b_.Relu6(Conv(x, last, Window::Square(1)));
    x = b_.GlobalAveragePool(x);
    return std::move(b_).Classifier(b_.Dense(x, options_.classes));
  }

 private:
  TensorId Normalize(TensorId x) {
    return b_.BatchNorm(x, 1e-3, options_.BatchNormMomentum(0.999));
  }

  TensorId Conv(TensorId x, int64_t filters, Window window) {
    ConvOptions conv;
    conv.bias = false;
    return Normalize(b_.Conv2D(x, filters, window, conv));
  }

  TensorId Depthwise(TensorId x, int64_t stride) {
    ConvOptions conv;
    conv.bias = false;
    if (stride == 2) {
      // Keras' correct_pad: one row and column less before even sizes.
      x = b_.ZeroPad(x, height_ % 2, 1, width_ % 2, 1);
      conv.padding = Padding::kValid;
      height_ = (height_ + 1) / 2;
      width_ = (width_ + 1) / 2;
    }
    return Normalize(b_.DepthwiseConv2D(x, Window::Square(3, stride), conv));
  }

  TensorId Unit(TensorId x, int64_t expansion, int64_t filters,
                int64_t stride) {
    const bool residual = stride == 1 && filters == channels_;
    TensorId y = x;
    if (expansion > 1) {
      y = b_.Relu6(Conv(y, expansion * channels_, Window::Square(1)));
    }
    y = b_.Relu6(Depthwise(y, stride));
    y = Conv(y, filters, Window::Square(1));
    channels_ = filters;
    return residual ? b_.Add(x, y) : y;
  }

  const ModelOptions& options_;
  GraphBuilder b_;
  // Of the tensor that the next unit reads.
  int64_t channels_ = 0;
  int64_t height_ = 0;
  int64_t width_ = 0;
};

}  // namespace

absl::StatusOr<Graph> BuildMobileNetV2(const ModelOptions& options) {
  return MobileNetV2(options).Build();
}

}  // namespace repro16
