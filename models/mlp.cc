#include <utility>

#include "engine/graph/builder.h"
#include "models/networks.h"

namespace repro16 {

absl::StatusOr<Graph> BuildMlp(const ModelOptions& options) {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(options.image.value_or(Shape({28, 28, 1}))));
  for (int64_t units : {512, 256}) {
    x = b.Relu(b.Dense(x, options.Channels(units)));
  }
  return std::move(b).Classifier(b.Dense(x, options.classes));
}

}  // namespace repro16
