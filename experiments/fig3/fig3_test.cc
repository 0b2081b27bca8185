#include "experiments/fig3/fig3.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "experiments/common/cifar10.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

// Its rules, for any number of pairs.
Golden FigureGolden() {
  auto golden = ReadGolden("experiments/fig3/golden.textproto");
  EXPECT_TRUE(golden.ok()) << golden.status();
  for (Statement& statement : *golden->mutable_statements()) {
    EXPECT_EQ(statement.looks_size(), 4);
    statement.clear_looks();
  }
  return *golden;
}

TrainedRun MakeRun(std::string_view model, const std::string& policy,
                   uint64_t seed, std::vector<double> test_accuracies) {
  TrainedRun run;
  RunSpec& spec = *run.result.mutable_spec();
  spec.set_model(std::string(model));
  spec.set_policy(policy);
  spec.set_seed(seed);
  spec.set_scale("lite");
  for (double accuracy : test_accuracies) {
    EpochResult* epoch = run.result.add_epochs();
    epoch->set_train_accuracy(0.3 + accuracy / 2);
    epoch->set_test_accuracy(accuracy);
  }
  return run;
}

// Two seeds of the three precisions, of which `winner` is ahead at the end, by
// so much, and FP32 before.
void AddNetwork(std::string_view model, std::string_view winner,
                std::vector<TrainedRun>* runs, double by = 0.1) {
  for (const char* policy : {"FP16", "FP32", "MP"}) {
    for (int seed : {1, 2}) {
      runs->push_back(
          MakeRun(model, policy, seed,
                  {policy == std::string_view("FP32") ? 0.4 : 0.3,
                   (policy == winner ? 0.5 + by : 0.5) + 0.1 * seed}));
    }
  }
}

report::Report ReportOf(std::vector<TrainedRun> runs,
                        const std::string& scale = "lite",
                        const Golden& golden = FigureGolden()) {
  AnalysisInputs inputs;
  inputs.scale = scale;
  inputs.sets = *RunSet::CreateSets(std::move(runs), scale);
  const auto analysis = AnalyseFigure3(inputs, golden);
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis->report;
}

// FP16 wins the first `wins` networks of table 2, MP and FP32 the others in
// turn.
report::Report ReportOfWins(int wins, double by = 0.004) {
  std::vector<TrainedRun> runs;
  const auto networks = Table2Networks();
  for (int i = 0; i < static_cast<int>(networks.size()); ++i) {
    AddNetwork(networks[i].model,
               i < wins ? "FP16"
               : i % 2  ? "FP32"
                        : "MP",
               &runs, by);
  }
  return ReportOf(std::move(runs));
}

TEST(AnalyseFigure3Test, SixOfTwelveWinsAreNotConsistentNineAre) {
  EXPECT_EQ(ReportOfWins(6).expectations(0).verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(ReportOfWins(7).expectations(0).verdict(),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(ReportOfWins(8).expectations(0).verdict(),
            report::VERDICT_INCONCLUSIVE);
  const report::Report nine = ReportOfWins(9);
  EXPECT_EQ(nine.expectations(0).verdict(), report::VERDICT_DIFFER);
  EXPECT_EQ(nine.expectations(0).ours_text(),
            "wins: FP16 9, FP32 2, MP 1 of 12");
  EXPECT_EQ(nine.findings(0).kind(), report::Finding::CONTRADICTION);
}

TEST(AnalyseFigure3Test, OnlyPlannedLooksGiveAVerdict) {
  std::vector<TrainedRun> runs;
  for (const Network& network : Table2Networks()) {
    AddNetwork(network.model, "MP", &runs);
  }
  const report::Expectation e =
      ReportOf(std::move(runs), "lite",
               *ReadGolden("experiments/fig3/golden.textproto"))
          .expectations(0);
  EXPECT_EQ(e.verdict(), report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_NE(e.note().find("no look at 24 pairs of runs was planned"),
            std::string::npos)
      << e.note();
}

// FP16 wins half of the networks by ten points: the others are far behind.
TEST(AnalyseFigure3Test, FewWinsByMuchAreNoMatch) {
  const report::Expectation e = ReportOfWins(6, 0.1).expectations(0);
  EXPECT_EQ(e.verdict(), report::VERDICT_INCONCLUSIVE);
  // And says which half of the rule leaves it open.
  EXPECT_NE(e.note().find("refute a consistent winner: yes; that no mean is "
                          "ahead of another by the margin: not shown."),
            std::string::npos)
      << e.note();
}

TEST(AnalyseFigure3Test, FewNetworksDecideNothing) {
  std::vector<TrainedRun> runs;
  for (const char* model : {"alexnet", "vgg16", "vit8"}) {
    AddNetwork(model, "FP16", &runs);
  }
  EXPECT_EQ(ReportOf(std::move(runs)).expectations(0).verdict(),
            report::VERDICT_INCONCLUSIVE);
}

TEST(AnalyseFigure3Test, ATieIsNobodysWin) {
  std::vector<TrainedRun> runs;
  AddNetwork("vit8", "none", &runs);
  const report::Report report = ReportOf(std::move(runs));
  EXPECT_EQ(report.expectations(0).ours_text(),
            "wins: FP16 0, FP32 0, MP 0 of 1");
  const report::Row& row = report.tables(0).rows(0);
  EXPECT_EQ(row.cells(5).text(), "tie");
  EXPECT_EQ(row.cells(7).text(), "0 / 1 / 0");
}

TEST(AnalyseFigure3Test, TheFrameworksFp16StandsInItsPlace) {
  std::vector<TrainedRun> runs;
  AddNetwork("vgg16", "FP32", &runs);
  runs.push_back(MakeRun("vgg16", "FP16_BN32", 1, {0.9, 0.9}));
  const report::Report report = ReportOf(std::move(runs));
  EXPECT_EQ(report.expectations(0).ours_text(),
            "wins: FP16 0, FP32 1, MP 0 of 1");
  EXPECT_EQ(report.expectations(1).ours_text(),
            "wins: FP16 1, FP32 0, MP 0 of 1");
}

TEST(AnalyseFigure3Test, DifferencesArePairedBySeed) {
  std::vector<TrainedRun> runs = {
      MakeRun("vit8", "FP32", 1, {0.5}), MakeRun("vit8", "FP32", 2, {0.7}),
      MakeRun("vit8", "FP16", 2, {0.71}), MakeRun("vit8", "FP16", 3, {0.1})};
  const report::Report report = ReportOf(std::move(runs));
  // Without MP the network is in no contest.
  EXPECT_EQ(report.expectations(0).verdict(), report::VERDICT_NOT_RUN);
  EXPECT_EQ(report.tables(0).rows(0).cells(5).text(), "-");
  const report::Row& differences = report.tables(1).rows(0);
  EXPECT_EQ(differences.cells(1).text(), "+0.50 (1)");
  EXPECT_EQ(differences.cells(2).text(), "+1.00 (1)");
  EXPECT_EQ(differences.cells(3).text(), "-");
}

TEST(AnalyseFigure3Test, ADivergedNetworkCountsAsWhatItReached) {
  std::vector<TrainedRun> runs;
  AddNetwork("vit8", "MP", &runs);
  for (EpochResult& epoch : *runs[0].result.mutable_epochs()) {
    epoch.set_train_loss(std::nan(""));
    epoch.set_test_accuracy(0.1);
  }
  const report::Report report = ReportOf(std::move(runs));
  EXPECT_EQ(report.expectations(0).ours_text(),
            "wins: FP16 0, FP32 0, MP 1 of 1");
  EXPECT_NE(report.summary(1).find("ViT-8 in FP16 (seed 1)"),
            std::string::npos);
}

TEST(AnalyseFigure3Test, MadeUpDataAreNotJudged) {
  std::vector<TrainedRun> runs;
  AddNetwork("vit8", "MP", &runs);
  for (TrainedRun& run : runs) run.result.mutable_spec()->set_scale("smoke");
  EXPECT_EQ(ReportOf(std::move(runs), "smoke").expectations(0).verdict(),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(AnalyseFigure3Test, WithoutRunsTheReportSaysSo) {
  const report::Report report = ReportOf({});
  ASSERT_EQ(report.expectations_size(), 2);
  for (const report::Expectation& e : report.expectations()) {
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
  EXPECT_TRUE(report.figures(0).datasets(0).records().empty());
}

TEST(AnalyseFigure3Test, AWrongShareIsRefusedByName) {
  Golden golden = FigureGolden();
  golden.mutable_statements(0)->set_value(1.5);
  EXPECT_NE(AnalyseFigure3(AnalysisInputs(), golden)
                .status()
                .message()
                .find("\"no_consistent_winner/FP16\" is 1.5"),
            std::string::npos);
}

}  // namespace
}  // namespace repro16
