#include "engine/graph/memory_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace repro16 {
namespace {

// Fails if two blocks that live at the same time share a byte, or one is
// misaligned or outside.
void CheckPlan(const std::vector<MemoryRequest>& requests,
               const MemoryPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), requests.size());
  for (size_t i = 0; i < requests.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % kArenaAlignment, 0);
    EXPECT_LE(plan.offsets[i] + requests[i].bytes, plan.arena_bytes);
    for (size_t j = 0; j < i; ++j) {
      const bool together = requests[i].first_step <= requests[j].last_step &&
                            requests[j].first_step <= requests[i].last_step;
      const bool apart =
          plan.offsets[i] + requests[i].bytes <= plan.offsets[j] ||
          plan.offsets[j] + requests[j].bytes <= plan.offsets[i];
      EXPECT_TRUE(!together || apart) << i << " and " << j;
    }
  }
}

TEST(MemoryPlanTest, ReusesWhatIsNoLongerNeeded) {
  const std::vector<MemoryRequest> requests = {
      {1000, 0, 1}, {1000, 1, 2}, {1000, 2, 3}};
  const MemoryPlan plan = PlanMemory(requests);
  CheckPlan(requests, plan);
  EXPECT_EQ(plan.arena_bytes, 2 * AlignedBytes(1000));
}

TEST(MemoryPlanTest, NothingToPlace) {
  EXPECT_EQ(PlanMemory({}).arena_bytes, 0);
}

TEST(MemoryPlanTest, RandomRequestsNeverOverlap) {
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::vector<MemoryRequest> requests(random() % 40);
    for (MemoryRequest& request : requests) {
      request.first_step = static_cast<int>(random() % 30);
      request.last_step = request.first_step + static_cast<int>(random() % 10);
      request.bytes = static_cast<int64_t>(random() % 5000);
    }
    CheckPlan(requests, PlanMemory(requests));
  }
}

// No plan needs less than the largest total that lives at one step.
TEST(MemoryPlanTest, CloseToTheLowerBoundForAChain) {
  std::vector<MemoryRequest> requests;
  for (int i = 0; i < 50; ++i) requests.push_back({64 * (1 + i % 7), i, i + 1});
  const MemoryPlan plan = PlanMemory(requests);
  CheckPlan(requests, plan);
  int64_t bound = 0;
  for (int step = 0; step <= 50; ++step) {
    int64_t live = 0;
    for (const MemoryRequest& r : requests) {
      if (r.first_step <= step && step <= r.last_step) live += r.bytes;
    }
    bound = std::max(bound, live);
  }
  EXPECT_LE(plan.arena_bytes, bound * 3 / 2);
}

TEST(CheckMemoryTest, ComparesAndNamesBoth) {
  EXPECT_TRUE(CheckMemory("a run", 1 << 20, 1 << 20, "buy some").ok());
  EXPECT_EQ(CheckMemory("a run", (1 << 20) + (1 << 19), 1 << 20, "buy some"),
            absl::ResourceExhaustedError(
                "memory: a run needs 1.5 MiB, 1.0 MiB are available; buy "
                "some"));
}

}  // namespace
}  // namespace repro16
