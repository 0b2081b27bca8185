#include "experiments/common/judge.h"

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

Golden OneValue(double value, double margin, std::string unit) {
  Golden golden;
  PaperValue* paper = golden.add_paper();
  paper->set_id("x");
  paper->set_value(value);
  paper->set_margin(margin);
  paper->set_unit(std::move(unit));
  return golden;
}

RunSet Runs(std::string scale, bool made_up) {
  TrainedRun run;
  run.result.mutable_spec()->set_policy("FP16");
  run.result.mutable_spec()->set_scale(scale);
  run.result.set_made_up_data(made_up);
  run.result.add_epochs();
  return *RunSet::Create({run}, scale);
}

report::Verdict Judge(const Golden& golden, std::vector<double> values,
                      Measure measure, Side side = Side::kWithin,
                      const RunSet& runs = Runs("lite", false)) {
  return JudgeEachSeed(runs, golden, "x", "", values, measure, side)->verdict();
}

TEST(JudgeEachSeedTest, AMagnitudeIsHalfADecadeToEitherSide) {
  const Golden golden = OneValue(-3, 0.5, "decades");
  const Measure m = Measure::kMagnitude;
  EXPECT_EQ(Judge(golden, {3.1e-3, 3.2e-4}, m), report::VERDICT_MATCH);
  EXPECT_EQ(Judge(golden, {3.2e-3, 3.1e-4}, m), report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(golden, {3.1e-3, 3.1e-4}, m), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Judge(golden, {0}, m), report::VERDICT_DIFFER);
}

std::string NoteOf(double value) {
  return JudgeEachSeed(Runs("lite", false), OneValue(-3, 0.5, "decades"), "x",
                       "", {value}, Measure::kPrintedPower)
      ->note();
}

TEST(JudgeEachSeedTest, APrintedPowerNeedsBothReadings) {
  const Golden golden = OneValue(-3, 0.5, "decades");
  const Measure m = Measure::kPrintedPower;
  EXPECT_EQ(Judge(golden, {1e-3, 2e-3}, m), report::VERDICT_MATCH);
  // Near 1E-3, printed as 9.00E-04; far from it, printed as 9.00E-03.
  EXPECT_EQ(Judge(golden, {9e-4}, m), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Judge(golden, {9e-3}, m), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Judge(golden, {2e-3, 9e-3}, m), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Judge(golden, {1e-2}, m), report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(golden, {3e-4, 2e-2}, m), report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(golden, {9.996e-3}, m), report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(golden, {0}, m), report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(golden, {1e-3}, m, Side::kWithin, Runs("smoke", true)),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_EQ(Judge(golden, {}, m), report::VERDICT_NOT_RUN);

  const Measure power = m;
  const Golden bound = OneValue(-4, 0.5, "decades");
  EXPECT_EQ(Judge(bound, {1e-9, 0}, power, Side::kAtMost),
            report::VERDICT_MATCH);
  EXPECT_EQ(Judge(bound, {9e-4}, power, Side::kAtMost),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(Judge(bound, {1e-3}, power, Side::kAtMost), report::VERDICT_DIFFER);

  const std::string note = NoteOf(9e-3);
  EXPECT_NE(note.find("from 3.16E-04 to 3.16E-03. Holds for 0 of 1."),
            std::string::npos)
      << note;
  EXPECT_NE(
      note.find("(x.xxE-03), it holds for 1 of 1. This second reading was "
                "added after the first runs were seen"),
      std::string::npos)
      << note;
}

report::Verdict JudgeNetworks(std::vector<std::vector<double>> networks,
                              bool judged = true) {
  return JudgeEachNetwork(judged, OneValue(100, 25, "%"), "x", "", networks,
                          Side::kAtLeast)
      ->verdict();
}

TEST(JudgeEachNetworkTest, EveryNetworkIsNeededAndMostRefute) {
  EXPECT_EQ(JudgeNetworks({{75, 80}, {99}}), report::VERDICT_MATCH);
  EXPECT_EQ(JudgeNetworks({{74, 80}, {99}}), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(JudgeNetworks({{74, 73}, {99}}), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(JudgeNetworks({{74, 73}, {50}, {99}}), report::VERDICT_DIFFER);
  EXPECT_EQ(JudgeNetworks({{74, 76}, {50}, {99}}),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(JudgeNetworks({{99}}, false),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(JudgeEachNetworkTest, NetworksWithoutRunsDoNotCount) {
  EXPECT_EQ(JudgeNetworks({{}, {}}), report::VERDICT_NOT_RUN);
  EXPECT_EQ(JudgeNetworks({{}, {80}}), report::VERDICT_MATCH);
}

TEST(JudgeExistenceTest, MoreSeedsCanOnlyRaiseTheLargest) {
  const Golden golden = OneValue(0.995, 0.1, "");
  const auto judge = [&](double largest, const RunSet& runs) {
    return *JudgeExistence(runs, golden, "x", "", largest, 30000, 3);
  };
  const RunSet lite = Runs("lite", false);
  EXPECT_EQ(judge(0.9, lite).verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(judge(0.89, lite).verdict(), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(judge(std::numeric_limits<double>::quiet_NaN(), lite).verdict(),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(judge(0.9, Runs("smoke", true)).verdict(),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_NE(judge(0.5, lite).note().find(
                "at least 0.895. Ours is the largest of 30,000 samples in 3 "
                "seeds; more seeds can only raise it."),
            std::string::npos)
      << judge(0.5, lite).note();
}

TEST(JudgeEachSeedTest, AnUpperBoundHasOneSide) {
  const Golden golden = OneValue(-4, 0.5, "decades");
  const Measure m = Measure::kMagnitude;
  EXPECT_EQ(Judge(golden, {1e-9}, m, Side::kAtMost), report::VERDICT_MATCH);
  EXPECT_EQ(Judge(golden, {3.2e-4}, m, Side::kAtMost), report::VERDICT_DIFFER);
}

TEST(JudgeEachSeedTest, ALowerBoundHasOneSide) {
  const Golden golden = OneValue(100, 50, "%");
  const Measure m = Measure::kNumber;
  EXPECT_EQ(Judge(golden, {50, 200}, m, Side::kAtLeast), report::VERDICT_MATCH);
  EXPECT_EQ(Judge(golden, {49}, m, Side::kAtLeast), report::VERDICT_DIFFER);
}

TEST(JudgeEachSeedTest, NaNNeverMatches) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(Judge(OneValue(0, 1, ""), {nan}, Measure::kNumber),
            report::VERDICT_DIFFER);
  EXPECT_EQ(Judge(OneValue(0, 1, ""), {nan}, Measure::kNumber, Side::kAtMost),
            report::VERDICT_DIFFER);
}

TEST(JudgeEachSeedTest, JudgesNeitherTestsNorMadeUpDataNorNothing) {
  const Golden golden = OneValue(0, 1, "");
  const Measure m = Measure::kNumber;
  EXPECT_EQ(Judge(golden, {0}, m, Side::kWithin, Runs("smoke", true)),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_EQ(Judge(golden, {0}, m, Side::kWithin, Runs("lite", true)),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_EQ(Judge(golden, {}, m), report::VERDICT_NOT_RUN);
}

report::Expectation ExpectationOn(std::vector<double> differences,
                                  Claim claim) {
  const std::vector<double> zeros(differences.size());
  return *JudgePaired(Runs("lite", false), OneValue(0, 1, "points"), "x", "",
                      differences, zeros, claim);
}

report::Verdict JudgeDifferences(std::vector<double> differences, Claim claim) {
  return ExpectationOn(std::move(differences), claim).verdict();
}

TEST(JudgePairedTest, HoldsTheIntervalToTheClaim) {
  EXPECT_EQ(JudgeDifferences({.1, .2, .1, .2, .1}, Claim::kEqual),
            report::VERDICT_MATCH);
  EXPECT_EQ(JudgeDifferences({.1, .2, .1, .2, .1}, Claim::kSlightlyMore),
            report::VERDICT_MATCH);
  EXPECT_EQ(JudgeDifferences({-.1, -.2, -.1, -.2, -.1}, Claim::kEqual),
            report::VERDICT_MATCH);
  EXPECT_EQ(JudgeDifferences({-.1, -.2, -.1, -.2, -.1}, Claim::kSlightlyMore),
            report::VERDICT_DIFFER);
  EXPECT_EQ(JudgeDifferences({-.1, .2, -.1, .2, -.1}, Claim::kSlightlyMore),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(JudgeDifferences({5, 6, 5, 6, 5}, Claim::kEqual),
            report::VERDICT_DIFFER);
}

TEST(JudgePairedTest, UnderFiveSeedsNothingIsConcluded) {
  EXPECT_EQ(JudgeDifferences({.1, .1, .1}, Claim::kEqual),
            report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(JudgeDifferences({}, Claim::kEqual), report::VERDICT_NOT_RUN);
}

TEST(JudgePairedTest, TheNoteTellsWhatTheVerdictDoesNot) {
  const auto note = [](std::vector<double> differences, Claim claim) {
    return ExpectationOn(std::move(differences), claim).note();
  };
  EXPECT_EQ(note({.1, .2, .1, .2, .1}, Claim::kEqual),
            "Paired by seed. Not zero, but inside the margin.");
  EXPECT_EQ(note({.1, -.1, .1, -.1, 0}, Claim::kEqual), "Paired by seed.");
  EXPECT_EQ(note({.1, .2, .1, .2, .1}, Claim::kSlightlyMore),
            "Paired by seed; a match is more than 0 and at most the margin.");
  // Spread sqrt(1/3) / sqrt(3) = 1/3; t_0.95 + t_0.8 at 2 degrees: 3.981.
  EXPECT_EQ(note({0, 0, 1}, Claim::kEqual),
            "Paired by seed. Under 5 seeds no verdict is given; this spread "
            "could show differences from 1.33.");
}

TEST(JudgePooledTest, NetworksAreBlocks) {
  const Golden golden = OneValue(0, 0.5, "points");
  const auto judge = [&](std::vector<std::vector<double>> differences) {
    return *JudgePooled(true, golden, "x", "", differences, Claim::kEqual);
  };
  // The networks' means are -1 and 1, without spread inside them.
  const report::Expectation e = judge({{-1, -1, -1}, {}, {1, 1, 1}});
  EXPECT_EQ(e.verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(e.ours().mean(), 0);
  EXPECT_EQ(e.ours().n(), 2);
  EXPECT_EQ(judge({{1, 1, 1}, {1, 1, 1}}).verdict(), report::VERDICT_DIFFER);
  EXPECT_EQ(judge({{0, 0}, {0, 0}}).verdict(), report::VERDICT_INCONCLUSIVE);
  EXPECT_EQ(judge({{}, {}}).verdict(), report::VERDICT_NOT_RUN);
}

TEST(JudgeEachSeedTest, ErrorsNameTheValue) {
  Golden golden = OneValue(0, 1, "");
  const RunSet runs = Runs("lite", false);
  EXPECT_NE(JudgeEachSeed(runs, golden, "y", "", {}, Measure::kNumber)
                .status()
                .message()
                .find("paper value \"y\" is missing"),
            std::string::npos);
  EXPECT_FALSE(
      JudgeEachSeed(runs, golden, "x", "", {1}, Measure::kMagnitude).ok());
  golden.mutable_paper(0)->clear_margin();
  EXPECT_FALSE(
      JudgeEachSeed(runs, golden, "x", "", {1}, Measure::kNumber).ok());
}

// Of n seeds whose differences are `mean` -+ 0.1 points, against 0.9.
Equivalence TestOf(double mean, int n) {
  std::vector<double> a, b(n, 0);
  for (int i = 0; i < n; ++i) a.push_back(mean + (i % 2 == 0 ? 0.1 : -0.1));
  return PairedEquivalence(a, b, 0.9);
}

TEST(JudgeFamilyTest, EachMemberHasItsVerdict) {
  EXPECT_EQ(JudgeFamily(true, {TestOf(0, 6), TestOf(2, 6), TestOf(-2, 6),
                               TestOf(0.9, 6), TestOf(0, 4), std::nullopt}),
            (std::vector<report::Verdict>{
                report::VERDICT_MATCH, report::VERDICT_DIFFER,
                report::VERDICT_DIFFER, report::VERDICT_INCONCLUSIVE,
                report::VERDICT_INCONCLUSIVE, report::VERDICT_NOT_RUN}));
  EXPECT_EQ(
      JudgeFamily(false, {TestOf(0, 6), std::nullopt}),
      (std::vector<report::Verdict>{report::VERDICT_NOT_JUDGED_AT_THIS_SCALE,
                                    report::VERDICT_NOT_RUN}));
}

TEST(JudgeFamilyTest, AFamilyAsksForMoreThanATestAlone) {
  const Equivalence narrow = TestOf(0.78, 6);
  ASSERT_GT(narrow.p_value, 0.01);
  ASSERT_LT(narrow.p_value, 0.05);
  EXPECT_EQ(JudgeFamily(true, {narrow}).front(), report::VERDICT_MATCH);
  // Too few seeds for a verdict: not of the family.
  EXPECT_EQ(JudgeFamily(true, {narrow, TestOf(0, 4)}).front(),
            report::VERDICT_MATCH);
  EXPECT_EQ(JudgeFamily(true, {narrow, TestOf(0.9, 6), TestOf(0.9, 6),
                               TestOf(0.9, 6), TestOf(0.9, 6)})
                .front(),
            report::VERDICT_INCONCLUSIVE);
}

}  // namespace
}  // namespace repro16
