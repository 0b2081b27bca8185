#include "engine/graph/cost.h"

namespace repro16 {

int64_t MultiplyAdds(const Graph& graph, const Op& op) {
  if (op.kind != OpKind::kDense) return 0;
  return graph.parameters[op.parameters[0]].shape.NumElements();
}

int64_t ForwardMultiplyAdds(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += MultiplyAdds(graph, op);
  return total;
}

}  // namespace repro16
