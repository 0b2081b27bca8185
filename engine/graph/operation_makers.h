// From an operation of a graph to what computes it: the same for every backend
// but for the makers.
#ifndef REPRO16_ENGINE_GRAPH_OPERATION_MAKERS_H_
#define REPRO16_ENGINE_GRAPH_OPERATION_MAKERS_H_

#include <cstdint>
#include <memory>
#include <variant>

#include "engine/graph/graph.h"
#include "engine/graph/operation_shapes.h"
#include "engine/graph/window.h"
#include "engine/numerics/policy.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A backend's functions that make its operations. Shapes are those of one
// example; DType is the accumulator of dot products (PrecisionPolicy).
template <class Operation>
struct OperationMakers {
  template <class... Args>
  using Maker = std::unique_ptr<Operation> (*)(Args...);

  // Rows of an example, features, units.
  Maker<int64_t, int64_t, int64_t, DType> dense;
  Maker<const ImageWindow&, DType> conv2d;
  Maker<const ImageWindow&, DType> depthwise_conv2d;
  Maker<const Shape&, const BatchNormAttributes&> batch_norm;
  Maker<const Shape&, const LayerNormAttributes&> layer_norm;
  Maker<UnaryFunction> unary;
  Maker<double, uint32_t> dropout;  // rate, stream
  Maker<> copy;
  Maker<> add;
  Maker<const Shape&> concat;  // output
  Maker<const ImageWindow&> max_pool;
  Maker<const ImageWindow&> average_pool;
  Maker<const Shape&> global_average_pool;
  // Input, output.
  Maker<const Shape&, const Shape&, const PadAttributes&> zero_pad;
  Maker<const Shape&, const Shape&, const PadAttributes&> pad_channels;
  Maker<const Shape&, const PatchAttributes&> patches;
  Maker<const Shape&> position_embedding;
  Maker<const ScaleAttributes&> scale;
  Maker<const AttentionShape&, DType> attention_scores;
  Maker<const AttentionShape&, DType> attention_context;
  Maker<int64_t> softmax;  // columns
  Maker<> softmax_cross_entropy;
};

template <class Operation>
std::unique_ptr<Operation> MakeOperation(const OperationMakers<Operation>& make,
                                         const Graph& graph, const Op& op,
                                         const PrecisionPolicy& policy) {
  const Shape& out = graph.tensors[op.output].shape;
  const Shape& in = graph.tensors[op.inputs[0]].shape;
  switch (op.kind) {
    case OpKind::kDense: {
      const Shape& kernel = graph.parameters[op.parameters[0]].shape;
      return make.dense(in.NumElements() / kernel[0], kernel[0], kernel[1],
                        policy.accumulator);
    }
    case OpKind::kConv2D:
      return make.conv2d(WindowOf(graph, op), policy.accumulator);
    case OpKind::kDepthwiseConv2D:
      return make.depthwise_conv2d(WindowOf(graph, op), policy.accumulator);
    case OpKind::kBatchNorm:
      return make.batch_norm(in, std::get<BatchNormAttributes>(op.attributes));
    case OpKind::kLayerNorm:
      return make.layer_norm(in, std::get<LayerNormAttributes>(op.attributes));
    case OpKind::kRelu:
      return make.unary(UnaryFunction::kRelu);
    case OpKind::kRelu6:
      return make.unary(UnaryFunction::kRelu6);
    case OpKind::kTanh:
      return make.unary(UnaryFunction::kTanh);
    case OpKind::kGelu:
      return make.unary(UnaryFunction::kGelu);
    case OpKind::kDropout: {
      const auto& dropout = std::get<DropoutAttributes>(op.attributes);
      return make.dropout(dropout.rate, dropout.stream);
    }
    case OpKind::kFlatten:
      return make.copy();
    case OpKind::kAdd:
      return make.add();
    case OpKind::kConcat:
      return make.concat(out);
    case OpKind::kMaxPool:
      return make.max_pool(WindowOf(graph, op));
    case OpKind::kAveragePool:
      return make.average_pool(WindowOf(graph, op));
    case OpKind::kGlobalAveragePool:
      return make.global_average_pool(in);
    case OpKind::kZeroPad:
      return make.zero_pad(in, out, std::get<PadAttributes>(op.attributes));
    case OpKind::kPadChannels:
      return make.pad_channels(in, out, std::get<PadAttributes>(op.attributes));
    case OpKind::kPatches:
      return make.patches(in, std::get<PatchAttributes>(op.attributes));
    case OpKind::kPositionEmbedding:
      return make.position_embedding(in);
    case OpKind::kScale:
      return make.scale(std::get<ScaleAttributes>(op.attributes));
    case OpKind::kAttentionScores: {
      const int64_t heads = std::get<AttentionAttributes>(op.attributes).heads;
      return make.attention_scores({in[0], heads, in[1] / heads},
                                   policy.accumulator);
    }
    case OpKind::kAttentionContext:
      return make.attention_context({in[1], in[0], out[1] / in[0]},
                                    policy.accumulator);
    case OpKind::kSoftmax:
      return make.softmax(out.dims().back());
    case OpKind::kSoftmaxCrossEntropy:
      return make.softmax_cross_entropy();
  }
  return nullptr;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_OPERATION_MAKERS_H_
