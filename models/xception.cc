#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

class Xception {
 public:
  explicit Xception(const ModelOptions& options) : options_(options) {}

  absl::StatusOr<Graph> Build() && {
    TensorId x = b_.Input(options_.Image());
    x = b_.Relu(Conv(x, 32, Window::Square(3, 2), Padding::kValid));
    x = b_.Relu(Conv(x, 64, Window::Square(3), Padding::kValid));
    x = Downsample(x, 128, 128, /*activate=*/false);
    x = Downsample(x, 256, 256);
    x = Downsample(x, 728, 728);
    for (int i = 0; i < 8; ++i) x = Middle(x);
    x = Downsample(x, 728, 1024);
    x = b_.Relu(Separable(x, 1536));
    x = b_.Relu(Separable(x, 2048));
    x = b_.Relu(b_.Dense(b_.GlobalAveragePool(x), options_.Channels(1024)));
    return std::move(b_).Classifier(b_.Dense(x, options_.classes));
  }

 private:
  TensorId Normalize(TensorId x) {
    return b_.BatchNorm(x, 1e-3, options_.BatchNormMomentum());
  }

  TensorId Conv(TensorId x, int64_t filters, Window window, Padding padding) {
    ConvOptions conv;
    conv.padding = padding;
    conv.bias = false;
    return Normalize(b_.Conv2D(x, options_.Channels(filters), window, conv));
  }

  TensorId Separable(TensorId x, int64_t filters) {
    ConvOptions conv;
    conv.bias = false;
    return Normalize(b_.SeparableConv2D(x, options_.Channels(filters),
                                        Window::Square(3), conv));
  }

  TensorId Downsample(TensorId x, int64_t filters_1, int64_t filters_2,
                      bool activate = true) {
    const TensorId shortcut =
        Conv(x, filters_2, Window::Square(1, 2), Padding::kSame);
    if (activate) x = b_.Relu(x);
    x = Separable(b_.Relu(Separable(x, filters_1)), filters_2);
    return b_.Add(b_.MaxPool(x, Window::Square(3, 2), Padding::kSame),
                  shortcut);
  }

  TensorId Middle(TensorId x) {
    const TensorId shortcut = x;
    for (int i = 0; i < 3; ++i) x = Separable(b_.Relu(x), 728);
    return b_.Add(x, shortcut);
  }

  const ModelOptions& options_;
  GraphBuilder b_;
};

}  // namespace

absl::StatusOr<Graph> BuildXception(const ModelOptions& options) {
  return Xception(options).Build();
}

}  // namespace repro16
