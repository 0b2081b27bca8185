#include "experiments/fig1/cifar10/network_statistics.h"

#include <limits>
#include <utility>

#include "experiments/common/run_files.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Errors 0.125 and 0.25 against k32, whose tolerances are 0.5 and 1.
const std::vector<float> k32 = {0.25f, 0.75f, 0, 1};
const std::vector<float> k16 = {0.375f, 0.625f, 0.25f, 0.75f};
const std::vector<int64_t> kLabels = {1, 1};

TrainedRun RunOf(const char* model, const char* policy, uint64_t seed,
                 const std::vector<float>& probabilities) {
  TrainedRun run = MakeRunWithFiles(policy, seed, probabilities, kLabels);
  run.result.mutable_spec()->set_model(model);
  return run;
}

std::vector<RunSet> Sets(std::vector<TrainedRun> runs) {
  auto sets = RunSet::CreateSets(std::move(runs), "lite");
  EXPECT_TRUE(sets.ok()) << sets.status();
  return *std::move(sets);
}

TEST(SpreadOfTest, TakesQuantilesInAnyOrder) {
  const Spread spread = SpreadOf({4, 0, 3, 1, 2});
  EXPECT_DOUBLE_EQ(spread.low, 0.2);
  EXPECT_EQ(spread.lower_quartile, 1);
  EXPECT_EQ(spread.median, 2);
  EXPECT_EQ(spread.upper_quartile, 3);
  EXPECT_DOUBLE_EQ(spread.high, 3.8);
  EXPECT_EQ(SpreadOf({}).median, 0);
}

TEST(CompareEachNetworkTest, HasEachPolicyAndTheChangeOfSeed) {
  const std::vector<RunSet> sets =
      Sets({RunOf("vgg16", "FP32", 1, k32), RunOf("vgg16", "FP32", 2, k16),
            RunOf("vgg16", "FP16", 1, k16), RunOf("vgg16", "MP", 1, k32)});
  const auto networks = CompareEachNetwork(sets);
  ASSERT_TRUE(networks.ok()) << networks.status();
  ASSERT_EQ(networks->size(), 1u);
  const NetworkStatistics& vgg = (*networks)[0];
  EXPECT_EQ(vgg.name, "VGG-16");
  EXPECT_EQ(vgg.policies.size(), 2u);
  const Comparison& fp16 = vgg.Of("FP16");
  EXPECT_EQ(fp16.names, std::vector<std::string>{"seed 1"});
  EXPECT_EQ(fp16.guaranteed, std::vector<double>{100});
  EXPECT_EQ(fp16.tolerance_ratio, std::vector<double>{4});
  EXPECT_EQ(fp16.pooled.error.max, 0.25);
  EXPECT_EQ(fp16.error.median, 0.1875);
  EXPECT_EQ(fp16.tolerance.median, 0.75);
  EXPECT_EQ(vgg.Of("MP").pooled.error.max, 0);
  EXPECT_TRUE(vgg.Of("FP16_BN32").Empty());
  EXPECT_EQ(vgg.seeds.names, std::vector<std::string>{"seeds 1 and 2"});
  EXPECT_EQ(vgg.seeds.pooled.error.max, 0.25);
}

TEST(CompareEachNetworkTest, ADivergedNetworkHasNoTolerance) {
  const std::vector<RunSet> sets =
      Sets({RunOf("vit8", "FP32", 1, k32),
            RunOf("vit8", "FP16", 1, {kNaN, kNaN, kNaN, kNaN})});
  const auto networks = CompareEachNetwork(sets);
  ASSERT_TRUE(networks.ok()) << networks.status();
  const Comparison& fp16 = (*networks)[0].Of("FP16");
  EXPECT_EQ(fp16.guaranteed, std::vector<double>{0});
  EXPECT_EQ(fp16.tolerance_ratio, std::vector<double>{0});
  EXPECT_EQ(fp16.pooled.not_finite.samples, 2);
}

TEST(CompareEachNetworkTest, OneNetworkOfTwoSpecificationsIsRefused) {
  TrainedRun wide = RunOf("vgg16", "FP32", 1, k32);
  wide.result.mutable_spec()->mutable_model_options()->set_width(0.5);
  const std::vector<RunSet> sets = Sets({RunOf("vgg16", "FP32", 1, k32), wide});
  ASSERT_EQ(sets.size(), 2u);
  EXPECT_EQ(CompareEachNetwork(sets).status().message(),
            "--results: runs of VGG-16 are of two specifications; give those "
            "of one for each network");
}

}  // namespace
}  // namespace repro16
