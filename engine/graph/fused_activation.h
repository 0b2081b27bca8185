// An activation that a backend has fused into the operation before it.
#ifndef REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_
#define REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_

#include <cstdint>

namespace repro16 {

enum class FusedActivation : uint8_t { kNone, kRelu, kRelu6 };

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_
