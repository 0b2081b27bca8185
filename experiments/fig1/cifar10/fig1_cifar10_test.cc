#include "experiments/fig1/cifar10/fig1_cifar10.h"

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "experiments/common/run_files.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

const std::vector<int64_t> kLabels = {1, 1, 1, 1};
// Tolerances 0.5.
const std::vector<float> k32 = {.25f, .75f, .25f, .75f, .25f, .75f, .25f, .75f};
// Errors 0.125: all satisfy Eq. 3.
const std::vector<float> kNear = {.375f, .625f, .375f, .625f,
                                  .375f, .625f, .375f, .625f};
// Errors 0.75: none does, and the mean tolerance is smaller than the mean
// error.
const std::vector<float> kFar = {1, 0, 1, 0, 1, 0, 1, 0};

TrainedRun RunOf(const std::string& model, const std::string& policy,
                 uint64_t seed, const std::vector<float>& probabilities) {
  TrainedRun run = MakeRunWithFiles(policy, seed, probabilities, kLabels);
  run.result.mutable_spec()->set_model(model);
  run.result.mutable_epochs(0)->set_test_accuracy(0.7);
  // The files of two networks have one name each.
  const std::string path =
      absl::StrCat(testing::TempDir(), model, "_", policy, "_", seed);
  EXPECT_EQ(std::rename(run.probabilities_path.c_str(), path.c_str()), 0);
  run.probabilities_path = path;
  return run;
}

// Runs of two seeds.
void AddNetwork(const std::string& model, const std::vector<float>& fp16,
                std::vector<TrainedRun>* runs) {
  for (uint64_t seed : {1, 2}) {
    runs->push_back(RunOf(model, "FP32", seed, seed == 1 ? k32 : kFar));
    runs->push_back(RunOf(model, "FP16", seed, seed == 1 ? fp16 : kFar));
  }
}

report::Report ReportOf(std::vector<TrainedRun> runs) {
  const auto golden = ReadGolden("experiments/fig1/cifar10/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  AnalysisInputs inputs;
  inputs.scale = "lite";
  inputs.sets = *RunSet::CreateSets(std::move(runs), "lite");
  const auto analysis = AnalyseFigure1Cifar10(inputs, *golden);
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis->report;
}

std::map<std::string, report::Verdict> Verdicts(const report::Report& report) {
  std::map<std::string, report::Verdict> verdicts;
  for (const report::Expectation& e : report.expectations()) {
    verdicts[e.id()] = e.verdict();
  }
  return verdicts;
}

TEST(AnalyseFigure1Cifar10Test, JudgesEachNetworkAndAll) {
  std::vector<TrainedRun> runs = {
      RunOf("alexnet", "FP32", 1, k32), RunOf("alexnet", "FP16", 1, kNear),
      RunOf("resnet32", "FP32", 1, k32), RunOf("resnet32", "FP16", 1, kFar),
      RunOf("resnet32", "FP16_BN32", 1, kNear)};
  auto verdicts = Verdicts(ReportOf(runs));
  EXPECT_EQ(verdicts["share_guaranteed/alexnet"], report::VERDICT_MATCH);
  EXPECT_EQ(verdicts["ratio/alexnet"], report::VERDICT_MATCH);
  EXPECT_EQ(verdicts["share_guaranteed/resnet32"], report::VERDICT_DIFFER);
  EXPECT_EQ(verdicts["ratio/resnet32"], report::VERDICT_DIFFER);
  EXPECT_EQ(verdicts["share_guaranteed/vit12"], report::VERDICT_NOT_RUN);
  EXPECT_EQ(verdicts["share_guaranteed/FP16"], report::VERDICT_INCONCLUSIVE);
  // The framework's FP16 is AlexNet's FP16 and ResNet-32's FP16_BN32.
  EXPECT_EQ(verdicts["share_guaranteed/FP16_BN32"], report::VERDICT_MATCH);
  EXPECT_EQ(verdicts["ratio/FP16_BN32"], report::VERDICT_MATCH);
  runs[1] = RunOf("alexnet", "FP16", 1, kFar);
  EXPECT_EQ(Verdicts(ReportOf(runs))["share_guaranteed/FP16"],
            report::VERDICT_DIFFER);
}

// The belief is about trained networks.
TEST(AnalyseFigure1Cifar10Test, UntrainedNetworksAreNotJudged) {
  std::vector<TrainedRun> runs = {RunOf("alexnet", "FP32", 1, k32),
                                  RunOf("alexnet", "FP16", 1, kFar)};
  runs[0].result.mutable_epochs(0)->set_train_accuracy(0.48);
  auto verdicts = Verdicts(ReportOf(std::move(runs)));
  EXPECT_EQ(verdicts["share_guaranteed/alexnet"],
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_EQ(verdicts["share_guaranteed/FP16"],
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(AnalyseFigure1Cifar10Test, TellsHowMuchOfTheErrorIsPrecision) {
  // Mean errors of FP16: 0.0625 and 0.375; of a change of seed: 0.75.
  std::vector<TrainedRun> runs;
  AddNetwork("vgg16", kNear, &runs);
  AddNetwork("xception", kFar, &runs);
  const report::Report report = ReportOf(std::move(runs));
  bool found = false;
  for (const report::Finding& finding : report.findings()) {
    if (finding.title() != "How much of the error is precision") continue;
    found = true;
    EXPECT_TRUE(absl::StrContains(
        finding.text(), "is from 8.33% (VGG-16) to 50% (Xception) of that"))
        << finding.text();
    EXPECT_TRUE(absl::StrContains(finding.text(), "for 2 of 2 networks"));
  }
  EXPECT_TRUE(found);
  EXPECT_EQ(report.figures_size(), 2);
  // Of FP16, and of the control.
  int rows = 0;
  for (const report::Table& table : report.tables()) {
    if (absl::StartsWith(table.title(), "Error and tolerance, FP16 against") ||
        absl::StartsWith(table.title(), "Control")) {
      rows += table.rows_size();
    }
  }
  EXPECT_EQ(rows, 4);
}

TEST(AnalyseFigure1Cifar10Test, WithoutRunsNothingIsJudged) {
  const report::Report report = ReportOf({});
  EXPECT_EQ(report.expectations_size(), 28);
  for (const report::Expectation& e : report.expectations()) {
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
  EXPECT_TRUE(report.tables().empty());
}

}  // namespace
}  // namespace repro16
