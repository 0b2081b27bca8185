#include "models/mlp.h"

#include <utility>

#include "engine/graph/builder.h"

namespace repro16 {

absl::StatusOr<Graph> BuildMlp() {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  for (int64_t units : {512, 256}) x = b.Relu(b.Dense(x, units));
  return std::move(b).Classifier(b.Dense(x, 10));
}

}  // namespace repro16
