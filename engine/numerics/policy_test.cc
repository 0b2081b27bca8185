#include "engine/numerics/policy.h"

#include <string>
#include <vector>

#include "engine/tensor/dtype.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(PolicyTest, NamesInOrder) {
  std::vector<std::string> names;
  for (const PrecisionPolicy& policy : AllPolicies()) {
    names.emplace_back(policy.name);
  }
  EXPECT_THAT(names, ElementsAre("FP32", "FP16", "FP16_BN32", "MP", "BF16",
                                 "FP16_ACC16"));
}

TEST(PolicyTest, StandaloneSixteenBitHasNoF32Storage) {
  for (const char* name : {"FP16", "FP16_ACC16", "BF16"}) {
    const auto policy = FindPolicy(name);
    ASSERT_TRUE(policy.ok()) << policy.status();
    for (const DType type :
         {policy->parameter, policy->activation, policy->weight_gradient,
          policy->update, policy->batch_norm}) {
      EXPECT_EQ(SizeOf(type), 2u) << name;
    }
    EXPECT_FALSE(policy->dynamic_loss_scale) << name;
  }
}

TEST(PolicyTest, OnlyAcc16AccumulatesInHalf) {
  for (const PrecisionPolicy& policy : AllPolicies()) {
    EXPECT_EQ(policy.accumulator,
              policy.name == "FP16_ACC16" ? DType::kF16 : DType::kF32)
        << policy.name;
  }
}

TEST(PolicyTest, BatchNormalizationOfBn32IsTheOnlyDifferenceFromFp16) {
  const auto fp16 = FindPolicy("FP16");
  const auto bn32 = FindPolicy("FP16_BN32");
  ASSERT_TRUE(fp16.ok() && bn32.ok());
  EXPECT_EQ(bn32->batch_norm, DType::kF32);
  EXPECT_EQ(bn32->parameter, fp16->parameter);
  EXPECT_EQ(bn32->activation, fp16->activation);
  EXPECT_EQ(bn32->weight_gradient, fp16->weight_gradient);
  EXPECT_EQ(bn32->update, fp16->update);
}

TEST(PolicyTest, MixedPrecisionKeepsAMasterAndScalesTheLoss) {
  const auto policy = FindPolicy("MP");
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->parameter, DType::kF32);
  EXPECT_EQ(policy->activation, DType::kF16);
  EXPECT_EQ(policy->weight_gradient, DType::kF16);
  EXPECT_EQ(policy->update, DType::kF32);
  EXPECT_EQ(policy->batch_norm, DType::kF32);
  EXPECT_TRUE(policy->dynamic_loss_scale);
}

TEST(PolicyTest, UnknownNameListsTheKnown) {
  const auto policy = FindPolicy("fp16");
  ASSERT_FALSE(policy.ok());
  EXPECT_EQ(policy.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(policy.status().message()), HasSubstr("\"fp16\""));
  EXPECT_THAT(std::string(policy.status().message()),
              HasSubstr("FP32, FP16, FP16_BN32, MP, BF16, FP16_ACC16"));
}

}  // namespace
}  // namespace repro16
