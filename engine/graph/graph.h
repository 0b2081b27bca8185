// A network as data: operations joined by tensors, and the parameters they
// read.
//
// The graph is the specification of a network's arithmetic: each tensor is
// rounded once, where the operation that writes it stores it. What a backend
// fuses must keep the bits of this graph.
#ifndef REPRO16_ENGINE_GRAPH_GRAPH_H_
#define REPRO16_ENGINE_GRAPH_GRAPH_H_

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/graph/fused_activation.h"
#include "engine/graph/op_kind.h"
#include "engine/tensor/shape.h"

namespace repro16 {

// Indices into Graph's lists.
using TensorId = int32_t;
using ParameterId = int32_t;
using OpId = int32_t;

inline constexpr TensorId kNoTensor = -1;

// Labels are bytes.
inline constexpr int64_t kMaxClasses = 256;

// The longest row of a softmax or a layer normalisation: one chunk of the order
// of sums.
inline constexpr int64_t kMaxRow = 256;

// How a parameter is drawn before training. Draws are f32, then rounded to the
// storage type: the same seed gives every policy the same draw.
enum class Initializer : uint8_t {
  kZeros,
  kOnes,
  // Uniform in [-l, l), l = sqrt(6 / (fan_in + fan_out)) (Glorot and Bengio,
  // 2010, equation 16).
  kGlorotUniform,
  // Normal with sd sqrt(2 / fan_in) (He et al., 2015, equation 10), truncated
  // at two standard deviations and rescaled as Keras' he_normal does.
  kHeNormal,
  // Uniform in [-0.05, 0.05): Keras' RandomUniform, for embeddings.
  kUniform,
};

enum class ParameterRole : uint8_t {
  kWeight,
  // Scale and offset of a batch normalisation: trained, stored in the policy's
  // `batch_norm` type.
  kBatchNorm,
  // Its moving mean and variance: stored likewise, moved by the forward pass of
  // training, not by the optimizer.
  kMovingStatistic,
};

struct Parameter {
  std::string name;  // unique, e.g. "dense_1/kernel"
  Shape shape;
  Initializer initializer;
  int64_t fan_in = 0;
  int64_t fan_out = 0;
  // Factor l of the L2 term l * sum(w^2); adds 2 l w to the gradient.
  double l2 = 0;
  ParameterRole role = ParameterRole::kWeight;

  bool trainable() const { return role != ParameterRole::kMovingStatistic; }
};

// A tensor that joins operations. Its shape leaves out the batch axis, which
// is the first one of every tensor: [H, W, C] stands for [N, H, W, C].
struct Tensor {
  std::string name;  // of the operation that writes it
  Shape shape;
};

struct DropoutAttributes {
  double rate;      // probability of dropping, in [0, 1)
  uint32_t stream;  // part of the masks' random stream: the operation's index
};

// A window that slides over H and W: output (h, w) covers the input rows
// h * stride - pad_top + [0, height) and columns w * stride - pad_left +
// [0, width); those outside the input are padding.
struct WindowAttributes {
  int64_t height;
  int64_t width;
  int64_t stride;
  int64_t pad_top;
  int64_t pad_left;
};

struct BatchNormAttributes {
  double epsilon;  // rounded to f32
  double momentum;
  FusedActivation activation = FusedActivation::kNone;
};

struct LayerNormAttributes {
  double epsilon;  // rounded to f32
};

// kZeroPad: rows above and columns to the left of the input (the rest follows
// from the shapes). kPadChannels: `before` channels.
struct PadAttributes {
  int64_t top = 0;
  int64_t left = 0;
  int64_t before = 0;
};

struct PatchAttributes {
  int64_t size;  // and stride
};

struct ScaleAttributes {
  double factor;
};

struct AttentionAttributes {
  int64_t heads;
};

using OpAttributes =
    std::variant<std::monostate, DropoutAttributes, WindowAttributes,
                 BatchNormAttributes, LayerNormAttributes, PadAttributes,
                 PatchAttributes, ScaleAttributes, AttentionAttributes>;

struct Op {
  OpKind kind;
  std::string name;              // unique within the graph
  std::vector<TensorId> inputs;  // written by earlier operations
  std::vector<ParameterId> parameters;
  TensorId output;
  OpAttributes attributes;
};

// Operations in an order in which each reads only what earlier ones wrote.
struct Graph {
  std::vector<Op> ops;
  std::vector<Tensor> tensors;
  std::vector<Parameter> parameters;

  TensorId input = kNoTensor;
  TensorId output = kNoTensor;  // of the last operation before the loss
  // Written by kSoftmaxCrossEntropy ([N] losses, f32) and kSoftmax ([N,
  // classes] in the policy's activation type); kNoTensor in a graph without a
  // loss.
  TensorId loss = kNoTensor;
  TensorId probabilities = kNoTensor;

  // Elements of all parameters together.
  int64_t ParameterCount() const;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_GRAPH_H_
