// What every operation means, in f64: plain loops that share no code with the
// kernels. The oracle of this folder's tests.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_OP_REFERENCE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_OP_REFERENCE_H_

#include <cstdint>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

using Values = std::vector<double>;  // of a tensor [batch, ...], row-major

struct ReferencePass {
  int64_t batch = 1;
  bool training = true;
  // The factors of kScale and kDropout are rounded to it.
  DType storage = DType::kF32;
  uint64_t seed = 0;  // of the dropout masks
  int64_t step = 0;
  std::vector<uint8_t> labels = {};  // [batch], of a loss
};

// The output of one operation. Both lists are in the order of the operation's
// own.
Values EvaluateOp(const Graph& graph, const Op& op,
                  const std::vector<Values>& inputs,
                  const std::vector<Values>& parameters,
                  const ReferencePass& pass);

// Every tensor of the graph, by TensorId; nothing is rounded between
// operations. Parameters by ParameterId.
std::vector<Values> EvaluateGraph(const Graph& graph, const Values& input,
                                  const std::vector<Values>& parameters,
                                  const ReferencePass& pass);

// Mean and variance of each channel of a batch normalisation's input.
// `unbiased` divides the sum of squares by n - 1.
struct ChannelMoments {
  Values mean;
  Values variance;
};
ChannelMoments MomentsOf(const Values& x, int64_t channels, bool unbiased);

// Derivatives of L = sum_i upstream[i] * y[i] with respect to one input or
// parameter, by central differences. J is the Jacobian dy[i] / dx[j]; the sums
// are over the i with J[i][j] != 0.
struct Gradient {
  Values value;                // sum_i upstream[i] * J[i][j]
  Values magnitude;            // sum_i |upstream[i] * J[i][j]|
  Values reach;                // sum_i |upstream[i]|
  Values weighted_reach;       // sum_i |upstream[i] * y[i]|
  std::vector<int64_t> terms;  // how many i
};

struct Derivatives {
  std::vector<Gradient> inputs;
  std::vector<Gradient> parameters;
  // Of output i, over all inputs and parameters: how much a relative error of
  // each of them matters, sum_j |x[j] * J[i][j]|, and how many there are.
  Values output_magnitude;
  std::vector<int64_t> output_terms;
};

Derivatives Differentiate(const Graph& graph, const Op& op,
                          std::vector<Values> inputs,
                          std::vector<Values> parameters,
                          const Values& upstream, const ReferencePass& pass);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_OP_REFERENCE_H_
