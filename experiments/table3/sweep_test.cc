#include "experiments/table3/sweep.h"

#include <utility>
#include <vector>

#include "experiments/table3/made_up_runs.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(SweepTest, GroupsByNetworkRuleAndRateAndOrdersByEpsilon) {
  MadeUpRun small, large, other_rate, rmsprop, sgd;
  small.epsilon = 1e-7;
  large.epsilon = 1e-2;
  other_rate.rate = 1e-2;
  rmsprop.rule = "RMSProp";
  sgd.rule = "SGD";
  const std::vector<RunSet> sets = SetsOf(
      {Make(small), Make(other_rate), Make(large), Make(rmsprop), Make(sgd)});
  const std::vector<Sweep> sweeps = SweepsOf(sets);
  ASSERT_EQ(sweeps.size(), 4u);
  EXPECT_EQ(sweeps[0].Name(), "ResNet-18, Adam 1e-3");
  ASSERT_EQ(sweeps[0].points.size(), 2u);
  EXPECT_EQ(sweeps[0].points[0].epsilon, 1e-2);
  EXPECT_EQ(sweeps[0].At(1e-7), &sets[0]);
  EXPECT_EQ(sweeps[0].At(1e-5), nullptr);
  EXPECT_EQ(FindSweep(sweeps, "resnet18", "Adam", 1e-2)->At(1e-2), &sets[1]);
  EXPECT_NE(FindSweep(sweeps, "resnet18", "RMSProp", 1e-3), nullptr);
  EXPECT_EQ(FindSweep(sweeps, "resnet34", "Adam", 1e-3), nullptr);
  EXPECT_EQ(FindSweep(sweeps, "resnet18", "SGD", 1e-3)->points[0].epsilon, 0);
}

TEST(SweepTest, BestIsOfEachSeed) {
  MadeUpRun base;
  std::vector<TrainedRun> runs = MakeSweep(base, {30, 40, 10});
  base.seed = 2;
  base.accuracy = 20;
  runs.push_back(Make(base));
  const std::vector<RunSet> sets = SetsOf(std::move(runs));
  const std::vector<Sweep> sweeps = SweepsOf(sets);
  EXPECT_EQ(BestOfSeed(sweeps[0], "FP16"), (ValueOfSeed{{1, 40}, {2, 20}}));
  EXPECT_TRUE(BestOfSeed(sweeps[0], "FP32").empty());
  EXPECT_EQ(sweeps[0].Policies(), (std::vector<std::string>{"FP16"}));
}

TEST(SweepTest, ValuesOfSeeds) {
  EXPECT_EQ(PercentOf({{1, 10}, {2, 5}, {3, 7}}, {{1, 40}, {2, 0}}),
            (ValueOfSeed{{1, 25}, {2, 0}}));
  EXPECT_EQ(LowerOfSeed({{1, 10}, {2, 5}}, {{2, 4}, {3, 8}}),
            (ValueOfSeed{{1, 10}, {2, 4}, {3, 8}}));
  EXPECT_EQ(ValuesOf({{2, 5}, {1, 10}}), (std::vector<double>{10, 5}));
}

TEST(SweepTest, PowersOfTenAreShort) {
  EXPECT_EQ(PowerText(1e-2), "1e-2");
  EXPECT_EQ(PowerText(1e-7), "1e-7");
  EXPECT_EQ(PowerText(0.003), "0.003");
  EXPECT_EQ(PowerText(1), "1");
}

}  // namespace
}  // namespace repro16
