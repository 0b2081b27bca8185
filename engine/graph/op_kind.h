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
  kDense,    // y[n, o] = sum_i x[n, i] * w[i, o] + b[o]
  kRelu,     // y = max(x, 0)
  kTanh,     // y = tanh(x)
  kDropout,  // training: y = keep ? x * r(1 / (1 - rate)) : 0; else y = x
  kFlatten,  // [N, ...] to [N, product]; moves, never rounds
  kAdd,      // y = a + b
  kSoftmax,  // p = exp(x - max x) / sum exp(x - max x); evaluation only
  kSoftmaxCrossEntropy,  // loss[n] = log sum_c exp(x[n, c]) - x[n, label[n]]
};

struct OpTraits {
  OpKind kind;
  std::string_view name;  // also the prefix of generated operation names
  // What the backward pass reads besides the gradient of the output. It bounds
  // how long a tensor is kept.
  bool backward_reads_inputs;
  bool backward_reads_output;
  // Passes that move values without computing: their stores round nothing.
  bool forward_moves;
  bool backward_moves;
};

inline constexpr std::array<OpTraits, 8> kOps = {{
    {OpKind::kDense, "dense", true, false, false, false},
    {OpKind::kRelu, "relu", false, true, false, false},
    {OpKind::kTanh, "tanh", false, true, false, false},
    {OpKind::kDropout, "dropout", false, false, false, false},
    {OpKind::kFlatten, "flatten", false, false, true, true},
    {OpKind::kAdd, "add", false, false, false, true},
    {OpKind::kSoftmax, "softmax", false, false, false, false},
    {OpKind::kSoftmaxCrossEntropy, "softmax_cross_entropy", true, false, false,
     false},
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
