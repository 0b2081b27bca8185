#include "engine/cpu/program/make_kernel.h"

#include "engine/cpu/conv/conv.h"
#include "engine/cpu/conv/depthwise_conv.h"
#include "engine/cpu/elementwise/elementwise.h"
#include "engine/cpu/elementwise/layout.h"
#include "engine/cpu/elementwise/softmax.h"
#include "engine/cpu/norm/batch_norm.h"
#include "engine/cpu/norm/layer_norm.h"
#include "engine/cpu/pool/pool.h"
#include "engine/cpu/product/attention.h"
#include "engine/cpu/product/dense.h"
#include "engine/graph/operation_makers.h"
#include "engine/graph/window.h"

namespace repro16 {
namespace {

std::unique_ptr<Kernel> MakeDenseRows(int64_t rows, int64_t in, int64_t units,
                                      DType accumulator) {
  if (rows == 1) return MakeDense(in, units, accumulator);
  // The same sums as a convolution of one tap over an image of tokens, whose
  // kernel is the faster one for many short rows.
  ImageWindow tokens;
  tokens.in_height = tokens.out_height = rows;
  tokens.in_width = tokens.out_width = 1;
  tokens.in_channels = in;
  tokens.out_channels = units;
  tokens.window = {/*height=*/1, /*width=*/1, /*stride=*/1, /*pad_top=*/0,
                   /*pad_left=*/0};
  return MakeConv2D(tokens, accumulator);
}

constexpr OperationMakers<Kernel> Makers() {
  OperationMakers<Kernel> make{};
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

std::unique_ptr<Kernel> MakeKernel(const Graph& graph, const Op& op,
                                   const PrecisionPolicy& policy) {
  return MakeOperation(Makers(), graph, op, policy);
}

}  // namespace repro16
