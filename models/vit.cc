#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {
namespace {

constexpr int64_t kPatch = 6;  // pixels to a side
constexpr int64_t kHeads = 4;
constexpr double kDropout = 0.1;
constexpr double kEpsilon = 1e-6;

}  // namespace

absl::StatusOr<Graph> BuildViT(int layers, const ModelOptions& options) {
  GraphBuilder b;
  const int64_t features = options.Channels(64);  // also the size of a key
  const int64_t hidden = options.Channels(512);
  const auto dense_gelu = [&](TensorId x, int64_t units) {
    return b.Gelu(b.Dense(x, units));
  };
  const auto add_and_norm = [&](TensorId x, TensorId y) {
    return b.LayerNorm(b.Add(x, b.Dropout(y, kDropout)), kEpsilon);
  };
  TensorId x = b.Dense(b.Patches(b.Input(options.Image()), kPatch), features);
  x = b.PositionEmbedding(x);
  for (int layer = 0; layer < layers; ++layer) {
    x = add_and_norm(x, b.MultiHeadAttention(x, kHeads, features));
    x = add_and_norm(x, b.Dense(dense_gelu(x, hidden), features));
  }
  x = b.Dropout(b.Flatten(b.LayerNorm(x, kEpsilon)), 0.5);
  x = dense_gelu(dense_gelu(x, hidden), options.Channels(256));
  return std::move(b).Classifier(b.Dense(x, options.classes));
}

}  // namespace repro16
