#include "programs/training_plan.h"

#include <string_view>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr std::string_view kPolicies[] = {"FP32", "FP16"};

TEST(TrainingPlanTest, CountsParametersAndHalvesTheBytes) {
  const auto plan = PlanTraining("mlp", kPolicies, 128);
  ASSERT_TRUE(plan.ok()) << plan.status();
  // 784-512-256-10, with biases.
  EXPECT_EQ(plan->parameters,
            784 * 512 + 512 + 512 * 256 + 256 + 256 * 10 + 10);
  EXPECT_FALSE(plan->has_batch_norm);
  ASSERT_EQ(plan->bytes.size(), 2u);
  // Parameters, their gradients and one slot, in 4 bytes each, and more.
  EXPECT_GT(plan->bytes[0], 3 * 4 * plan->parameters);
  EXPECT_LT(plan->bytes[1], plan->bytes[0]);
  EXPECT_GT(2 * plan->bytes[1], plan->bytes[0]);
}

TEST(TrainingPlanTest, GrowsWithTheBatch) {
  EXPECT_LT(PlanTraining("resnet32", kPolicies, 16)->bytes[0],
            PlanTraining("resnet32", kPolicies, 32)->bytes[0]);
  EXPECT_TRUE(PlanTraining("resnet32", {}, 16)->has_batch_norm);
}

TEST(TrainingPlanTest, RefusesUnknownNames) {
  EXPECT_EQ(PlanTraining("lenet", kPolicies, 16).status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_EQ(PlanTraining("mlp", {std::string_view("FP8")}, 16).status().code(),
            absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace repro16
