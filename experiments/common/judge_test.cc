#include "experiments/common/judge.h"

#include <limits>
#include <utility>

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

report::Verdict JudgeDifferences(std::vector<double> differences, Claim claim) {
  const std::vector<double> zeros(differences.size());
  return JudgePaired(Runs("lite", false), OneValue(0, 1, "points"), "x", "",
                     differences, zeros, claim)
      ->verdict();
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

}  // namespace
}  // namespace repro16
