// Programs too large to count, refused before they take any memory.
#include "engine/cuda/program/program_plan.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "engine/graph/builder.h"
#include "engine/graph/testing/values.h"

namespace repro16::cuda {
namespace {

// Of a network whose largest tensor has 1024 elements of an example.
absl::Status Plan(int64_t max_batch) {
  GraphBuilder b;
  const TensorId x = b.Flatten(b.Input(Shape({32, 32, 1})));
  const Graph graph = *std::move(b).Classifier(b.Dense(x, 2));
  CompileOptions options;
  options.max_batch = max_batch;
  return PlanProgram(graph, Policy("FP16"), options).status();
}

TEST(ProgramPlanTest, CountsAsFarAsAnIndexOfAWholeBlockFits) {
  constexpr int64_t kMost = (int64_t{1} << 21) - 2;
  EXPECT_TRUE(Plan(kMost).ok()) << Plan(kMost);
  const absl::Status more = Plan(kMost + 1);
  EXPECT_EQ(more.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StrContains(more.message(), "use smaller batches")) << more;
}

TEST(ProgramPlanTest, NeedsAnExample) {
  EXPECT_EQ(Plan(0).code(), absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace repro16::cuda
