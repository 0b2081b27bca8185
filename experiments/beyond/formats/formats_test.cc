#include "experiments/beyond/formats/formats.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

Golden FormatsGolden() {
  auto golden = ReadGolden("experiments/beyond/formats/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  return *golden;
}

// Accuracies in percent, a value a seed.
void AddRuns(const std::string& model, const std::string& policy,
             const std::vector<double>& accuracies,
             std::vector<TrainedRun>* runs) {
  for (size_t i = 0; i < accuracies.size(); ++i) {
    TrainedRun run;
    RunSpec& spec = *run.result.mutable_spec();
    spec.set_model(model);
    spec.set_policy(policy);
    spec.set_seed(i + 1);
    spec.set_scale("lite");
    EpochResult* epoch = run.result.add_epochs();
    epoch->set_train_accuracy(0.9);
    epoch->set_test_accuracy(accuracies[i] / 100);
    runs->push_back(std::move(run));
  }
}

report::Report ReportOf(std::vector<TrainedRun> runs) {
  AnalysisInputs inputs;
  inputs.scale = "lite";
  inputs.sets = *RunSet::CreateSets(std::move(runs), "lite");
  const auto analysis = AnalyseFormats(inputs, FormatsGolden());
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis->report;
}

TEST(AnalyseFormatsTest, TheVerdictIsPooledOverNetworks) {
  std::vector<TrainedRun> runs;
  // Less by 0.1, 0.2, 0.3 points in turn, and by 2 more; the 53 pairs that are
  // planned.
  for (const auto& [model, seeds] : {std::pair("alexnet", 27), {"vit8", 26}}) {
    std::vector<double> fp32, bf16;
    for (int seed = 0; seed < seeds; ++seed) {
      fp32.push_back(70 + seed % 3);
      bf16.push_back(fp32.back() - 0.1 * (1 + seed % 3));
    }
    AddRuns(model, "FP32", fp32, &runs);
    AddRuns(model, "BF16", bf16, &runs);
    AddRuns(model, "FP16_ACC16", {68, 69, 70, 68, 69}, &runs);
  }
  const report::Report report = ReportOf(runs);
  ASSERT_EQ(report.expectations_size(), 4);
  EXPECT_EQ(report.expectations(0).verdict(), report::VERDICT_MATCH);
  EXPECT_NEAR(report.expectations(0).ours().mean(), -0.2, 0.01);
  EXPECT_EQ(report.expectations(1).verdict(), report::VERDICT_DIFFER);
  EXPECT_NEAR(report.expectations(1).ours().mean(), -2, 1e-9);

  // One pair less is another look.
  runs.erase(runs.begin() + 27);
  EXPECT_EQ(ReportOf(std::move(runs)).expectations(0).verdict(),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(AnalyseFormatsTest, FewSeedsDecideNothing) {
  std::vector<TrainedRun> runs;
  AddRuns("alexnet", "FP32", {70, 71, 72}, &runs);
  AddRuns("alexnet", "BF16", {69.9, 70.8, 71.7}, &runs);
  const report::Report report = ReportOf(std::move(runs));
  const report::Row& alexnet = report.tables(1).rows(0);
  EXPECT_EQ(alexnet.cells(1).text(), "-0.20 ± 0.10 (3)");
  EXPECT_EQ(alexnet.cells(2).verdict(),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(AnalyseFormatsTest, FiveSeedsJudgeANetwork) {
  std::vector<TrainedRun> runs;
  AddRuns("alexnet", "FP32", {70, 71, 72, 70, 71}, &runs);
  AddRuns("alexnet", "BF16", {70.1, 70.9, 72, 70.1, 70.9}, &runs);
  AddRuns("alexnet", "FP16_ACC16", {10, 10, 10, 10, 10}, &runs);
  const report::Report report = ReportOf(std::move(runs));
  const report::Row& row = report.tables(1).rows(0);
  EXPECT_EQ(row.cells(2).verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(row.cells(4).verdict(), report::VERDICT_DIFFER);
}

TEST(AnalyseFormatsTest, SeedsOfFp32AloneDoNotCount) {
  std::vector<TrainedRun> runs;
  AddRuns("vit8", "FP32", {70, 71, 10, 10, 10}, &runs);
  AddRuns("vit8", "FP16_ACC16", {70, 71}, &runs);
  const report::Report report = ReportOf(std::move(runs));
  EXPECT_EQ(report.expectations(0).verdict(), report::VERDICT_NOT_RUN);
  EXPECT_EQ(report.expectations(1).verdict(), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(report.tables(1).rows(0).cells(3).text(), "+0.00 ± 0.00 (2)");
  EXPECT_EQ(report.figures(0).datasets(0).records_size(), 2);
}

TEST(AnalyseFormatsTest, CountsAreOfAllSeedsAndEpochs) {
  std::vector<TrainedRun> runs;
  AddRuns("vit8", "FP32", {70, 70}, &runs);
  AddRuns("vit8", "FP16_ACC16", {10, 70}, &runs);
  for (int i : {2, 3}) {
    EpochResult& epoch = *runs[i].result.mutable_epochs(0);
    epoch.mutable_rounding()->mutable_activations()->set_stored(100);
    epoch.mutable_rounding()->mutable_activations()->set_underflow(i);
    epoch.mutable_rounding()->mutable_parameters()->set_nan(4);
    epoch.mutable_rounding()->mutable_weight_gradients()->set_infinite(i);
  }
  runs[2].result.mutable_epochs(0)->set_train_loss(std::nan(""));
  runs[3].result.add_steps()->set_skipped(true);
  runs[3].result.add_steps()->set_skipped(false);
  const report::Report report = ReportOf(std::move(runs));
  const report::Row& row = report.tables(2).rows(1);
  EXPECT_EQ(row.cells(1).text(), "FP16_ACC16");
  EXPECT_EQ(row.cells(2).number(), 2);
  EXPECT_EQ(row.cells(3).number(), 1);
  EXPECT_EQ(row.cells(4).number(), 13);
  EXPECT_EQ(row.cells(5).number(), 1);
  EXPECT_EQ(row.cells(6).text(), "2.5%");
  EXPECT_EQ(row.cells(7).text(), "-");
  EXPECT_NE(report.summary(1).find("ViT-8 in FP16_ACC16 (seed 1)"),
            std::string::npos);
}

TEST(AnalyseFormatsTest, WithoutRunsTheReportSaysSo) {
  const report::Report report = ReportOf({});
  ASSERT_EQ(report.expectations_size(), 4);
  for (const report::Expectation& e : report.expectations()) {
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
}

}  // namespace
}  // namespace repro16
