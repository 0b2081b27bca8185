#include "experiments/common/network_results.h"

#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

TrainedRun MakeRun(const std::string& model, const std::string& policy,
                   uint64_t seed, const Values& test_percent,
                   double width = 0) {
  TrainedRun run;
  RunSpec& spec = *run.result.mutable_spec();
  spec.set_model(model);
  spec.set_policy(policy);
  spec.set_seed(seed);
  spec.set_scale("lite");
  if (width > 0) spec.mutable_model_options()->set_width(width);
  for (double percent : test_percent) {
    EpochResult* epoch = run.result.add_epochs();
    epoch->set_test_accuracy(percent / 100);
    epoch->set_train_accuracy((percent + 10) / 100);
  }
  return run;
}

std::vector<RunSet> SetsOf(std::vector<TrainedRun> runs) {
  return *RunSet::CreateSets(std::move(runs), "lite");
}

TEST(NetworkResultsTest, AccuraciesAndDifferencesAreOfTheLastEpoch) {
  const std::vector<RunSet> sets =
      SetsOf({MakeRun("vgg16", "FP32", 1, {10, 50}),
              MakeRun("vgg16", "FP32", 2, {20, 60}),
              MakeRun("vgg16", "FP16", 2, {30, 65})});
  const NetworkResults network = ResultsOf(sets).front();
  EXPECT_EQ(network.network().name, "VGG-16");
  EXPECT_EQ(network.epochs(), 2);
  ASSERT_EQ(network.Accuracies("FP32").size(), 2u);
  EXPECT_DOUBLE_EQ(network.Accuracies("FP32")[1], 60);
  EXPECT_DOUBLE_EQ(network.Accuracies("FP32", kTest, 0)[1], 20);
  EXPECT_DOUBLE_EQ(network.Accuracies("FP32", kTraining)[0], 60);
  ASSERT_EQ(network.Differences("FP16", "FP32").size(), 1u);
  EXPECT_NEAR(network.Differences("FP16", "FP32")[0], 5, 1e-9);
  EXPECT_TRUE(network.Accuracies("MP").empty());
}

TEST(NetworkResultsTest, WithoutBatchNormalisationThereIsOneFp16) {
  const std::vector<RunSet> sets = SetsOf(
      {MakeRun("vit8", "FP16", 1, {50}), MakeRun("vgg16", "FP16", 1, {50})});
  EXPECT_EQ(ResultsOf(sets)[0].PolicyOf("FP16_BN32"), "FP16");
  EXPECT_EQ(ResultsOf(sets)[0].Accuracies("FP16_BN32").size(), 1u);
  EXPECT_EQ(ResultsOf(sets)[1].PolicyOf("FP16_BN32"), "FP16_BN32");
  EXPECT_TRUE(ResultsOf(sets)[1].Accuracies("FP16_BN32").empty());
}

TEST(NetworkResultsTest, TrainingIsThatOfTheLeastTrained) {
  const std::vector<RunSet> sets = SetsOf(
      {MakeRun("vgg16", "FP32", 1, {50}), MakeRun("vgg16", "FP32", 2, {60}),
       MakeRun("vgg16", "FP16", 1, {10}),
       MakeRun("vit8", "FP16", 1, {70, 80}, 0.25)});
  const std::vector<NetworkResults> results = ResultsOf(sets);
  const Training all = TrainingOf(results);
  EXPECT_EQ(all.epochs(), 1);
  EXPECT_NEAR(all.train_accuracy(), 65, 1e-9);  // VGG-16's FP32, of two seeds
  EXPECT_FALSE(all.full_width());
  EXPECT_TRUE(TrainingOf({results[0]}).full_width());
  EXPECT_EQ(TrainingOf({}).epochs(), 0);
}

TEST(NetworkResultsTest, ABaselineIsMissedByThreeDeviations) {
  Golden published;
  PaperValue* paper = published.add_paper();
  paper->set_id("mobilenet_v2/FP32");
  paper->set_value(70);
  paper->set_sd(1.2);
  const auto missed = [&](double percent) {
    const std::vector<RunSet> sets =
        SetsOf({MakeRun("mobilenet_v2", "FP32", 1, {percent})});
    return MissedBaseline(ResultsOf(sets), published);
  };
  EXPECT_EQ(missed(66.5), "");
  EXPECT_EQ(missed(90), "");
  EXPECT_EQ(missed(62.1),
            "our FP32 is not the paper's, whose accuracy it misses "
            "(MobileNetV2 62.1, published 70.0)");
}

}  // namespace
}  // namespace repro16
