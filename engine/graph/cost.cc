#include "engine/graph/cost.h"

namespace repro16 {

int64_t MultiplyAdds(const Graph& graph, const Op& op) {
  const Shape& out = graph.tensors[op.output].shape;
  const auto kernel = [&]() -> const Shape& {
    return graph.parameters[op.parameters[0]].shape;
  };
  switch (op.kind) {
    case OpKind::kDense:
      return out.NumElements() * kernel()[0];
    case OpKind::kConv2D:
      return out.NumElements() * kernel()[0] * kernel()[1] * kernel()[2];
    case OpKind::kDepthwiseConv2D:
      return out.NumElements() * kernel()[0] * kernel()[1];
    case OpKind::kAttentionScores:
      // [heads, T, T] from [T, heads * key_size].
      return out[1] * out[2] * graph.tensors[op.inputs[0]].shape[1];
    case OpKind::kAttentionContext:
      return graph.tensors[op.inputs[0]].shape[1] * out.NumElements();
    default:
      return 0;
  }
}

int64_t ForwardMultiplyAdds(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += MultiplyAdds(graph, op);
  return total;
}

}  // namespace repro16
