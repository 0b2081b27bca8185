#include "experiments/fig1/fig1.h"

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

// Three samples; errors 0.125, 0.125 and `last`, tolerances 0.5, 0.5 and 1.
std::vector<TrainedRun> PairOfSeed(uint64_t seed, float last) {
  const std::vector<int64_t> labels = {1, 1, 0};
  TrainedRun fp32 =
      MakeRunWithFiles("FP32", seed, {.25f, .75f, .25f, .75f, 1, 0}, labels);
  TrainedRun fp16 = MakeRunWithFiles(
      "FP16", seed, {.375f, .625f, .375f, .625f, 1 - last, last}, labels);
  StoreCounts* counts = fp16.result.mutable_epochs(0)
                            ->mutable_rounding()
                            ->mutable_activation_gradients();
  counts->set_stored(1000);
  counts->set_underflow(25);
  return {fp32, fp16};
}

report::Report ReportOf(float last) {
  std::vector<TrainedRun> runs;
  for (uint64_t seed : {1, 2, 3}) {
    for (TrainedRun& run : PairOfSeed(seed, last)) runs.push_back(run);
  }
  const auto golden = ReadGolden("experiments/fig1/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  const auto analysis =
      AnalyseFigure1(*RunSet::Create(std::move(runs), "lite"), *golden);
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

TEST(AnalyseFigure1Test, JudgesRunsOfThreeSeeds) {
  auto verdicts = Verdicts(ReportOf(0.75f));
  EXPECT_EQ(verdicts["delta_mean"], report::VERDICT_DIFFER);
  EXPECT_EQ(verdicts["delta_variance"], report::VERDICT_DIFFER);
  // 6.7E-01: far from 1E-1. That it is printed with its exponent is told.
  EXPECT_EQ(verdicts["gamma_mean"], report::VERDICT_DIFFER);
  EXPECT_EQ(verdicts["delta_max"], report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(verdicts["share_guaranteed"], report::VERDICT_MATCH);
  EXPECT_EQ(verdicts["accuracy_difference"], report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Verdicts(ReportOf(1))["delta_max"], report::VERDICT_MATCH);
}

TEST(AnalyseFigure1Test, FindingsTellOurNumbers) {
  const report::Report report = ReportOf(0.75f);
  bool cause = false;
  for (const report::Finding& finding : report.findings()) {
    EXPECT_FALSE(absl::StrContains(finding.text(), "Ours: ."))
        << finding.text();
    if (finding.title() != "The cause of the largest errors") continue;
    cause = true;
    EXPECT_TRUE(absl::StrContains(finding.text(), "0 of 3 stored an infinity"));
    EXPECT_TRUE(absl::StrContains(finding.text(), "2.50% of all values"));
    // The controls are equal networks, without an error near 1.
    EXPECT_FALSE(absl::StrContains(finding.text(), "consistent with"));
  }
  EXPECT_TRUE(cause);
  ASSERT_FALSE(report.provenance().reductions().empty());
  EXPECT_EQ(report.provenance().reductions(0), "3 seeds instead of 50");
}

}  // namespace
}  // namespace repro16
