// What an operation costs, by its shapes alone.
#ifndef REPRO16_ENGINE_GRAPH_COST_H_
#define REPRO16_ENGINE_GRAPH_COST_H_

#include <cstdint>

#include "engine/graph/graph.h"

namespace repro16 {

// Multiply-adds of the operation's dot products in the forward pass of one
// example; elementwise work is not counted. A convolution's taps on padding
// are, as is customary.
int64_t MultiplyAdds(const Graph& graph, const Op& op);

// Multiply-adds of one example's forward pass.
int64_t ForwardMultiplyAdds(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_COST_H_
