// The network of figures 1 and 2.
#ifndef REPRO16_MODELS_MLP_H_
#define REPRO16_MODELS_MLP_H_

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace repro16 {

// 28 x 28 x 1 images: flatten, dense 512 ReLU, dense 256 ReLU, dense 10;
// 535,818 parameters, Glorot-uniform. The paper does not say which network it
// trained on MNIST (section 3.3); this is our choice.
absl::StatusOr<Graph> BuildMlp();

}  // namespace repro16

#endif  // REPRO16_MODELS_MLP_H_
