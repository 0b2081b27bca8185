#include "experiments/table3/verdicts.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/table3/made_up_runs.h"
#include "experiments/table3/sweep.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using report::VERDICT_DIFFER;
using report::VERDICT_INCONCLUSIVE;
using report::VERDICT_MATCH;
using report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
using report::VERDICT_NOT_RUN;

report::Report Judge(std::vector<TrainedRun> runs,
                     std::string_view scale = "lite") {
  const std::vector<RunSet> sets = SetsOf(std::move(runs), scale);
  const std::vector<Sweep> sweeps = SweepsOf(sets);
  report::Report report;
  const absl::Status status =
      AddExpectations(sweeps, GoldenOfTable3(), scale, Judged(sets), &report);
  EXPECT_TRUE(status.ok()) << status;
  return report;
}

report::Verdict VerdictOn(const report::Report& report, std::string_view id) {
  return ExpectationOf(report, id).verdict();
}

// Seeds 1 and 2 of one network with these accuracies by epsilon.
std::vector<TrainedRun> TwoSeeds(MadeUpRun base,
                                 const std::vector<double>& first,
                                 const std::vector<double>& second) {
  base.seed = 1;
  std::vector<TrainedRun> runs = MakeSweep(base, first);
  base.seed = 2;
  for (TrainedRun& run : MakeSweep(base, second)) {
    runs.push_back(std::move(run));
  }
  return runs;
}

// Both seeds alike.
std::vector<TrainedRun> TwoSeeds(MadeUpRun base,
                                 const std::vector<double>& accuracies) {
  return TwoSeeds(std::move(base), accuracies, accuracies);
}

MadeUpRun ResNet34() {
  MadeUpRun base;
  base.model = "resnet34";
  return base;
}

TEST(VerdictsTest, CollapseIsJudgedSeedBySeed) {
  // 1e-5 holds out in both seeds, 1e-6 in one, 1e-7 is not a number in one.
  const report::Report report =
      Judge(TwoSeeds({}, {40, 38, 36, 38, 20, 0}, {40, 38, 36, 35, 30, 10}));
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-5"), VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-6"), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-7"), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(report, "no_collapse_resnet18"), VERDICT_MATCH);
  // In percent of the seed's best: 95 and 87.5.
  EXPECT_DOUBLE_EQ(
      ExpectationOf(report, "collapse_resnet18_1e-5").ours().mean(), 91.25);
  EXPECT_EQ(VerdictOn(report, "collapse_resnet34_1e-5"), VERDICT_NOT_RUN);
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-5_rate_1e-2"),
            VERDICT_NOT_RUN);
  // One of six refutes it, whatever was not run.
  EXPECT_EQ(VerdictOn(report, "adam_collapse"), VERDICT_DIFFER);
}

TEST(VerdictsTest, AnEarlyCollapseIsNotThePapers) {
  const report::Report report =
      Judge(TwoSeeds({}, {40, 38, 12, 10, 10, 0}, {40, 38, 12, 10, 10, 0}));
  EXPECT_EQ(VerdictOn(report, "no_collapse_resnet18"), VERDICT_DIFFER);
}

TEST(VerdictsTest, TheOtherRateHasVerdictsOfItsOwn) {
  MadeUpRun base;
  base.rate = kOtherRate;
  const report::Report report =
      Judge(TwoSeeds(base, {40, 38, 36, 5, 5, 5}, {40, 38, 36, 5, 5, 5}));
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-5_rate_1e-2"),
            VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(report, "no_collapse_resnet18_rate_1e-2"), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-5"), VERDICT_NOT_RUN);
}

TEST(VerdictsTest, WhatIsNotTrainedCannotCollapse) {
  MadeUpRun narrow, beginner, short_run;
  narrow.width = 0.125;
  beginner.train_accuracy = 40;
  short_run.epochs = 4;
  for (const auto& [base, lacking] :
       {std::pair<MadeUpRun, const char*>{narrow, "full width, here less"},
        {beginner, "at least 80% training accuracy, here 40.0%"},
        {short_run, "at least 10 epochs, here 4"}}) {
    const report::Report report =
        Judge(TwoSeeds(base, {40, 38, 36, 5, 5, 5}, {39, 38, 36, 5, 5, 5}));
    for (std::string_view id :
         {"collapse_resnet18_1e-5", "no_collapse_resnet18"}) {
      const report::Expectation e = ExpectationOf(report, id);
      EXPECT_EQ(e.verdict(), VERDICT_NOT_JUDGED_AT_THIS_SCALE) << id;
      EXPECT_NE(e.note().find(lacking), std::string::npos) << e.note();
    }
  }
}

TEST(VerdictsTest, TheSummaryIsOfSixCells) {
  const auto summary = [](const std::vector<double>& of_resnet34) {
    std::vector<TrainedRun> runs = TwoSeeds({}, {40, 38, 36, 10, 10, 0});
    for (TrainedRun& run : TwoSeeds(ResNet34(), of_resnet34)) {
      runs.push_back(std::move(run));
    }
    return Judge(std::move(runs));
  };
  report::Report report = summary({40, 38, 36, 10, 10, 10});
  EXPECT_EQ(report.expectations(0).id(), "adam_collapse");
  EXPECT_EQ(report.expectations(0).verdict(), VERDICT_MATCH);
  report = summary({40, 38, 36, 39, 10, 10});
  EXPECT_EQ(report.expectations(0).verdict(), VERDICT_DIFFER);
  EXPECT_EQ(report.expectations(0).ours_text(), "of 6: 5 match, 1 differ");
}

TEST(VerdictsTest, OneSeedDecidesNothing) {
  EXPECT_EQ(VerdictOn(Judge(MakeSweep({}, {40, 38, 36, 5, 5, 5})),
                      "collapse_resnet18_1e-5"),
            VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(VerdictsTest, Fp32AtItsDefault) {
  MadeUpRun base;
  base.policy = "FP32";
  EXPECT_EQ(VerdictOn(Judge(TwoSeeds(base, {40, 38, 36, 35, 35, 35})),
                      "fp32_default_resnet18"),
            VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(Judge(TwoSeeds(base, {40, 38, 36, 35, 35, 15})),
                      "fp32_default_resnet18"),
            VERDICT_DIFFER);
}

// A precision that learns nothing at any epsilon has not been trained less.
TEST(VerdictsTest, TheTrainingIsFp32s) {
  MadeUpRun fp16, fp32;
  fp16.train_accuracy = 10;
  fp32.policy = "FP32";
  std::vector<TrainedRun> runs = TwoSeeds(fp16, {40, 38, 36, 5, 5, 5});
  EXPECT_EQ(VerdictOn(Judge(runs), "collapse_resnet18_1e-5"),
            VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  for (TrainedRun& run : TwoSeeds(fp32, {40, 38, 36, 36, 36, 36})) {
    runs.push_back(std::move(run));
  }
  EXPECT_EQ(VerdictOn(Judge(std::move(runs)), "collapse_resnet18_1e-5"),
            VERDICT_MATCH);
}

TEST(VerdictsTest, OneEpsilonIsEnoughForRmsProp) {
  MadeUpRun base;
  base.rule = "RMSProp";
  EXPECT_EQ(VerdictOn(Judge(TwoSeeds(base, {40, 38, 36, 35, 35, 35})),
                      "rmsprop_collapse_resnet18"),
            VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(Judge(TwoSeeds(base, {40, 38, 36, 35, 10, 35})),
                      "rmsprop_collapse_resnet18"),
            VERDICT_MATCH);
}

// Four epsilons of six: a collapse at one that was not run is not refuted.
TEST(VerdictsTest, EpsilonsThatWereNotRunAreNamed) {
  MadeUpRun base;
  base.rule = "RMSProp";
  const report::Expectation e = ExpectationOf(
      Judge(TwoSeeds(base, {40, 38, 36, 35})), "rmsprop_collapse_resnet18");
  EXPECT_EQ(e.verdict(), VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_NE(e.note().find("epsilon 1e-06, 1e-07 was not run"),
            std::string::npos)
      << e.note();
}

TEST(VerdictsTest, SgdIsHeldAgainstFp32) {
  const auto verdict = [](double fp16, double fp32) {
    MadeUpRun run;
    run.rule = "SGD";
    run.rate = kSgdRate;
    std::vector<TrainedRun> runs = TwoSeeds(run, {fp16});
    run.policy = "FP32";
    for (TrainedRun& made : TwoSeeds(run, {fp32})) {
      runs.push_back(std::move(made));
    }
    return VerdictOn(Judge(std::move(runs)), "sgd_stable_resnet18");
  };
  EXPECT_EQ(verdict(33, 40), VERDICT_MATCH);
  EXPECT_EQ(verdict(31, 40), VERDICT_DIFFER);
}

TEST(VerdictsTest, AccuraciesAreJudgedAtPaperScaleOnly) {
  const auto verdict = [](std::string scale, double mean, double spread,
                          int seeds) {
    std::vector<TrainedRun> runs;
    for (int seed = 1; seed <= seeds; ++seed) {
      MadeUpRun run;
      run.seed = seed;
      run.scale = scale;
      run.epochs = 100;
      run.accuracy = mean + (seed % 2 == 0 ? spread : -spread);
      runs.push_back(Make(run));
    }
    return VerdictOn(Judge(std::move(runs), scale), "accuracy_resnet18_1e-2");
  };
  // The paper: 74.4.
  EXPECT_EQ(verdict("paper", 74.5, 0.1, 6), VERDICT_MATCH);
  EXPECT_EQ(verdict("paper", 80, 0.1, 6), VERDICT_DIFFER);
  EXPECT_EQ(verdict("paper", 74.5, 3, 6), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(verdict("paper", 80, 0.1, 2), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(Judge({}), "accuracy_resnet18_1e-2"), VERDICT_NOT_RUN);
}

// Alone, 75.2 matches the paper's 74.4 within 0.9 points; with others that are
// as close to the edge it does not.
TEST(VerdictsTest, TheAccuraciesAreOneFamily) {
  const auto verdict = [](int epsilons) {
    std::vector<TrainedRun> runs;
    for (int seed = 1; seed <= 6; ++seed) {
      MadeUpRun base;
      base.scale = "paper";
      base.epochs = 100;
      base.seed = seed;
      const double spread = seed % 2 == 0 ? 0.1 : -0.1;
      std::vector<double> accuracies;
      for (double published : {74.4, 78.2, 74.7, 22.5, 12.8, 11.7}) {
        if (static_cast<int>(accuracies.size()) == epsilons) break;
        accuracies.push_back(published + 0.78 + spread);
      }
      for (TrainedRun& run : MakeSweep(base, accuracies)) {
        runs.push_back(std::move(run));
      }
    }
    return VerdictOn(Judge(std::move(runs), "paper"), "accuracy_resnet18_1e-2");
  };
  EXPECT_EQ(verdict(1), VERDICT_MATCH);
  EXPECT_EQ(verdict(6), VERDICT_INCONCLUSIVE);
}

TEST(VerdictsTest, SmokeRunsJudgeNothing) {
  MadeUpRun base;
  base.scale = "smoke";
  const report::Report report =
      Judge(MakeSweep(base, {40, 38, 36, 10, 10, 10}), "smoke");
  EXPECT_EQ(VerdictOn(report, "collapse_resnet18_1e-5"),
            VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

}  // namespace
}  // namespace repro16
