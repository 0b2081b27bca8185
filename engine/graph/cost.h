// What an operation costs, by its shapes alone.
#ifndef REPRO16_ENGINE_GRAPH_COST_H_
#define REPRO16_ENGINE_GRAPH_COST_H_

#include <cstdint>

#include "engine/graph/graph.h"

namespace repro16 {

// Of the forward pass, for one example.
struct OpCost {
  int64_t multiply_adds =
      0;  // of dot products; elementwise work is not counted
  int64_t elements_read = 0;       // of activations
  int64_t elements_written = 0;    // of activations
  int64_t parameter_elements = 0;  // read once a batch, whatever its size
};

OpCost CostOf(const Graph& graph, const Op& op);

// Multiply-adds of one example's forward pass.
int64_t ForwardMultiplyAdds(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_COST_H_
