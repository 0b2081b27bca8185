#include <iterator>
#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

struct Block {
  int convolutions_16;  // in VGG-16
  int convolutions_19;
  int64_t filters;
};

constexpr Block kBlocks[] = {
    {2, 2, 64}, {2, 2, 128}, {3, 4, 256}, {3, 4, 512}, {3, 4, 512}};

}  // namespace

absl::StatusOr<Graph> BuildVgg(int depth, const ModelOptions& options) {
  GraphBuilder b;
  const auto batch_norm = [&](TensorId x) {
    return b.BatchNorm(x, 1e-3, options.BatchNormMomentum());
  };
  TensorId x = b.Input(options.Image());
  for (const Block& block : kBlocks) {
    const int convolutions =
        depth == 16 ? block.convolutions_16 : block.convolutions_19;
    for (int i = 0; i < convolutions; ++i) {
      x = b.Relu(
          b.Conv2D(x, options.Channels(block.filters), Window::Square(3)));
    }
    x = b.MaxPool(x, Window::Square(2, 2));
    const bool last = &block == std::prev(std::end(kBlocks));
    x = batch_norm(last ? b.Flatten(x) : x);
  }
  for (int layer = 0; layer < 2; ++layer) {
    x = b.Relu(b.Dense(x, options.Channels(4096)));
  }
  return std::move(b).Classifier(b.Dense(x, options.classes));
}

}  // namespace repro16
