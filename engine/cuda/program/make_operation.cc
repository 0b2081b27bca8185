#include "engine/cuda/program/make_operation.h"

#include "engine/cuda/conv/conv.h"
#include "engine/cuda/conv/depthwise_conv.h"
#include "engine/cuda/elementwise/elementwise.h"
#include "engine/cuda/elementwise/layout.h"
#include "engine/cuda/elementwise/softmax.h"
#include "engine/cuda/norm/batch_norm.h"
#include "engine/cuda/norm/layer_norm.h"
#include "engine/cuda/pool/pool.h"
#include "engine/cuda/product/attention.h"
#include "engine/cuda/product/dense.h"
#include "engine/graph/window.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeOperation(const Graph& graph, const Op& op,
                                         const PrecisionPolicy& policy) {
  const Shape& out = graph.tensors[op.output].shape;
  const Shape& in = graph.tensors[op.inputs[0]].shape;
  switch (op.kind) {
    case OpKind::kDense: {
      const Shape& kernel = graph.parameters[op.parameters[0]].shape;
      const int64_t rows = in.NumElements() / kernel[0];
      if (rows == 1) {
        return MakeDense(kernel[0], kernel[1], policy.accumulator);
      }
      // The same sums as a convolution of one tap over an image of tokens,
      // whose kernel is the faster one for many short rows.
      ImageWindow tokens;
      tokens.in_height = tokens.out_height = rows;
      tokens.in_width = tokens.out_width = 1;
      tokens.in_channels = kernel[0];
      tokens.out_channels = kernel[1];
      tokens.window = {/*height=*/1, /*width=*/1, /*stride=*/1, /*pad_top=*/0,
                       /*pad_left=*/0};
      return MakeConv2D(tokens, policy.accumulator);
    }
    case OpKind::kConv2D:
      return MakeConv2D(WindowOf(graph, op), policy.accumulator);
    case OpKind::kDepthwiseConv2D:
      return MakeDepthwiseConv2D(WindowOf(graph, op), policy.accumulator);
    case OpKind::kBatchNorm:
      return MakeBatchNorm(in, std::get<BatchNormAttributes>(op.attributes));
    case OpKind::kLayerNorm:
      return MakeLayerNorm(in, std::get<LayerNormAttributes>(op.attributes));
    case OpKind::kRelu:
      return MakeUnary(UnaryFunction::kRelu);
    case OpKind::kRelu6:
      return MakeUnary(UnaryFunction::kRelu6);
    case OpKind::kTanh:
      return MakeUnary(UnaryFunction::kTanh);
    case OpKind::kGelu:
      return MakeUnary(UnaryFunction::kGelu);
    case OpKind::kDropout: {
      const auto& dropout = std::get<DropoutAttributes>(op.attributes);
      return MakeDropout(dropout.rate, dropout.stream);
    }
    case OpKind::kFlatten:
      return MakeCopy();
    case OpKind::kAdd:
      return MakeAdd();
    case OpKind::kConcat:
      return MakeConcat(out);
    case OpKind::kMaxPool:
      return MakeMaxPool(WindowOf(graph, op));
    case OpKind::kAveragePool:
      return MakeAveragePool(WindowOf(graph, op));
    case OpKind::kGlobalAveragePool:
      return MakeGlobalAveragePool(in);
    case OpKind::kZeroPad:
      return MakeZeroPad(in, out, std::get<PadAttributes>(op.attributes));
    case OpKind::kPadChannels:
      return MakePadChannels(in, out, std::get<PadAttributes>(op.attributes));
    case OpKind::kPatches:
      return MakePatches(in, std::get<PatchAttributes>(op.attributes));
    case OpKind::kPositionEmbedding:
      return MakePositionEmbedding(in);
    case OpKind::kScale:
      return MakeScale(std::get<ScaleAttributes>(op.attributes));
    case OpKind::kAttentionScores:
      return MakeAttentionScores(
          {in[0], std::get<AttentionAttributes>(op.attributes).heads,
           in[1] / std::get<AttentionAttributes>(op.attributes).heads},
          policy.accumulator);
    case OpKind::kAttentionContext:
      return MakeAttentionContext({in[1], in[0], out[1] / in[0]},
                                  policy.accumulator);
    case OpKind::kSoftmax:
      return MakeSoftmax(out.dims().back());
    case OpKind::kSoftmaxCrossEntropy:
      return MakeSoftmaxCrossEntropy();
  }
  return nullptr;
}

}  // namespace repro16::cuda
