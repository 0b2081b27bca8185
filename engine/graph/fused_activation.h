// An activation that a backend has fused into the operation before it.
#ifndef REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_
#define REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_

#include <cstdint>
#include <type_traits>

namespace repro16 {

enum class FusedActivation : uint8_t { kNone, kRelu, kRelu6 };

// Calls fn with a std::integral_constant.
template <class Fn>
void VisitActivation(FusedActivation activation, const Fn& fn) {
  using A = FusedActivation;
  switch (activation) {
    case A::kNone:
      return fn(std::integral_constant<A, A::kNone>());
    case A::kRelu:
      return fn(std::integral_constant<A, A::kRelu>());
    case A::kRelu6:
      return fn(std::integral_constant<A, A::kRelu6>());
  }
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_FUSED_ACTIVATION_H_
