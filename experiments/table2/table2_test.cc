#include "experiments/table2/table2.h"

#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "experiments/common/cifar10.h"
#include "experiments/table2/published.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

constexpr const char* kPolicies[] = {"FP16", "FP16_BN32", "FP32", "MP"};

// Points that a policy's accuracy lies above 70%, by network and policy.
using Offsets = std::map<std::pair<std::string, std::string>, double>;

bool HasBatchNorm(std::string_view model) {
  return model != "alexnet" && !absl::StartsWith(model, "vit");
}

TrainedRun MakeRun(std::string_view model, const std::string& policy,
                   uint64_t seed, const std::string& scale, double percent) {
  TrainedRun run;
  RunSpec& spec = *run.result.mutable_spec();
  spec.set_model(std::string(model));
  spec.set_policy(policy);
  spec.set_seed(seed);
  spec.set_scale(scale);
  spec.set_epochs(scale == "paper" ? 100 : 1);
  spec.mutable_data()->set_dataset("cifar10");
  run.result.set_parameter_count(1234);
  for (int i = 0; i < spec.epochs(); ++i) {
    EpochResult* epoch = run.result.add_epochs();
    epoch->set_train_accuracy(0.9);
    epoch->set_test_accuracy(percent / 100);
  }
  return run;
}

// A run of each cell and seed: 70% and the offset, of FP16 and FP16_BN32 with
// 0.1 points more or less in turn.
std::vector<TrainedRun> MakeRuns(int seeds, const std::string& scale,
                                 const Offsets& offsets = {}) {
  std::vector<TrainedRun> runs;
  for (const Network& network : Table2Networks()) {
    for (const std::string policy : kPolicies) {
      if (policy == "FP16_BN32" && !HasBatchNorm(network.model)) continue;
      const auto offset = offsets.find({std::string(network.model), policy});
      for (int seed = 1; seed <= seeds; ++seed) {
        double percent = 70;
        if (offset != offsets.end()) percent += offset->second;
        if (absl::StartsWith(policy, "FP16")) {
          percent += seed % 2 == 0 ? 0.1 : -0.1;
        }
        runs.push_back(MakeRun(network.model, policy, seed, scale, percent));
      }
    }
  }
  return runs;
}

Golden ReadTheGolden() {
  absl::StatusOr<Golden> golden =
      ReadGolden("experiments/table2/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  return *std::move(golden);
}

constexpr char kPublished[] = "experiments/table2/published.textproto";

Golden ReadThePaper() {
  const absl::StatusOr<Published> published = ReadPublished(kPublished);
  EXPECT_TRUE(published.ok()) << published.status();
  return published->values;
}

// FP32 as published, all precisions equal to it.
Offsets AsPublished() {
  Offsets offsets;
  const Golden paper = ReadThePaper();
  for (const PaperValue& value : paper.paper()) {
    const size_t slash = value.id().find('/');
    if (value.id().substr(slash) != "/FP32") continue;
    for (const char* policy : kPolicies) {
      offsets[{value.id().substr(0, slash), policy}] = value.value() - 70;
    }
  }
  return offsets;
}

report::Report ReportOf(std::vector<TrainedRun> runs,
                        const std::string& scale) {
  AnalysisInputs inputs;
  inputs.scale = scale;
  auto sets = RunSet::CreateSets(std::move(runs), scale);
  EXPECT_TRUE(sets.ok()) << sets.status();
  inputs.sets = *std::move(sets);
  inputs.files = {kPublished};
  const auto analysis = AnalyseTable2(inputs, ReadTheGolden());
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis->report;
}

report::Expectation ExpectationOf(const report::Report& report,
                                  std::string_view id) {
  for (const report::Expectation& e : report.expectations()) {
    if (e.id() == id) return e;
  }
  ADD_FAILURE() << "no expectation " << id;
  return {};
}

report::Verdict VerdictOn(const report::Report& report, std::string_view id) {
  return ExpectationOf(report, id).verdict();
}

// Of the table whose title begins so.
report::Cell CellOf(const report::Report& report, std::string_view title,
                    std::string_view network, int column) {
  for (const report::Table& table : report.tables()) {
    if (!absl::StartsWith(table.title(), title)) continue;
    for (const report::Row& row : table.rows()) {
      if (row.cells(0).text() == network) return row.cells(column);
    }
  }
  ADD_FAILURE() << "no row " << network << " in " << title;
  return {};
}

constexpr char kAccuracies[] = "Test accuracy";
constexpr char kDifferences[] = "Differences of test";
constexpr char kSizes[] = "Parameters";

TEST(Table2Test, EqualPrecisionsMatch) {
  const report::Report report =
      ReportOf(MakeRuns(50, "paper", AsPublished()), "paper");
  for (const char* id :
       {"mean/FP16-FP32", "mean/FP16-MP", "mean/FP16_BN32-FP32",
        "mean/FP16_BN32-MP", "every/FP16-FP32", "every/FP16-MP",
        "every/FP16_BN32-FP32", "every/FP16_BN32-MP"}) {
    EXPECT_EQ(VerdictOn(report, id), report::VERDICT_MATCH) << id;
  }
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-16", 1).verdict(),
            report::VERDICT_MATCH);
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-16", 1).paper(), "-0.2");
  EXPECT_EQ(CellOf(report, kDifferences, "Mean", 1).verdict(),
            report::VERDICT_MATCH);
  // In the figure the mean is a row of its own, with its own margin.
  const report::Dataset& ours = report.figures(0).datasets(0);
  EXPECT_EQ(ours.records().rbegin()->values(0).text(), "Mean");
  const report::Dataset& papers = report.figures(0).datasets(1);
  EXPECT_EQ(papers.records().rbegin()->values(2).number(), -0.2);
  EXPECT_EQ(papers.records().rbegin()->values(4).number(), 0.5);
}

TEST(Table2Test, OneNetworkBeyondTheMarginIsFound) {
  Offsets offsets = AsPublished();
  offsets[{"vgg16", "FP16"}] = offsets[{"vgg16", "FP32"}] - 3;
  const report::Report report =
      ReportOf(MakeRuns(50, "paper", offsets), "paper");
  EXPECT_EQ(VerdictOn(report, "every/FP16-FP32"), report::VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(report, "every/FP16_BN32-FP32"), report::VERDICT_MATCH);
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-16", 1).verdict(),
            report::VERDICT_DIFFER);
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-19", 1).verdict(),
            report::VERDICT_MATCH);
  // The mean over twelve networks is within half a point all the same.
  const report::Expectation mean = ExpectationOf(report, "mean/FP16-FP32");
  EXPECT_NEAR(mean.difference(), -0.25, 1e-9);
  EXPECT_EQ(mean.verdict(), report::VERDICT_MATCH);
}

TEST(Table2Test, AllNetworksBeyondTheMarginDifferAtEveryScale) {
  Offsets offsets = AsPublished();
  for (const Network& network : Table2Networks()) {
    const std::string model(network.model);
    offsets[{model, "MP"}] = offsets[{model, "FP32"}] + 3;
  }
  const report::Report paper =
      ReportOf(MakeRuns(50, "paper", offsets), "paper");
  EXPECT_EQ(VerdictOn(paper, "mean/FP16-MP"), report::VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(paper, "every/FP16-MP"), report::VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(paper, "mean/FP16-FP32"), report::VERDICT_MATCH);
  // Smaller networks have no published accuracy to reach.
  offsets.clear();
  for (const Network& network : Table2Networks()) {
    offsets[{std::string(network.model), "MP"}] = 3;
  }
  const report::Report lite = ReportOf(MakeRuns(10, "lite", offsets), "lite");
  EXPECT_EQ(VerdictOn(lite, "mean/FP16-MP"), report::VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(lite, "mean/FP16-FP32"), report::VERDICT_MATCH);
  EXPECT_TRUE(absl::StrContains(lite.summary(0), "of smaller networks"))
      << lite.summary(0);
}

// Where FP32 is not the paper's, a difference is told and not held against it.
TEST(Table2Test, ADifferenceFromAnotherBaselineIsNotHeldAgainstThePaper) {
  Offsets offsets;
  for (const Network& network : Table2Networks()) {
    offsets[{std::string(network.model), "FP32"}] = -20;
    offsets[{std::string(network.model), "FP16"}] = -23;
  }
  const report::Report report =
      ReportOf(MakeRuns(50, "paper", offsets), "paper");
  for (const char* id : {"mean/FP16-FP32", "every/FP16-FP32"}) {
    const report::Expectation e = ExpectationOf(report, id);
    EXPECT_EQ(e.verdict(), report::VERDICT_INCONCLUSIVE) << id;
    EXPECT_TRUE(absl::StrContains(
        e.note(),
        "not held against the paper: our FP32 is not the paper's, whose "
        "accuracy it misses (AlexNet 50.0, published 75.8;"))
        << e.note();
  }
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-16", 1).verdict(),
            report::VERDICT_INCONCLUSIVE);
  // That its accuracy is another one is no difference from a baseline.
  EXPECT_EQ(VerdictOn(report, "every/FP32"), report::VERDICT_DIFFER);
  EXPECT_TRUE(absl::StartsWith(report.summary(0), "First: our FP32 is not"))
      << report.summary(0);
}

// One missed baseline among twelve does not excuse the others.
TEST(Table2Test, NetworksThatReachTheBaselineCanDiffer) {
  Offsets offsets = AsPublished();
  for (const Network& network : Table2Networks()) {
    const std::string model(network.model);
    offsets[{model, "FP16"}] = offsets[{model, "FP32"}] - 3;
  }
  offsets[{"mobilenet_v2", "FP32"}] -= 8;
  const report::Report report =
      ReportOf(MakeRuns(50, "paper", offsets), "paper");
  EXPECT_EQ(VerdictOn(report, "every/FP16-FP32"), report::VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(report, "mean/FP16-FP32"), report::VERDICT_DIFFER);
}

TEST(Table2Test, UntrainedNetworksAreNotJudged) {
  std::vector<TrainedRun> runs = MakeRuns(10, "lite");
  for (TrainedRun& run : runs) {
    if (run.result.spec().model() != "vit8") continue;
    run.result.mutable_epochs(0)->set_train_accuracy(0.12);
  }
  const report::Expectation mean =
      ExpectationOf(ReportOf(std::move(runs), "lite"), "mean/FP16-FP32");
  EXPECT_EQ(mean.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_TRUE(absl::StrContains(
      mean.note(), "at least 50% training accuracy, here 12.0% in the least"))
      << mean.note();
}

TEST(Table2Test, PowerIsToldFromASpreadThatWasKnownBefore) {
  const report::Expectation mean =
      ExpectationOf(ReportOf(MakeRuns(10, "lite"), "lite"), "mean/FP16-FP32");
  EXPECT_TRUE(absl::StrContains(
      mean.note(),
      "with a spread of 0.34 to 2.49 points between seeds the standard error "
      "is 0.14, "
      "and no difference at all would be confirmed with probability 69%, one "
      "of the paper's -0.2 with 32%."))
      << mean.note();
}

TEST(Table2Test, OnlyPlannedLooksGiveAVerdictOnTheMean) {
  const report::Expectation second =
      ExpectationOf(ReportOf(MakeRuns(10, "lite"), "lite"), "mean/FP16-FP32");
  EXPECT_EQ(second.verdict(), report::VERDICT_MATCH);
  EXPECT_NEAR(second.interval().level(), 0.99, 1e-12);
  EXPECT_TRUE(absl::StrContains(
      second.note(),
      "Tested at 0.5%, with 120 pairs of runs: the error of 5% is spent over "
      "looks at 62 (4%), 120 (0.5%), 180 (0.5%) pairs of runs."))
      << second.note();
  const report::Expectation other =
      ExpectationOf(ReportOf(MakeRuns(5, "lite"), "lite"), "mean/FP16-FP32");
  EXPECT_EQ(other.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_TRUE(absl::StrContains(other.note(),
                                "Not judged: there are 60 pairs, and the "
                                "error of 5% is spent over looks at 62"))
      << other.note();
}

// Small networks show the mean; a single one takes the paper's training.
TEST(Table2Test, SingleNetworksAreJudgedAsThePaperTrainsThem) {
  const report::Report lite = ReportOf(MakeRuns(10, "lite"), "lite");
  const report::Expectation every = ExpectationOf(lite, "every/FP16-FP32");
  EXPECT_EQ(every.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_TRUE(absl::StrContains(every.note(), "at least 100 epochs, here 1"))
      << every.note();
  const report::Report few = ReportOf(MakeRuns(3, "paper"), "paper");
  const report::Cell cell = CellOf(few, kDifferences, "AlexNet", 1);
  EXPECT_EQ(cell.verdict(), report::VERDICT_INCONCLUSIVE);
  EXPECT_TRUE(absl::StartsWith(cell.note(), "3 seeds: seen from "))
      << cell.note();
}

// The control is told in a column of its own, and judged nowhere.
TEST(Table2Test, ShowsTheControlBesideThePrecisions) {
  std::vector<TrainedRun> runs = MakeRuns(3, "lite");
  for (const Network& network : Table2Networks()) {
    for (int seed = 1; seed <= 3; ++seed) {
      runs.push_back(MakeRun(network.model, "FP32", seed, "lite", 71));
      runs.back().result.mutable_spec()->set_flip_last_bit(true);
    }
  }
  const report::Report report = ReportOf(std::move(runs), "lite");
  EXPECT_EQ(CellOf(report, kDifferences, "VGG-16", 5).text(),
            "+1.00 [+1.00, +1.00]");
  EXPECT_EQ(CellOf(report, kDifferences, "Mean", 5).text(),
            "+1.00 [+1.00, +1.00]");
  EXPECT_EQ(
      CellOf(report, kDifferences, "Mean", 1).text(),
      CellOf(ReportOf(MakeRuns(3, "lite"), "lite"), kDifferences, "Mean", 1)
          .text());
}

// Of some networks, with the mean over them; the last sentence of the answer
// says whether it is seen.
TEST(Table2Test, ShowsWhetherACoarserRoundingIsSeen) {
  const auto answer_with = [](double percent, double spread) {
    std::vector<TrainedRun> runs = MakeRuns(3, "lite");
    for (const char* model : {"alexnet", "vgg16"}) {
      for (int seed = 1; seed <= 3; ++seed) {
        runs.push_back(MakeRun(model, "BF16", seed, "lite",
                               percent + spread * (seed - 2)));
      }
    }
    const report::Report report = ReportOf(std::move(runs), "lite");
    EXPECT_EQ(CellOf(report, kDifferences, "VGG-19", 6).text(), "–");
    EXPECT_NEAR(CellOf(report, kDifferences, "Mean", 6).number(), percent - 70,
                1e-9);
    return report.answer(report.answer_size() - 1);
  };
  EXPECT_TRUE(
      absl::StrContains(answer_with(69, 0.1), "in 2 of the networks: there"));
  EXPECT_TRUE(absl::EndsWith(answer_with(69, 0.1),
                             "BF16 loses, so these runs do see rounding."))
      << answer_with(69, 0.1);
  EXPECT_TRUE(absl::StrContains(answer_with(71, 0.1), "BF16 is above FP32"));
  EXPECT_TRUE(absl::StrContains(answer_with(70, 0.1), "less than 0.5 points"));
  EXPECT_TRUE(absl::StrContains(answer_with(69, 3), "would usually be missed"))
      << answer_with(69, 3);
}

TEST(Table2Test, TheFinalAccuracyIsThatWithEstimatedStatistics) {
  std::vector<TrainedRun> runs = MakeRuns(3, "lite");
  for (TrainedRun& run : runs) {
    run.result.mutable_spec()->mutable_evaluation()->set_estimated_epochs(2);
    EpochResult& first = *run.result.mutable_epochs(0);
    first.set_estimated_test_accuracy(0.5);
    EpochResult& last = *run.result.add_epochs();
    last = first;
    last.set_estimated_test_accuracy(0.6);
  }
  const report::Report report = ReportOf(std::move(runs), "lite");
  EXPECT_NEAR(CellOf(report, kAccuracies, "VGG-16", 3).number(), 55, 1e-9);
  EXPECT_NEAR(CellOf(report, "With the moving", "VGG-16", 1).number(), 70,
              1e-9);
}

// The answer says by which statistics, and which loss each of them refutes.
TEST(Table2Test, ALossIsRefutedByTheStatisticsThatRefuteIt) {
  Offsets offsets;
  for (const Network& network : Table2Networks()) {
    offsets[{std::string(network.model), "FP16"}] = 0.49;
    offsets[{std::string(network.model), "FP16_BN32"}] = -0.49;
  }
  std::vector<TrainedRun> runs = MakeRuns(10, "lite", offsets);
  for (TrainedRun& run : runs) {
    run.result.mutable_spec()->mutable_evaluation()->set_estimated_epochs(1);
    EpochResult& last = *run.result.mutable_epochs()->rbegin();
    last.set_estimated_test_accuracy(last.test_accuracy());
    // With the moving averages FP16 is as far below as it is above without.
    if (run.result.spec().policy() == "FP16") {
      last.set_test_accuracy(last.test_accuracy() - 0.0098);
    }
  }
  const report::Report report = ReportOf(std::move(runs), "lite");
  EXPECT_TRUE(absl::StrContains(report.answer(0), "estimated after"));
  EXPECT_TRUE(absl::StrContains(
      report.answer(1), "; that they lose so much is refuted for FP16 - FP32"))
      << report.answer(1);
  EXPECT_TRUE(absl::EndsWith(
      report.answer(2), "that 0.5 points are lost is refuted for neither."))
      << report.answer(2);
}

TEST(Table2Test, ThePapersFiguresAreJudgedAtItsScaleOnly) {
  Offsets as_published;
  const Golden golden = ReadThePaper();
  for (const PaperValue& value : golden.paper()) {
    for (const Network& network : Table2Networks()) {
      for (const std::string policy : kPolicies) {
        const std::string paper = policy == "FP16_BN32" ? "FP16" : policy;
        if (value.id() == std::string(network.model) + "/" + paper) {
          as_published[{std::string(network.model), policy}] =
              value.value() - 70;
        }
      }
    }
  }
  const report::Report lite =
      ReportOf(MakeRuns(8, "lite", as_published), "lite");
  const report::Report paper =
      ReportOf(MakeRuns(6, "paper", as_published), "paper");
  for (const char* id : {"every/FP16", "every/FP32", "every/MP"}) {
    EXPECT_EQ(VerdictOn(lite, id), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
    EXPECT_EQ(VerdictOn(paper, id), report::VERDICT_MATCH) << id;
  }
  EXPECT_EQ(CellOf(lite, kAccuracies, "VGG-16", 1).verdict(),
            report::VERDICT_NONE);
  EXPECT_EQ(CellOf(paper, kAccuracies, "VGG-16", 1).verdict(),
            report::VERDICT_MATCH);
  EXPECT_EQ(CellOf(paper, kAccuracies, "VGG-16", 1).paper(), "83.7 ± 0.3");
  as_published[{"vit8", "FP32"}] += 4;
  EXPECT_EQ(VerdictOn(ReportOf(MakeRuns(6, "paper", as_published), "paper"),
                      "every/FP32"),
            report::VERDICT_DIFFER);
}

TEST(Table2Test, SmokeIsNotJudged) {
  const report::Report report = ReportOf(MakeRuns(6, "smoke"), "smoke");
  for (const report::Expectation& e : report.expectations()) {
    if (absl::EndsWith(e.id(), "/parameters")) continue;
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE) << e.id();
  }
}

TEST(Table2Test, ADivergedNetworkCountsAndIsTold) {
  std::vector<TrainedRun> runs = MakeRuns(8, "paper");
  for (TrainedRun& run : runs) {
    if (run.policy() == "MP") {
      StepResult* skipped = run.result.add_steps();
      skipped->set_non_finite(7);
      skipped->set_skipped(true);
    }
    if (run.result.spec().model() != "resnet56" || run.policy() != "FP16" ||
        run.seed() != 3) {
      continue;
    }
    EpochResult& last = *run.result.mutable_epochs()->rbegin();
    last.set_test_accuracy(0.1);
    last.set_train_loss(std::nan(""));
    run.result.add_steps()->set_non_finite(7);
  }
  const report::Report report = ReportOf(std::move(runs), "paper");
  const report::Cell cell = CellOf(report, kAccuracies, "ResNet-56", 1);
  EXPECT_EQ(cell.note(), "not finite in 1 of 8; diverged: seed 3");
  EXPECT_LT(cell.number(), 63);
  EXPECT_EQ(CellOf(report, kAccuracies, "ResNet-32", 1).note(), "");
  // Loss scaling skipped a step of every run in MP, which is its work.
  EXPECT_EQ(CellOf(report, kAccuracies, "ResNet-56", 4).note(), "");
  EXPECT_EQ(VerdictOn(report, "diverged/FP16"), report::VERDICT_DIFFER);
  EXPECT_EQ(ExpectationOf(report, "diverged/FP16").ours_text(), "1 of 96");
  EXPECT_EQ(VerdictOn(report, "diverged/FP16_BN32"), report::VERDICT_MATCH);
}

TEST(Table2Test, ACellThatIsMissingIsNotRun) {
  std::vector<TrainedRun> runs;
  for (TrainedRun& run : MakeRuns(10, "lite")) {
    const bool missing = run.result.spec().model() == "vit12" ||
                         (run.result.spec().model() == "xception" &&
                          run.policy() == "FP16_BN32");
    if (!missing) runs.push_back(std::move(run));
  }
  const report::Report report = ReportOf(std::move(runs), "lite");
  EXPECT_EQ(CellOf(report, kAccuracies, "ViT-12", 1).text(), "not run");
  EXPECT_EQ(CellOf(report, kAccuracies, "Xception", 2).text(), "not run");
  EXPECT_EQ(CellOf(report, kAccuracies, "AlexNet", 2).text(), "as FP16");
  EXPECT_EQ(CellOf(report, kDifferences, "Xception", 3).verdict(),
            report::VERDICT_NOT_RUN);
  // A statement on every network needs every network.
  EXPECT_NE(VerdictOn(report, "every/FP16-FP32"), report::VERDICT_MATCH);
  const report::Expectation mean = ExpectationOf(report, "mean/FP16-FP32");
  EXPECT_EQ(mean.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_TRUE(absl::StrContains(
      mean.note(),
      "Not judged: it is about all 12 networks, and of 1 there is no pair."))
      << mean.note();
}

TEST(Table2Test, WithoutRunsNothingIsRunButTheCounts) {
  const report::Report report = ReportOf({}, "lite");
  for (const report::Expectation& e : report.expectations()) {
    if (absl::EndsWith(e.id(), "/parameters")) continue;
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
  EXPECT_EQ(CellOf(report, kAccuracies, "VGG-16", 1).text(), "not run");
  EXPECT_EQ(CellOf(report, kSizes, "VGG-16", 2).text(), "not run");
}

TEST(Table2Test, ParametersAreAFactAtEveryScale) {
  const report::Report report = ReportOf({}, "smoke");
  for (const Network& network : Table2Networks()) {
    const std::string_view model = network.model;
    const bool differs = model == "alexnet" || model == "vgg16" ||
                         model == "vgg19" || model == "resnet110";
    EXPECT_EQ(VerdictOn(report, std::string(model) + "/parameters"),
              differs ? report::VERDICT_DIFFER : report::VERDICT_MATCH)
        << model;
  }
  EXPECT_EQ(ExpectationOf(report, "alexnet/parameters").ours_text(),
            "20,972,394");
}

TEST(Table2Test, SixteenBitsPlanAboutHalfOfTheMemory) {
  const report::Report report = ReportOf({}, "smoke");
  for (const Network& network : Table2Networks()) {
    const double ratio = CellOf(report, kSizes, network.name, 7).number();
    EXPECT_GT(ratio, 0.49) << network.name;
    EXPECT_LT(ratio, 0.56) << network.name;
  }
}

TEST(Table2Test, TellsWhereTheTablesArithmeticFails) {
  const report::Report report = ReportOf({}, "lite");
  std::vector<std::string> places;
  for (const report::Finding& finding : report.findings()) {
    if (finding.title() == "A derived value of table 2 does not follow") {
      places.push_back(finding.place());
    }
  }
  EXPECT_EQ(places,
            (std::vector<std::string>{
                "table 2, row VGG-16, column Time Speedup, FP32 / FP16",
                "table 2, row ResNet-110, column Time Speedup, FP32 / FP16",
                "table 2, row VIT-8, column Time Speedup, MP / FP16"}));
}

TEST(Table2Test, ShowsTheModelsTimesAsAModel) {
  AnalysisInputs inputs;
  inputs.scale = "lite";
  inputs.files = {kPublished, "tools/cost_model_rtx4080.pb"};
  const auto analysis = AnalyseTable2(inputs, ReadTheGolden());
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  const report::Cell cell =
      CellOf(analysis->report, "Model, not a measurement", "VGG-16", 1);
  EXPECT_EQ(cell.paper(), "377");
  EXPECT_GT(cell.number(), 0);
}

TEST(Table2Test, RefusesRunsThatDoNotBelong) {
  const auto error_of = [](std::vector<TrainedRun> runs) {
    AnalysisInputs inputs;
    inputs.scale = "lite";
    inputs.sets = *RunSet::CreateSets(std::move(runs), "lite");
    inputs.files = {kPublished};
    return std::string(
        AnalyseTable2(inputs, ReadTheGolden()).status().message());
  };
  EXPECT_EQ(error_of({MakeRun("mlp", "FP16", 1, "lite", 70)}),
            "--results: table 2 has no network mlp; leave its runs out");
  TrainedRun other = MakeRun("vit8", "FP32", 1, "lite", 70);
  other.result.mutable_spec()->set_batch_size(99);
  EXPECT_TRUE(absl::StrContains(
      error_of({MakeRun("vit8", "FP16", 1, "lite", 70), other}),
      "the runs of vit8 are of two specifications"));
}

TEST(Table2Test, RefusesRunsOfTwoNumericsVersions) {
  TrainedRun old = MakeRun("vit8", "FP16", 1, "lite", 70);
  old.result.set_numerics_version(1);
  TrainedRun current = MakeRun("vgg16", "FP16", 1, "lite", 70);
  current.result.set_numerics_version(2);
  const auto sets = RunSet::CreateSets({old, current}, "lite");
  EXPECT_TRUE(absl::StrContains(sets.status().message(), "numerics versions"))
      << sets.status();
}

}  // namespace
}  // namespace repro16
