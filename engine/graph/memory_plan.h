// Places the tensors of a schedule in one arena, so that a step allocates
// nothing.
#ifndef REPRO16_ENGINE_GRAPH_MEMORY_PLAN_H_
#define REPRO16_ENGINE_GRAPH_MEMORY_PLAN_H_

#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "engine/tensor/round_up.h"

namespace repro16 {

// A block that is needed from first_step to last_step, inclusive.
struct MemoryRequest {
  int64_t bytes;
  int first_step;
  int last_step;
};

struct MemoryPlan {
  std::vector<int64_t> offsets;  // by request, multiples of kArenaAlignment
  int64_t arena_bytes = 0;
};

// Bytes; a cache line, and the widest vector.
inline constexpr int64_t kArenaAlignment = 64;

// Rounded up to the alignment.
constexpr int64_t AlignedBytes(int64_t bytes) {
  return RoundUp(bytes, kArenaAlignment);
}

// Offsets such that blocks whose lives overlap do not. Largest first, each at
// the lowest offset that is free during its life: a heuristic, not the optimum.
MemoryPlan PlanMemory(const std::vector<MemoryRequest>& requests);

// ResourceExhausted, "memory: <what> needs .. MiB, .. MiB are available;
// <cure>", if `needed` bytes are more than those.
absl::Status CheckMemory(std::string_view what, int64_t needed,
                         int64_t available, std::string_view cure);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_MEMORY_PLAN_H_
