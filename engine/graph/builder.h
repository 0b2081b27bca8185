// Builds a Graph operation by operation, inferring shapes as it goes.
//
//   GraphBuilder b;
//   TensorId x = b.Input(Shape({28, 28, 1}));
//   x = b.Relu(b.Dense(b.Flatten(x), 512));
//   ASSIGN_OR_RETURN(Graph graph, std::move(b).Classifier(b.Dense(x, 10)));
#ifndef REPRO16_ENGINE_GRAPH_BUILDER_H_
#define REPRO16_ENGINE_GRAPH_BUILDER_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace repro16 {

// TensorFlow's paddings. kSame: ceil(size / stride) outputs, for which
// max(0, (outputs - 1) * stride + window - size) rows or columns are padded;
// half of them, rounded down, are at the top or left, the others at the bottom
// or right. kValid: none.
enum class Padding : uint8_t { kValid, kSame };

struct Window {
  int64_t height;
  int64_t width;
  int64_t stride = 1;

  static Window Square(int64_t size, int64_t stride = 1) {
    return {size, size, stride};
  }
};

struct ConvOptions {
  Padding padding = Padding::kSame;
  bool bias = true;
  Initializer initializer = Initializer::kGlorotUniform;
  double l2 = 0;  // of the kernel
};

// Every method returns the tensor that the new operation writes. An operation
// that does not fit its inputs is remembered; Build and Classifier return the
// first such error, naming the operations and their shapes, so that calls can
// be chained without checks.
class GraphBuilder {
 public:
  // The network's input, without the batch axis. Called once, first.
  TensorId Input(Shape shape);

  // x: [N, .., in] to [N, .., units]. Kernel [in, units] by `initializer` with
  // the fans in and units, bias [units] zeros.
  TensorId Dense(TensorId x, int64_t units,
                 Initializer initializer = Initializer::kGlorotUniform,
                 double l2 = 0);

  // x: [N, H, W, C] to [N, H', W', filters]. Kernel [height, width, C,
  // filters] with the fans height * width * C and height * width * filters,
  // bias [filters] zeros.
  TensorId Conv2D(TensorId x, int64_t filters, Window window,
                  const ConvOptions& options = {});
  // x: [N, H, W, C] to [N, H', W', C]. Kernel [height, width, C, 1] with the
  // fans height * width * C and height * width, as Keras takes them.
  TensorId DepthwiseConv2D(TensorId x, Window window,
                           const ConvOptions& options = {});
  // Depthwise, then a 1 x 1 convolution to `filters` channels. With a bias, the
  // second one has it, as Keras' SeparableConv2D.
  TensorId SeparableConv2D(TensorId x, int64_t filters, Window window,
                           const ConvOptions& options = {});

  // Over the last axis, each channel normalised over all others. Parameters
  // gamma (ones), beta (zeros), moving_mean (zeros), moving_variance (ones).
  TensorId BatchNorm(TensorId x, double epsilon = 1e-3, double momentum = 0.99);
  // Each row normalised over the last axis (at most kMaxRow long). Parameters
  // gamma, beta.
  TensorId LayerNorm(TensorId x, double epsilon);

  TensorId Relu(TensorId x);
  TensorId Relu6(TensorId x);
  TensorId Tanh(TensorId x);
  TensorId Gelu(TensorId x);
  // Over the last axis (at most kMaxRow long).
  TensorId Softmax(TensorId x);
  // y = x * r(factor).
  TensorId Scale(TensorId x, double factor);
  // rate in [0, 1).
  TensorId Dropout(TensorId x, double rate);
  TensorId Flatten(TensorId x);
  // a and b of one shape.
  TensorId Add(TensorId a, TensorId b);
  // Along the last axis; the other axes agree. At least one tensor.
  TensorId Concat(const std::vector<TensorId>& parts);

  // x: [N, H, W, C].
  TensorId MaxPool(TensorId x, Window window,
                   Padding padding = Padding::kValid);
  TensorId AveragePool(TensorId x, Window window,
                       Padding padding = Padding::kValid);
  // To [N, C].
  TensorId GlobalAveragePool(TensorId x);
  TensorId ZeroPad(TensorId x, int64_t top, int64_t bottom, int64_t left,
                   int64_t right);
  TensorId PadChannels(TensorId x, int64_t before, int64_t after);

  // [N, H, W, C] to [N, patches, size * size * C]: squares of `size` pixels
  // beside each other, in row order, each in order (row, column, channel); what
  // is left at the right and bottom is dropped.
  TensorId Patches(TensorId x, int64_t size);
  // x: [N, T, C]. Parameter [T, C], uniform in [-0.05, 0.05) as Keras'
  // Embedding.
  TensorId PositionEmbedding(TensorId x);
  // x: [N, T, C]. Vaswani et al. (2017), section 3.2.2, as Keras'
  // MultiHeadAttention: queries, keys and values of `heads` * `key_size`, the
  // query times 1 / sqrt(key_size), scores, softmax, context, and a projection
  // back to C, each an operation of its own, in this order, with biases.
  // Initial weights are Glorot-uniform with the fans that Keras takes from its
  // kernels: heads * C and key_size * C; of the last one key_size * heads and C
  // * heads.
  TensorId MultiHeadAttention(TensorId x, int64_t heads, int64_t key_size);

  // Finishes a graph that ends at `output`, without a loss.
  absl::StatusOr<Graph> Build(TensorId output) &&;

  // Finishes a classifier: `logits` [N, classes] feed a softmax (evaluation)
  // and a softmax cross entropy (training).
  absl::StatusOr<Graph> Classifier(TensorId logits) &&;

 private:
  TensorId AddOp(OpKind kind, std::vector<TensorId> inputs, Shape output,
                 OpAttributes attributes = {});
  // y of x's shape.
  TensorId Map(OpKind kind, TensorId x, OpAttributes attributes = {});
  TensorId DenseWithFans(TensorId x, int64_t units, Initializer initializer,
                         double l2, int64_t fan_in, int64_t fan_out);
  TensorId Pool(OpKind kind, TensorId x, Window window, Padding padding);
  // Adds it to the last operation.
  void AddParameter(std::string_view name, Parameter parameter);
  // The window's place and the output's height and width (in `output`); an
  // error if the window is not positive or does not fit.
  bool PlaceWindow(OpKind kind, TensorId x, const Window& window,
                   Padding padding, WindowAttributes& attributes,
                   Shape& output);

  // False, and an error unless there is one already, if no such tensor exists
  // or its rank is not the one that `kind` needs.
  bool Valid(TensorId id);
  bool HasRank(OpKind kind, TensorId x, size_t rank, std::string_view layout);
  TensorId Fail(std::string message);  // kNoTensor
  const Shape& ShapeOf(TensorId id) const { return graph_.tensors[id].shape; }
  std::string Describe(TensorId id) const;
  std::string NextName(OpKind kind);

  Graph graph_;
  std::vector<int> name_counts_;
  absl::Status error_;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BUILDER_H_
