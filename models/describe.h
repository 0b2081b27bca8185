// A network and what it costs, as text.
#ifndef REPRO16_MODELS_DESCRIBE_H_
#define REPRO16_MODELS_DESCRIBE_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"

namespace repro16 {

// A line for each operation, in order: its name, kind and output shape (without
// the batch axis), its parameters, its multiply-adds in one example's forward
// pass (engine/graph/cost.h) and what it reads; then the totals.
std::string DescribeLayers(const Graph& graph);

// A line for each policy: the bytes, in MB of 1e6, that a program plans which
// trains `graph` by SGD with momentum in batches of `batch`, by use and in all.
absl::StatusOr<std::string> DescribeMemory(const Graph& graph, int64_t batch,
                                           Backend& backend);

// A directed graph in Graphviz' DOT language: the operations, joined by the
// tensors between them, each labelled with its shape.
std::string DrawGraph(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_MODELS_DESCRIBE_H_
