#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

struct Block {
  int layers_121;  // in DenseNet-121
  int layers_169;
};

constexpr Block kBlocks[] = {{6, 6}, {12, 12}, {24, 32}, {16, 32}};

class DenseNet {
 public:
  explicit DenseNet(const ModelOptions& options)
      : options_(options), growth_(options.Channels(32)) {}

  absl::StatusOr<Graph> Build(int depth) && {
    int64_t channels = options_.Channels(64);
    TensorId x = b_.ZeroPad(b_.Input(options_.Image()), 3, 3, 3, 3);
    x = Activate(Conv(x, channels, 7, 2));
    x = b_.MaxPool(b_.ZeroPad(x, 1, 1, 1, 1), Window::Square(3, 2));
    bool first = true;
    for (const Block& block : kBlocks) {
      if (!first) {
        channels /= 2;
        x = b_.AveragePool(Conv(Activate(x), channels, 1, 1),
                           Window::Square(2, 2));
      }
      first = false;
      const int layers = depth == 121 ? block.layers_121 : block.layers_169;
      for (int i = 0; i < layers; ++i) x = Layer(x);
      channels += layers * growth_;
    }
    x = b_.GlobalAveragePool(Activate(x));
    return std::move(b_).Classifier(b_.Dense(x, options_.classes));
  }

 private:
  TensorId Activate(TensorId x) {
    return b_.Relu(b_.BatchNorm(x, 1.001e-5, options_.BatchNormMomentum()));
  }

  TensorId Conv(TensorId x, int64_t filters, int64_t size, int64_t stride) {
    ConvOptions conv;
    conv.bias = false;
    // The stem is padded before it; its window leaves TensorFlow's "same".
    if (stride > 1) conv.padding = Padding::kValid;
    return b_.Conv2D(x, filters, Window::Square(size, stride), conv);
  }

  TensorId Layer(TensorId x) {
    const TensorId narrow = Conv(Activate(x), 4 * growth_, 1, 1);
    return b_.Concat({x, Conv(Activate(narrow), growth_, 3, 1)});
  }

  const ModelOptions& options_;
  const int64_t growth_;  // channels that a layer adds
  GraphBuilder b_;
};

}  // namespace

absl::StatusOr<Graph> BuildDenseNet(int depth, const ModelOptions& options) {
  return DenseNet(options).Build(depth);
}

}  // namespace repro16
