#include "engine/graph/fuse.h"

#include <vector>

namespace repro16 {
namespace {

FusedActivation ActivationOf(OpKind kind) {
  switch (kind) {
    case OpKind::kRelu:
      return FusedActivation::kRelu;
    case OpKind::kRelu6:
      return FusedActivation::kRelu6;
    default:
      return FusedActivation::kNone;
  }
}

// A batch normalisation that no activation has joined yet.
bool TakesActivation(const Op& op) {
  return op.kind == OpKind::kBatchNorm &&
         std::get<BatchNormAttributes>(op.attributes).activation ==
             FusedActivation::kNone;
}

// How many operations read each tensor; the graph's results count as read.
std::vector<int> Readers(const Graph& graph) {
  std::vector<int> readers(graph.tensors.size(), 0);
  for (const Op& op : graph.ops) {
    for (TensorId input : op.inputs) ++readers[static_cast<size_t>(input)];
  }
  for (TensorId result : {graph.output, graph.loss, graph.probabilities}) {
    if (result != kNoTensor) ++readers[static_cast<size_t>(result)];
  }
  return readers;
}

}  // namespace

Graph FuseActivations(const Graph& graph) {
  const std::vector<int> readers = Readers(graph);
  Graph fused = graph;
  fused.ops.clear();
  std::vector<int> writer(graph.tensors.size(), -1);  // index in fused.ops
  for (const Op& op : graph.ops) {
    const FusedActivation activation = ActivationOf(op.kind);
    const int before =
        op.inputs.empty() ? -1 : writer[static_cast<size_t>(op.inputs[0])];
    if (activation != FusedActivation::kNone && before >= 0 &&
        TakesActivation(fused.ops[static_cast<size_t>(before)]) &&
        readers[static_cast<size_t>(op.inputs[0])] == 1) {
      Op& norm = fused.ops[static_cast<size_t>(before)];
      std::get<BatchNormAttributes>(norm.attributes).activation = activation;
      norm.output = op.output;
      writer[static_cast<size_t>(op.output)] = before;
      continue;
    }
    writer[static_cast<size_t>(op.output)] = static_cast<int>(fused.ops.size());
    fused.ops.push_back(op);
  }
  return fused;
}

}  // namespace repro16
