// Which operations of a graph one kernel computes.
#ifndef REPRO16_ENGINE_GRAPH_FUSE_H_
#define REPRO16_ENGINE_GRAPH_FUSE_H_

#include "engine/graph/graph.h"

namespace repro16 {

// The graph with each ReLU or ReLU6 that alone reads a batch normalisation
// joined to it (BatchNormAttributes::activation); the tensor between them is
// never stored. Tensors and parameters keep their ids. The bits are those of
// the two operations: both activations select, and what rounds to a value of
// another sign is zero.
Graph FuseActivations(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_FUSE_H_
