#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {

absl::StatusOr<Graph> BuildAlexNet(const ModelOptions& options) {
  GraphBuilder b;
  const auto conv = [&](TensorId x, int64_t filters, int64_t stride = 1) {
    return b.Relu(
        b.Conv2D(x, options.Channels(filters), Window::Square(3, stride)));
  };
  TensorId x = conv(b.Input(options.Image()), 64, /*stride=*/2);
  x = b.MaxPool(x, Window::Square(2, 2));
  x = b.MaxPool(conv(x, 96), Window::Square(3, 2));
  x = conv(conv(conv(x, 256), 256), 512);
  x = b.Flatten(b.MaxPool(x, Window::Square(3, 2)));
  for (int layer = 0; layer < 2; ++layer) {
    x = b.Dropout(b.Tanh(b.Dense(x, options.Channels(4096))), 0.5);
  }
  return std::move(b).Classifier(b.Dense(x, options.classes));
}

}  // namespace repro16
