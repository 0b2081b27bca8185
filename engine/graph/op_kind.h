// The one list of operations. Names, shape checks, costs, liveness, the
// backends' kernels, tests and benchmarks all iterate over it.
#ifndef REPRO16_ENGINE_GRAPH_OP_KIND_H_
#define REPRO16_ENGINE_GRAPH_OP_KIND_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace repro16 {

enum class OpKind : uint8_t {
  kDense,            // y[n, .., o] = sum_i x[n, .., i] * w[i, o] + b[o]
  kConv2D,           // y[n, h, w, o] = sum_{r, c, i} x[n, sh+r, sw+c, i] *
                     //                 w[r, c, i, o] + b[o]
  kDepthwiseConv2D,  // y[n, h, w, c] = sum_{r, q} x[n, sh+r, sw+q, c] *
                     //                 w[r, q, c, 0] + b[c]
  kBatchNorm,        // y = gamma * (x - mean) / sqrt(variance + epsilon) + beta
  kLayerNorm,        // the same over the last axis of each row
  kRelu,             // y = max(x, 0)
  kRelu6,            // y = min(max(x, 0), 6)
  kTanh,             // y = tanh(x)
  kGelu,             // y = x * Phi(x)
  kDropout,      // training: y = keep ? x * r(1 / (1 - rate)) : 0; else y = x
  kFlatten,      // [N, ...] to [N, product]; moves, never rounds
  kAdd,          // y = a + b
  kConcat,       // along the last axis
  kMaxPool,      // the largest of a window; padding is left out
  kAveragePool,  // mean of a window; padding is left out
  kGlobalAveragePool,    // [N, H, W, C] to [N, C]: mean over H and W
  kZeroPad,              // zeros around H and W
  kPadChannels,          // zeros before and after C
  kPatches,              // [N, H, W, C] to [N, patches, size * size * C]
  kPositionEmbedding,    // y[n, t, c] = x[n, t, c] + e[t, c]
  kScale,                // y = x * r(factor)
  kAttentionScores,      // y[n, a, i, j] = sum_d q[n, i, a, d] * k[n, j, a, d]
  kAttentionContext,     // y[n, i, a, d] = sum_j p[n, a, i, j] * v[n, j, a, d]
  kSoftmax,              // p = exp(x - max x) / sum exp(x - max x), last axis
  kSoftmaxCrossEntropy,  // loss[n] = log sum_c exp(x[n, c]) - x[n, label[n]]
};

struct OpTraits {
  OpKind kind;
  std::string_view name;  // also the prefix of generated operation names
  // What the backward pass reads besides the gradient of the output. It bounds
  // how long a tensor is kept.
  bool backward_reads_inputs;
  bool backward_reads_output;
  // Passes that move or select values without computing: their stores round
  // nothing and are not counted.
  bool forward_moves;
  bool backward_moves;
  // Each output element needs no other element of inputs[0] once it is written,
  // and each element of the gradient of inputs[0] no other one of the output's
  // gradient: one may take the memory of the other.
  bool in_place;
};

inline constexpr std::array<OpTraits, 25> kOps = {{
    // kind, name; reads inputs, reads output; moves forward, backward; in place
    {OpKind::kDense, "dense", true, false, false, false, false},
    {OpKind::kConv2D, "conv2d", true, false, false, false, false},
    {OpKind::kDepthwiseConv2D, "depthwise_conv2d", true, false, false, false,
     false},
    {OpKind::kBatchNorm, "batch_norm", true, false, false, false, true},
    {OpKind::kLayerNorm, "layer_norm", true, false, false, false, true},
    {OpKind::kRelu, "relu", false, true, true, true, true},
    {OpKind::kRelu6, "relu6", false, true, true, true, true},
    {OpKind::kTanh, "tanh", false, true, false, false, true},
    {OpKind::kGelu, "gelu", true, false, false, false, true},
    {OpKind::kDropout, "dropout", false, false, false, false, true},
    {OpKind::kFlatten, "flatten", false, false, true, true, true},
    {OpKind::kAdd, "add", false, false, false, true, true},
    {OpKind::kConcat, "concat", false, false, true, true, false},
    {OpKind::kMaxPool, "max_pool", true, true, true, false, false},
    {OpKind::kAveragePool, "average_pool", false, false, false, false, false},
    {OpKind::kGlobalAveragePool, "global_average_pool", false, false, false,
     false, false},
    {OpKind::kZeroPad, "zero_pad", false, false, true, true, false},
    {OpKind::kPadChannels, "pad_channels", false, false, true, true, false},
    {OpKind::kPatches, "patches", false, false, true, true, false},
    {OpKind::kPositionEmbedding, "position_embedding", false, false, false,
     true, true},
    {OpKind::kScale, "scale", false, false, false, false, true},
    {OpKind::kAttentionScores, "attention_scores", true, false, false, false,
     false},
    {OpKind::kAttentionContext, "attention_context", true, false, false, false,
     false},
    {OpKind::kSoftmax, "softmax", false, true, false, false, true},
    {OpKind::kSoftmaxCrossEntropy, "softmax_cross_entropy", true, false, false,
     false, false},
}};

// In the order of OpKind, so that a kind is an index.
constexpr bool OpsAreInOrder() {
  for (size_t i = 0; i < kOps.size(); ++i) {
    if (kOps[i].kind != static_cast<OpKind>(i)) return false;
  }
  return true;
}
static_assert(OpsAreInOrder());

constexpr const OpTraits& TraitsOf(OpKind kind) {
  return kOps[static_cast<size_t>(kind)];
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_OP_KIND_H_
