// The networks of the paper, a function for each family. Users take them by
// name from models/registry.h; models/README.md tells where each comes from.
//
// Unless said otherwise: weights are Glorot-uniform, biases zero, convolutions
// have biases and "same" padding, batch normalisation has epsilon 1e-3 and
// momentum 0.99, and all ends in a dense layer of `classes` logits. Numbers of
// parameters are those at width 1 with 10 classes and the usual images; they
// include moving statistics. An image that a network cannot take is an error
// that names the operation and the shapes.
#ifndef REPRO16_MODELS_NETWORKS_H_
#define REPRO16_MODELS_NETWORKS_H_

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "models/model_options.h"

namespace repro16 {

// Krizhevsky et al. (2012), as the paper's code cut it down for small images:
// five 3 x 3 convolutions, dense 4096 tanh twice with dropout 0.5. 20,972,394.
absl::StatusOr<Graph> BuildAlexNet(const ModelOptions& options);

// Simonyan and Zisserman (2015), with a batch normalisation after each of the
// first four pools and one before the dense layers. `depth`: 16 (33,644,106) or
// 19 (38,953,802).
absl::StatusOr<Graph> BuildVgg(int depth, const ModelOptions& options);

// He et al. (2016), Identity Mappings, for CIFAR: `depth` = 6 n + 2, n units in
// each of three stages of 16, 32 and 64 channels, shortcuts without parameters,
// L2 1e-4 on all convolution kernels and on the classifier's. 32 (467,562), 56
// (859,114), 110 (1,740,106).
absl::StatusOr<Graph> BuildResNetCifar(int depth, const ModelOptions& options);

// He et al. (2016), Identity Mappings, with a 3 x 3 stem for small images, two
// convolutions a unit, no biases, He-normal weights. `depth`: 18 (11,179,978)
// or 34 (21,295,562).
absl::StatusOr<Graph> BuildResNetPreact(int depth, const ModelOptions& options);

// Huang et al. (2017) as keras.applications has it: epsilon 1.001e-5, no biases
// but the classifier's; the width scales the growth rate. `depth`: 121
// (7,047,754) or 169 (12,659,530).
absl::StatusOr<Graph> BuildDenseNet(int depth, const ModelOptions& options);

// Chollet (2017) as keras.applications has it, then dense 1024 ReLU; no biases
// but the dense layers'. 22,969,906.
absl::StatusOr<Graph> BuildXception(const ModelOptions& options);

// Sandler et al. (2018) as keras.applications has it: no biases but the
// classifier's, momentum 0.999. The width is Keras' alpha: channels are
// multiples of 8, at least 8, and the last convolution's 1280 grow above 1
// but do not shrink below. 2,270,794.
absl::StatusOr<Graph> BuildMobileNetV2(const ModelOptions& options);

// Dosovitskiy et al. (2021), post-norm as the paper's code has it: patches of 6
// x 6, 64 channels, 4 heads, `layers` blocks: 8 (2,024,202) or 12 (2,555,146).
absl::StatusOr<Graph> BuildViT(int layers, const ModelOptions& options);

// Flatten, dense 512 ReLU, dense 256 ReLU; 535,818. The paper does not say
// which network it trained on MNIST (section 3.3); this is our choice.
absl::StatusOr<Graph> BuildMlp(const ModelOptions& options);

}  // namespace repro16

#endif  // REPRO16_MODELS_NETWORKS_H_
