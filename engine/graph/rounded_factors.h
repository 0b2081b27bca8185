// Factors of operations that are taken in f64, then rounded once to the type in
// which they are used.
#ifndef REPRO16_ENGINE_GRAPH_ROUNDED_FACTORS_H_
#define REPRO16_ENGINE_GRAPH_ROUNDED_FACTORS_H_

#include "engine/numerics/round_to_type.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// r(1 / (1 - rate)): what dropout multiplies the elements by that it keeps.
// `type` is that of activations.
inline float DropoutFactor(double rate, DType type) {
  return RoundToType(1.0 / (1.0 - rate), type);
}

// r(1 - momentum): the share of its distance to the batch's statistic that a
// moving statistic goes in one step. `type` is that of the moving statistics.
inline float MovingRate(double momentum, DType type) {
  return RoundToType(1.0 - momentum, type);
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_ROUNDED_FACTORS_H_
