// Identifies a network's arithmetic.
#ifndef REPRO16_ENGINE_TRAINING_GRAPH_DIGEST_H_
#define REPRO16_ENGINE_TRAINING_GRAPH_DIGEST_H_

#include <string>

#include "engine/graph/graph.h"

namespace repro16 {

// SHA-256, hexadecimal, of the operations with their attributes and tensors,
// and of the parameters with their shapes, initializers and regularisation.
std::string GraphDigest(const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_GRAPH_DIGEST_H_
