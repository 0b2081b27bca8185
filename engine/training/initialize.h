// Initial weights.
#ifndef REPRO16_ENGINE_TRAINING_INITIALIZE_H_
#define REPRO16_ENGINE_TRAINING_INITIALIZE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"

namespace repro16 {

// The f32 draw of one parameter, row-major. Its stream (random_stream.h) has
// purpose kInit, step 0 and part `index`: the parameter's place in
// Graph::parameters, which are in order of creation, biases and moving
// statistics among them. Element i is
//
//   kGlorotUniform  (2 * Uniform(i) - 1) * l, l = sqrt(6 / (fan_in + fan_out))
//   kUniform        (2 * Uniform(i) - 1) * 0.05
//   kHeNormal       TruncatedNormal(i) * d,
//                   d = sqrt(2 / fan_in) / 0.87962566103423978
//
// in f32, with l and d taken in f64 and rounded to f32. The fans are those of
// engine/graph/builder.h.
std::vector<float> InitialValues(const Parameter& parameter, ParameterId index,
                                 uint64_t seed);

// Draws every parameter of `graph` and writes it to `program`, rounded to the
// type it keeps: the same seed gives every policy the same draw. With
// `flip_last_bit` the last bit of the first element of the first parameter, as
// stored, is the other one (RunSpec::flip_last_bit).
absl::Status InitializeParameters(const Graph& graph, uint64_t seed,
                                  Program& program, bool flip_last_bit = false);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_INITIALIZE_H_
