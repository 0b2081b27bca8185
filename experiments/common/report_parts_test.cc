#include "experiments/common/report_parts.h"

#include <limits>
#include <string>
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
  AddContradictions(&report);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).kind(), report::Finding::CONTRADICTION);
  EXPECT_EQ(report.findings(0).title(), "the mean");
}

TEST(FormatTest, WritesAsThePaperDoes) {
  EXPECT_EQ(Scientific(0.995), "9.95E-01");
  EXPECT_EQ(Percent(0.98765), "98.77%");
  EXPECT_EQ(CountCell(12345).text(), "12,345");
}

}  // namespace
}  // namespace repro16
