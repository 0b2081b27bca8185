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
#include "engine/graph/operation_makers.h"

namespace repro16::cuda {
namespace {

constexpr OperationMakers<Operation> Makers() {
  OperationMakers<Operation> make{};
  make.dense = MakeDenseRows;
  make.conv2d = MakeConv2D;
  make.depthwise_conv2d = MakeDepthwiseConv2D;
  make.batch_norm = MakeBatchNorm;
  make.layer_norm = MakeLayerNorm;
  make.unary = MakeUnary;
  make.dropout = MakeDropout;
  make.copy = MakeCopy;
  make.add = MakeAdd;
  make.concat = MakeConcat;
  make.max_pool = MakeMaxPool;
  make.average_pool = MakeAveragePool;
  make.global_average_pool = MakeGlobalAveragePool;
  make.zero_pad = MakeZeroPad;
  make.pad_channels = MakePadChannels;
  make.patches = MakePatches;
  make.position_embedding = MakePositionEmbedding;
  make.scale = MakeScale;
  make.attention_scores = MakeAttentionScores;
  make.attention_context = MakeAttentionContext;
  make.softmax = MakeSoftmax;
  make.softmax_cross_entropy = MakeSoftmaxCrossEntropy;
  return make;
}

}  // namespace

std::unique_ptr<Operation> MakeOperation(const Graph& graph, const Op& op,
                                         const PrecisionPolicy& policy) {
  return repro16::MakeOperation(Makers(), graph, op, policy);
}

}  // namespace repro16::cuda
