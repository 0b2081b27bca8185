#include "engine/graph/cost.h"

namespace repro16 {

OpCost CostOf(const Graph& graph, const Op& op) {
  OpCost cost;
  for (TensorId input : op.inputs) {
    cost.elements_read += graph.tensors[input].shape.NumElements();
  }
  cost.elements_written = graph.tensors[op.output].shape.NumElements();
  for (ParameterId parameter : op.parameters) {
    cost.parameter_elements += graph.parameters[parameter].shape.NumElements();
  }
  if (op.kind == OpKind::kDense) {
    cost.multiply_adds = graph.parameters[op.parameters[0]].shape.NumElements();
  }
  return cost;
}

int64_t ForwardMultiplyAdds(const Graph& graph) {
  int64_t total = 0;
  for (const Op& op : graph.ops) total += CostOf(graph, op).multiply_adds;
  return total;
}

}  // namespace repro16
