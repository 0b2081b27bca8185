// Batch normalisation, alone or with the activation after it.
#ifndef REPRO16_ENGINE_CPU_BATCH_NORM_H_
#define REPRO16_ENGINE_CPU_BATCH_NORM_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/graph.h"

namespace repro16 {

// in: [C] or [H, W, C].
std::unique_ptr<Kernel> MakeBatchNorm(const Shape& in,
                                      const BatchNormAttributes& attributes);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_BATCH_NORM_H_
