// Layer normalisation over the last axis.
#ifndef REPRO16_ENGINE_CPU_LAYER_NORM_H_
#define REPRO16_ENGINE_CPU_LAYER_NORM_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

std::unique_ptr<Kernel> MakeLayerNorm(const Shape& in,
                                      const LayerNormAttributes& attributes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_LAYER_NORM_H_
