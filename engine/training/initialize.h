// Initial weights.
#ifndef REPRO16_ENGINE_TRAINING_INITIALIZE_H_
#define REPRO16_ENGINE_TRAINING_INITIALIZE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"

namespace repro16 {

// The f32 draw of one parameter, row-major, from the kInit stream at (seed,
// index of the parameter, index of the element). Formulas: Initializer in
// engine/graph/graph.h; a uniform draw u in [0, 1) becomes (2 u - 1) * l in
// f32.
std::vector<float> InitialValues(const Parameter& parameter, ParameterId index,
                                 uint64_t seed);

// Draws every parameter of `graph` and writes it to `program`, rounded to the
// type it keeps: the same seed gives every policy the same draw.
absl::Status InitializeParameters(const Graph& graph, uint64_t seed,
                                  Program& program);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_INITIALIZE_H_
