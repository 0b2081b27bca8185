#include "experiments/common/report_parts.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

TrainedRun MakeRun(const std::string& policy, uint64_t seed,
                   const std::vector<float>& losses) {
  TrainedRun run;
  run.result.mutable_spec()->set_policy(policy);
  run.result.mutable_spec()->set_seed(seed);
  run.result.mutable_spec()->set_scale("lite");
  StoreCounts* counts =
      run.result.add_epochs()->mutable_rounding()->mutable_activations();
  counts->set_stored(100);
  counts->set_underflow(seed);
  for (float loss : losses) run.result.add_steps()->set_loss(loss);
  return run;
}

RunSet MakeSet(std::vector<TrainedRun> runs) {
  return *RunSet::Create(std::move(runs), "lite");
}

TEST(StartReportTest, AddsUpTheRoundingOfAPolicy) {
  TrainedRun infinite = MakeRun("FP16", 2, {});
  infinite.result.mutable_first_non_finite()->set_step(7);
  infinite.result.mutable_first_non_finite()->set_tensor("dense_1/kernel");
  infinite.result.add_steps()->set_skipped(true);
  const report::Report report = StartReport(
      "x", MakeSet({MakeRun("FP32", 1, {}), MakeRun("FP16", 1, {}), infinite}));
  ASSERT_EQ(report.counts_size(), 2);
  const report::PolicyCounts& fp16 = report.counts(1);
  EXPECT_EQ(fp16.policy(), "FP16");
  EXPECT_EQ(fp16.runs(), 2);
  EXPECT_EQ(fp16.counts().activations().stored(), 200u);
  EXPECT_EQ(fp16.counts().activations().underflow(), 3u);
  EXPECT_EQ(fp16.skipped_steps(), 1);
  EXPECT_EQ(fp16.non_finite_runs(), 1);
  EXPECT_EQ(fp16.first_non_finite(), "seed 2, step 7, dense_1/kernel");
}

TEST(StartReportTest, TellsWhatRunsWereWarnedAbout) {
  const auto warned = [](const std::string& policy, uint64_t seed,
                         const std::vector<std::string>& warnings) {
    TrainedRun run = MakeRun(policy, seed, {});
    run.result.mutable_spec()->set_model("mlp");
    for (const std::string& warning : warnings) {
      run.result.add_warnings(warning);
    }
    return run;
  };
  const report::Report report = StartReport(
      "x", MakeSet({warned("FP32", 1, {}), warned("MP", 1, {}),
                    warned("MP", 2, {"loss scale: 3 of 4 skipped", "rate: 0"}),
                    warned("MP", 3, {"loss scale: 2 of 4 skipped"}),
                    warned("BF16", 1, {"rate: 0 in bf16"})}));
  ASSERT_EQ(report.findings_size(), 3);
  for (const report::Finding& finding : report.findings()) {
    EXPECT_EQ(finding.kind(), report::Finding::LIMITATION);
  }
  EXPECT_EQ(report.findings(0).title(), "Runs in BF16 and their rate");
  EXPECT_EQ(
      report.findings(0).text(),
      "rate: 0 in bf16. Seen in 1 of 1 run in BF16, first in mlp seed 1.");
  EXPECT_EQ(report.findings(1).title(), "Runs in MP and their loss scale");
  EXPECT_EQ(report.findings(1).text(),
            "loss scale: 3 of 4 skipped. Seen in 2 of 3 runs in MP, first in "
            "mlp seed 2.");
  EXPECT_EQ(report.findings(2).title(), "Runs in MP and their rate");
  EXPECT_EQ(StartReport("x", MakeSet({MakeRun("MP", 1, {})})).findings_size(),
            0);
}

TEST(AddMnistReductionsTest, NamesWhatIsSmaller) {
  const auto reductions = [](std::vector<TrainedRun> runs) {
    const RunSet set = MakeSet(std::move(runs));
    report::Report report = StartReport("x", set);
    AddMnistReductions(set, &report);
    const auto& names = report.provenance().reductions();
    return std::vector<std::string>(names.begin(), names.end());
  };
  TrainedRun small = MakeRun("FP16", 1, {});
  small.result.mutable_spec()->mutable_data()->set_train_examples(2000);
  small.result.mutable_spec()->mutable_data()->set_test_examples(500);
  EXPECT_EQ(
      reductions({small}),
      (std::vector<std::string>{
          "1 seed instead of 50", "1 epochs instead of 10",
          "the first 2,000 training examples", "the first 500 test examples"}));
  std::vector<TrainedRun> full;
  for (int seed = 1; seed <= 50; ++seed) {
    full.push_back(MakeRun("FP16", seed, {}));
    for (int epoch = 1; epoch < 10; ++epoch) full.back().result.add_epochs();
  }
  EXPECT_TRUE(reductions(full).empty());
}

TEST(AddPartingsTest, FindsTheFirstStepWithAnotherLoss) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  report::Report report;
  AddPartings(
      MakeSet({MakeRun("FP16", 1, {3, 2, 1}), MakeRun("FP32", 1, {3, 2.5, 1}),
               MakeRun("FP16", 2, {3, nan}), MakeRun("FP32", 2, {3, nan})}),
      "FP16", "FP32", &report);
  ASSERT_EQ(report.partings_size(), 2);
  EXPECT_EQ(report.partings(0).run_a(), "FP16 seed 1");
  EXPECT_EQ(report.partings(0).step(), 1);
  EXPECT_FALSE(report.partings(1).has_step());
}

TEST(AddContradictionsTest, TellsOnlyWhatDiffers) {
  report::Report report;
  report.add_expectations()->set_verdict(report::VERDICT_MATCH);
  report::Expectation* differs = report.add_expectations();
  differs->set_verdict(report::VERDICT_DIFFER);
  differs->set_what("the mean");
  differs->set_paper_text("1");
  differs->set_ours_text("2");
  differs->set_note("a note");
  AddContradictions(&report);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).kind(), report::Finding::CONTRADICTION);
  EXPECT_EQ(report.findings(0).title(), "the mean");
  EXPECT_EQ(report.findings(0).text(), "The paper: 1. Ours: 2. a note");
}

TEST(AddContradictionsTest, ShowsNumbersWhereThereAreNoTexts) {
  report::Report report;
  report::Expectation* differs = report.add_expectations();
  differs->set_verdict(report::VERDICT_DIFFER);
  differs->set_paper_value(0.995);
  differs->mutable_ours()->set_mean(0.5);
  differs->mutable_ours()->set_n(3);
  AddContradictions(&report);
  EXPECT_EQ(report.findings(0).text(), "The paper: 0.995. Ours: 0.5000 (n=3).");
}

TEST(FormatTest, WritesAsThePaperDoes) {
  EXPECT_EQ(Scientific(0.995), "9.95E-01");
  EXPECT_EQ(Percent(0.98765), "98.77%");
  EXPECT_EQ(CountCell(12345).text(), "12,345");
}

}  // namespace
}  // namespace repro16
