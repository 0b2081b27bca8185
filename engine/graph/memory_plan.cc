#include "engine/graph/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_format.h"

namespace repro16 {
namespace {

bool Overlap(const MemoryRequest& a, const MemoryRequest& b) {
  return a.first_step <= b.last_step && b.first_step <= a.last_step;
}

}  // namespace

MemoryPlan PlanMemory(const std::vector<MemoryRequest>& requests) {
  std::vector<size_t> order(requests.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return requests[a].bytes > requests[b].bytes;
  });

  MemoryPlan plan;
  plan.offsets.resize(requests.size(), 0);
  std::vector<size_t> placed;  // in order of offset
  for (size_t i : order) {
    int64_t offset = 0;
    for (size_t other : placed) {
      if (!Overlap(requests[i], requests[other])) continue;
      if (offset + requests[i].bytes <= plan.offsets[other]) break;
      offset = std::max(
          offset, AlignedBytes(plan.offsets[other] + requests[other].bytes));
    }
    plan.offsets[i] = offset;
    plan.arena_bytes =
        std::max(plan.arena_bytes, AlignedBytes(offset + requests[i].bytes));
    const auto position = std::upper_bound(
        placed.begin(), placed.end(), offset,
        [&](int64_t at, size_t other) { return at < plan.offsets[other]; });
    placed.insert(position, i);
  }
  return plan;
}

absl::Status CheckMemory(std::string_view what, int64_t needed,
                         int64_t available, std::string_view cure) {
  if (needed <= available) return absl::OkStatus();
  constexpr double kMebi = 1 << 20;
  return absl::ResourceExhaustedError(
      absl::StrFormat("memory: %s needs %.1f MiB, %.1f MiB are available; %s",
                      what, static_cast<double>(needed) / kMebi,
                      static_cast<double>(available) / kMebi, cure));
}

}  // namespace repro16
