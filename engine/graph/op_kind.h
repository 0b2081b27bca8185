// The one list of operations. Names, shape checks, costs, liveness, the
// backends' kernels, tests and benchmarks all iterate over it.
#ifndef REPRO16_ENGINE_GRAPH_OP_KIND_H_
#define REPRO16_ENGINE_GRAPH_OP_KIND_H_

#include <array>
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

// What the backward pass of an operation reads besides its output's gradient.
// It bounds how long a tensor must be kept.
struct OpTraits {
  OpKind kind;
  std::string_view name;  // also the prefix of generated operation names
  int num_inputs;
  bool backward_reads_inputs;
  bool backward_reads_output;
};

inline constexpr std::array<OpTraits, 8> kOps = {{
    {OpKind::kDense, "dense", 1, true, false},
    {OpKind::kRelu, "relu", 1, false, true},
    {OpKind::kTanh, "tanh", 1, false, true},
    {OpKind::kDropout, "dropout", 1, false, false},
    {OpKind::kFlatten, "flatten", 1, false, false},
    {OpKind::kAdd, "add", 2, false, false},
    {OpKind::kSoftmax, "softmax", 1, false, false},
    {OpKind::kSoftmaxCrossEntropy, "softmax_cross_entropy", 1, true, false},
}};

constexpr const OpTraits& TraitsOf(OpKind kind) {
  return kOps[static_cast<size_t>(kind)];
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_OP_KIND_H_
