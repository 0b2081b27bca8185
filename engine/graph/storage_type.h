// In which type a policy stores what.
#ifndef REPRO16_ENGINE_GRAPH_STORAGE_TYPE_H_
#define REPRO16_ENGINE_GRAPH_STORAGE_TYPE_H_

#include <cstdint>

#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// The tensors that belong to a parameter.
enum class ParameterUse : uint8_t {
  kKept,      // as the optimizer keeps it; in MP the master
  kRead,      // as operations read it
  kGradient,  // as the backward pass writes it
  kSlot,      // of the optimizer; the type of the update's arithmetic
};

inline DType StorageType(const PrecisionPolicy& policy, ParameterRole role,
                         ParameterUse use) {
  if (role != ParameterRole::kWeight) return policy.batch_norm;
  switch (use) {
    case ParameterUse::kKept:
      return policy.parameter;
    case ParameterUse::kRead:
      return policy.activation;
    case ParameterUse::kGradient:
      return policy.weight_gradient;
    case ParameterUse::kSlot:
      return policy.update;
  }
  return policy.parameter;
}

// Whether operations read a copy of the parameter, rounded after each update.
inline bool HasReadCopy(const PrecisionPolicy& policy, ParameterRole role) {
  return StorageType(policy, role, ParameterUse::kRead) !=
         StorageType(policy, role, ParameterUse::kKept);
}

// Of a tensor of the graph, and of its gradient.
inline DType StorageType(const Graph& graph, const PrecisionPolicy& policy,
                         TensorId id) {
  return id == graph.loss ? DType::kF32 : policy.activation;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_STORAGE_TYPE_H_
