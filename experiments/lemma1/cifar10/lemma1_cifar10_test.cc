#include "experiments/lemma1/cifar10/lemma1_cifar10.h"

#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "experiments/common/run_files.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Five samples: gamma > 2 delta; gamma < 2 delta and one class; gamma = 0.8
// times 2 delta and two classes; gamma < 2 delta and two classes; a NaN.
const std::vector<int64_t> kLabels = {1, 1, 0, 0, 0};
const std::vector<float> k32 = {.25f, .75f, .375f, .625f, .25f,
                                .75f, .25f, .75f,  1,     0};
const std::vector<float> k16 = {.375f,  .625f, 0, 1,    .5625f,
                                .4375f, 1,     0, kNaN, 0};

TrainedRun RunOf(const std::string& policy, uint64_t seed,
                 const std::vector<float>& probabilities) {
  TrainedRun run = MakeRunWithFiles(policy, seed, probabilities, kLabels);
  run.result.mutable_spec()->set_model("alexnet");
  return run;
}

Analysis AnalysisOf(std::vector<TrainedRun> runs) {
  const auto golden = ReadGolden("experiments/lemma1/cifar10/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  AnalysisInputs inputs;
  inputs.scale = "lite";
  inputs.sets = *RunSet::CreateSets(std::move(runs), "lite");
  const auto analysis = AnalyseLemma1Cifar10(inputs, *golden);
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return *analysis;
}

std::map<std::string, report::Verdict> Verdicts(const report::Report& report) {
  std::map<std::string, report::Verdict> verdicts;
  for (const report::Expectation& e : report.expectations()) {
    verdicts[e.id()] = e.verdict();
  }
  return verdicts;
}

TEST(AnalyseLemma1Cifar10Test, ChecksEverySampleAndTellsTheBound) {
  const Analysis analysis = AnalysisOf(
      {RunOf("FP32", 1, k32), RunOf("FP32", 2, k32), RunOf("FP16", 1, k16),
       RunOf("FP16", 2, k16), RunOf("MP", 1, k32)});
  EXPECT_TRUE(analysis.failed_checks.empty());
  auto verdicts = Verdicts(analysis.report);
  EXPECT_EQ(verdicts["strict_networks"], report::VERDICT_MATCH);
  // There is no such sample.
  EXPECT_EQ(verdicts["boundary_networks"], report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(verdicts["in_common"], report::VERDICT_MATCH);
  // Two of FP16, five of MP.
  EXPECT_EQ(analysis.report.expectations(0).ours_text(), "0 of 7 differ");
  EXPECT_EQ(analysis.report.expectations(2).ours_text(), "0 of 3 have fewer");

  ASSERT_GE(analysis.report.tables_size(), 2);
  const report::Table& bound = analysis.report.tables(0);
  ASSERT_EQ(bound.rows_size(), 2);
  const report::Row& fp16 = bound.rows(0);
  EXPECT_EQ(fp16.cells(0).text(), "AlexNet FP16");
  EXPECT_EQ(fp16.cells(1).text(), "20.00%");
  EXPECT_EQ(fp16.cells(2).text(), "40.00%");
  EXPECT_EQ(fp16.cells(3).text(), "20.00");
  EXPECT_EQ(fp16.cells(4).text(), "25.00%");
  EXPECT_EQ(fp16.cells(5).text(), "0.8000");
  EXPECT_EQ(bound.rows(1).cells(4).text(), "–");
  EXPECT_EQ(bound.rows(1).cells(5).text(), "–");

  bool not_finite = false;
  for (const report::Finding& finding : analysis.report.findings()) {
    not_finite |= absl::StrContains(finding.text(), "2 of 10 test samples");
  }
  EXPECT_TRUE(not_finite);
}

TEST(AnalyseLemma1Cifar10Test, ATieAtTheBoundaryLeavesEquation3Open) {
  const std::vector<float> tie = {.5f,  .5f,  .375f, .625f, .25f,
                                  .75f, .25f, .75f,  1,     0};
  const Analysis analysis =
      AnalysisOf({RunOf("FP32", 1, k32), RunOf("FP16", 1, tie)});
  EXPECT_TRUE(analysis.failed_checks.empty());
  auto verdicts = Verdicts(analysis.report);
  EXPECT_EQ(verdicts["strict_networks"], report::VERDICT_MATCH);
  EXPECT_EQ(verdicts["boundary_networks"], report::VERDICT_NONE);
  EXPECT_EQ(analysis.report.expectations(1).ours_text(),
            "1 of 1 differ, each by a tie");
  EXPECT_EQ(verdicts["in_common"], report::VERDICT_DIFFER);
}

TEST(AnalyseLemma1Cifar10Test, WithoutRunsNothingIsJudged) {
  const Analysis analysis = AnalysisOf({});
  EXPECT_EQ(analysis.report.expectations_size(), 3);
  for (const report::Expectation& e : analysis.report.expectations()) {
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
}

}  // namespace
}  // namespace repro16
