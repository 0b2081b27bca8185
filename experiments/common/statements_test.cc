#include "experiments/common/statements.h"

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

using report::VERDICT_DIFFER;
using report::VERDICT_INCONCLUSIVE;
using report::VERDICT_MATCH;
using report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
using report::VERDICT_NOT_RUN;

using Networks = std::vector<std::vector<double>>;

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

Measurement Of(Networks networks) {
  Measurement measured;
  measured.networks = std::move(networks);
  return measured;
}

Golden GoldenOf(std::string_view statements) {
  const absl::StatusOr<Golden> golden = ParseGolden(statements, "test");
  EXPECT_TRUE(golden.ok()) << golden.status();
  return *golden;
}

// The only statement, "x" but for `fields`, on what was measured.
Judgement JudgeOne(std::string_view fields, const Measurement& measured,
                   bool judged = true) {
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(GoldenOf(absl::StrCat("statements { id: \"x\" why: \"w\" ",
                                     fields, " }")),
               "lite", judged, [&](const Asked&) { return measured; });
  EXPECT_TRUE(judgements.ok()) << judgements.status();
  EXPECT_EQ(judgements->all().size(), 1u);
  return judgements->all().front();
}

report::Verdict VerdictOn(std::string_view fields, Networks networks) {
  return JudgeOne(fields, Of(std::move(networks))).expectation.verdict();
}

// ---- Rules ------------------------------------------------------------------

constexpr char kMagnitude[] =
    "rule: EACH_SEED value: -3 margin: 0.5 unit: 'decades' text: '1E-3'";

TEST(EachSeedTest, AMagnitudeIsHalfADecadeToEitherSide) {
  EXPECT_EQ(VerdictOn(kMagnitude, {{3.1e-3, 3.2e-4}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kMagnitude, {{3.2e-3, 3.1e-4}}), VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(kMagnitude, {{3.1e-3, 3.1e-4}}), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(kMagnitude, {{0}}), VERDICT_DIFFER);
}

// The rule that was fixed stands; another reading is told beside it.
TEST(EachSeedTest, AnotherReadingOfAPrintedPowerIsANote) {
  const report::Expectation e = JudgeOne(kMagnitude, Of({{9e-3}})).expectation;
  EXPECT_EQ(e.verdict(), VERDICT_DIFFER);
  EXPECT_TRUE(absl::StrContains(
      e.note(),
      "from 3.16E-04 to 3.16E-03. Holds for 0 of 1. Not judged: read "
      "as this exponent when printed (x.xxE-03), it would hold for 1 "
      "of 1."))
      << e.note();
  EXPECT_EQ(e.ours_text(), "9.00E-03");
}

TEST(EachSeedTest, BoundsHaveOneSide) {
  const std::string most = absl::StrCat(kMagnitude, " side: AT_MOST");
  EXPECT_EQ(VerdictOn(most, {{1e-9}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(most, {{3.2e-3}}), VERDICT_DIFFER);
  const char least[] = "rule: EACH_SEED value: 100 margin: 50 side: AT_LEAST";
  EXPECT_EQ(VerdictOn(least, {{50, 200}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(least, {{49}}), VERDICT_DIFFER);
}

TEST(EachSeedTest, NaNNeverMatches) {
  for (const char* side : {"WITHIN", "AT_MOST", "AT_LEAST", "MORE"}) {
    EXPECT_EQ(VerdictOn(absl::StrCat("rule: EACH_SEED margin: 1 side: ", side),
                        {{kNaN}}),
              VERDICT_DIFFER)
        << side;
  }
}

TEST(EveryNetworkTest, EveryNetworkIsNeededAndMostRefute) {
  constexpr char kRule[] =
      "rule: EVERY_NETWORK value: 100 margin: 25 side: AT_LEAST";
  EXPECT_EQ(VerdictOn(kRule, {{75, 80}, {99}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kRule, {{74, 80}, {99}}), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(kRule, {{74, 73}, {99}}), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(kRule, {{74, 73}, {50}, {99}}), VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(kRule, {{}, {80}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kRule, {{}, {}}), VERDICT_NOT_RUN);
}

TEST(PooledTest, HoldsTheIntervalToTheRange) {
  constexpr char kEqual[] = "rule: POOLED margin: 1";
  constexpr char kMore[] = "rule: POOLED margin: 1 side: MORE";
  const std::vector<double> higher = {.1, .2, .1, .2, .1};
  const std::vector<double> lower = {-.1, -.2, -.1, -.2, -.1};
  EXPECT_EQ(VerdictOn(kEqual, {higher}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kMore, {higher}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kEqual, {lower}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kMore, {lower}), VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(kMore, {{-.1, .2, -.1, .2, -.1}}), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(kEqual, {{5, 6, 5, 6, 5}}), VERDICT_DIFFER);
  EXPECT_EQ(VerdictOn(kEqual, {{.1, .1, .1}}), VERDICT_INCONCLUSIVE);
  // The networks' means are -1 and 1, without spread inside them.
  EXPECT_EQ(VerdictOn(kEqual, {{-1, -1, -1}, {}, {1, 1, 1}}), VERDICT_MATCH);
}

TEST(PooledTest, TheNoteTellsWhatTheVerdictDoesNot) {
  const auto note = [](std::vector<double> differences) {
    return JudgeOne("rule: POOLED margin: 1 unit: 'points'",
                    Of({std::move(differences)}))
        .expectation.note();
  };
  EXPECT_EQ(note({.1, .2, .1, .2, .1}),
            "Paired by seed; a match is from -1 points to 1 points. Not zero, "
            "but inside the margin. The margin: w");
  // Spread sqrt(1/3) / sqrt(3) = 1/3; t_0.95 + t_0.8 at 2 degrees: 3.981.
  EXPECT_TRUE(absl::StrContains(note({0, 0, 1}), "differences from 1.33."));
}

TEST(PooledTest, TellsWhatTheMeasuredSpreadCouldHaveShown) {
  const auto note = [](std::vector<double> differences) {
    return JudgeOne(
               "rule: POOLED margin: 1 spreads { scale: 'lite' deviation: 1 }",
               Of({std::move(differences)}))
        .expectation.note();
  };
  // sd 0.5 / sqrt(5) times t_0.95 at 4 degrees, 2.132.
  EXPECT_TRUE(
      absl::StrContains(note({-.5, .5, -.5, .5, 0}),
                        "the interval is ±0.48 wide (4.0 degrees of freedom), "
                        "so only a difference within ±0.52 could "
                        "match."))
      << note({-.5, .5, -.5, .5, 0});
  EXPECT_TRUE(absl::StrContains(note({-2, 2, -2, 2, 0}),
                                "so no outcome could have matched."));
}

TEST(PooledTest, TellsWhichOfTheTwoTestsIsPassed) {
  const auto note = [](std::vector<double> differences) {
    return JudgeOne("rule: POOLED margin: 1", Of({std::move(differences)}))
        .expectation.note();
  };
  EXPECT_TRUE(absl::StrContains(note({0, 1, 2, 0, 1}),
                                "that it is less by the margin is refuted, "
                                "that it is more is not."))
      << note({0, 1, 2, 0, 1});
  EXPECT_TRUE(
      absl::StrContains(note({0, -1, -2, 0, -1}), "more by the margin"));
  EXPECT_FALSE(absl::StrContains(note({-3, 3, -3, 3, 0}), "Of the two"));
}

TEST(PooledTest, PowerIsOfASpreadThatWasKnownBefore) {
  const std::string note =
      JudgeOne(
          "rule: POOLED margin: 1 spreads { scale: 'lite' deviation: 1 } "
          "spreads { scale: 'paper' deviation: 9 }",
          Of({{0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}, {0, 0, 0, 0}}))
          .expectation.note();
  // 1 / 4; 2 F(4 - 1.782) - 1 at 12 degrees of freedom.
  EXPECT_TRUE(absl::StrContains(
      note,
      "with a spread of 1 between seeds the standard error is 0.25, and "
      "no difference at all would be confirmed with probability 95%."))
      << note;
}

TEST(PooledTest, PowerIsOfEachNetworksSpread) {
  const std::string note =
      JudgeOne(
          "rule: POOLED margin: 1 spreads { scale: 'lite' deviation: [2, 9, 1] "
          "}",
          Of({{0, 0, 0, 0}, {}, {0, 0, 0, 0}}))
          .expectation.note();
  // sqrt(4 / 4 + 1 / 4) / 2: the second network was not run.
  EXPECT_TRUE(absl::StrContains(
      note, "with a spread of 1 to 2 between seeds the standard error is 0.56"))
      << note;
}

// Of n seeds whose differences are `mean` -+ 0.1 points.
std::vector<double> Around(double mean, int n) {
  std::vector<double> values;
  for (int i = 0; i < n; ++i)
    values.push_back(mean + (i % 2 == 0 ? 0.1 : -0.1));
  return values;
}

constexpr char kFamily[] = "rule: FAMILY margin: 0.9";

TEST(FamilyTest, EachMemberHasItsVerdict) {
  const Judgement j = JudgeOne(kFamily, Of({Around(0, 6),
                                            Around(2, 6),
                                            Around(-2, 6),
                                            Around(0.9, 6),
                                            Around(0, 4),
                                            {}}));
  EXPECT_EQ(j.verdicts,
            (std::vector<report::Verdict>{
                VERDICT_MATCH, VERDICT_DIFFER, VERDICT_DIFFER,
                VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE, VERDICT_NOT_RUN}));
  EXPECT_EQ(j.expectation.verdict(), VERDICT_DIFFER);
  EXPECT_EQ(j.expectation.ours_text(), "-2.00 to +2.00");
  EXPECT_TRUE(absl::StrContains(
      j.expectation.note(),
      "1 match, 2 differ, 2 are inconclusive (1 with under 5 seeds), 1 were "
      "not run."))
      << j.expectation.note();
  EXPECT_EQ(VerdictOn(kFamily, {Around(0, 6), Around(0, 6)}), VERDICT_MATCH);
}

TEST(FamilyTest, AFamilyAsksForMoreThanATestAlone) {
  const std::vector<double> narrow = Around(0.78, 6), edge = Around(0.9, 6);
  EXPECT_EQ(VerdictOn(kFamily, {narrow}), VERDICT_MATCH);
  // Too few seeds for a verdict: not of the family.
  EXPECT_EQ(JudgeOne(kFamily, Of({narrow, Around(0, 4)})).verdicts[0],
            VERDICT_MATCH);
  EXPECT_EQ(JudgeOne(kFamily, Of({narrow, edge, edge, edge, edge})).verdicts[0],
            VERDICT_INCONCLUSIVE);
}

TEST(FamilyTest, StatementsOfOneNameAreOneFamily) {
  constexpr char kTwo[] =
      "statements { id: 'a' family: 'f' rule: FAMILY margin: 0.9 why: 'w' }"
      "statements { id: 'b' like: 'a' } statements { id: 'c' like: 'a' }"
      "statements { id: 'd' like: 'a' } statements { id: 'e' like: 'a' }";
  const auto judgements =
      JudgeAll(GoldenOf(kTwo), "lite", true, [](const Asked& asked) {
        return Of({Around(asked.statement.id() == "a" ? 0.78 : 0.9, 6)});
      });
  ASSERT_TRUE(judgements.ok()) << judgements.status();
  EXPECT_EQ(judgements->Find("a")->expectation.verdict(), VERDICT_INCONCLUSIVE);
}

TEST(FamilyTest, APublishedMeanIsTestedByWelch) {
  Measurement measured = Of({Around(80, 6)});
  measured.published = {{80.1, 0.3, 50}};
  EXPECT_EQ(JudgeOne(kFamily, measured).expectation.verdict(), VERDICT_MATCH);
  measured.published = {{85, 0.3, 50}};
  EXPECT_EQ(JudgeOne(kFamily, measured).expectation.verdict(), VERDICT_DIFFER);
}

TEST(SignTestTest, MostNetworksAreTenOfTwelve) {
  const auto judge = [](int holds) {
    Networks networks;
    for (int k = 0; k < 12; ++k) networks.push_back({k < holds ? -0.9 : -1.0});
    networks.push_back({kNaN});
    return JudgeOne("rule: SIGN_TEST margin: 0.9 side: AT_LEAST",
                    Of(std::move(networks)))
        .expectation;
  };
  EXPECT_EQ(judge(10).verdict(), VERDICT_MATCH);
  EXPECT_EQ(judge(9).verdict(), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(judge(2).verdict(), VERDICT_DIFFER);
  EXPECT_EQ(judge(2).ours_text(), "2 of 12 networks, 1 with too few seeds");
}

TEST(SignTestTest, WithoutAMarginEqualOnesAreLeftOut) {
  EXPECT_EQ(JudgeOne("rule: SIGN_TEST side: AT_MOST", Of({{-1}, {0}, {1}}))
                .expectation.ours_text(),
            "1 of 2 networks, 1 equal");
}

TEST(ExistenceTest, MoreSeedsCanOnlyRaiseTheLargest) {
  constexpr char kRule[] =
      "rule: EXISTENCE value: 0.995 margin: 0.1 side: AT_LEAST";
  EXPECT_EQ(VerdictOn(kRule, {{0.1, 0.9}}), VERDICT_MATCH);
  EXPECT_EQ(VerdictOn(kRule, {{0.1, 0.89}}), VERDICT_INCONCLUSIVE);
  EXPECT_EQ(VerdictOn(kRule, {{kNaN}}), VERDICT_INCONCLUSIVE);
}

TEST(NoCounterexampleTest, OneIsEnough) {
  Measurement measured = Of({{0}});
  measured.cases = 7;
  constexpr char kRule[] = "rule: NO_COUNTEREXAMPLE";
  EXPECT_EQ(JudgeOne(kRule, measured).expectation.verdict(), VERDICT_MATCH);
  measured.networks = {{1}};
  const report::Expectation one = JudgeOne(kRule, measured).expectation;
  EXPECT_EQ(one.verdict(), VERDICT_DIFFER);
  EXPECT_EQ(one.ours_text(), "1 of 7");
  EXPECT_EQ(VerdictOn(kRule, {{0}}), VERDICT_INCONCLUSIVE);  // no case
}

TEST(PrintedTest, DigitsAreRoundedOrCutOffAndUncounted) {
  const auto judge = [](double ours, std::string printed) {
    Measurement measured = Of({{ours}});
    measured.printed = std::move(printed);
    measured.fact = true;
    return JudgeOne("rule: PRINTED", measured, false).expectation;
  };
  EXPECT_EQ(judge(0.467562, "0.47").verdict(), VERDICT_MATCH);
  EXPECT_EQ(judge(12.65953, "12.65").verdict(), VERDICT_MATCH);
  EXPECT_EQ(judge(20.972394, "2.09").verdict(), VERDICT_DIFFER);
  EXPECT_TRUE(judge(1, "1.0").uncounted());
}

TEST(DerivedTest, OneThatDiffersIsEnough) {
  const auto summary = [](double of_b) {
    const auto judgements =
        JudgeAll(GoldenOf("statements { id: 's' rule: DERIVED of: ['a', 'b'] }"
                          "statements { id: 'a' rule: EACH_SEED side: AT_MOST }"
                          "statements { id: 'b' like: 'a' }"),
                 "lite", true, [&](const Asked& asked) {
                   return Of({{asked.statement.id() == "a" ? -1 : of_b}});
                 });
    EXPECT_TRUE(judgements.ok()) << judgements.status();
    return judgements->Find("s")->expectation;
  };
  EXPECT_EQ(summary(-1).verdict(), VERDICT_MATCH);
  EXPECT_EQ(summary(1).verdict(), VERDICT_DIFFER);
  EXPECT_EQ(summary(1).ours_text(), "of 2: 1 match, 1 differ");
  EXPECT_FALSE(
      JudgeAll(GoldenOf("statements { id: 's' rule: DERIVED of: 'z' }"), "lite",
               true, [](const Asked&) { return Measurement(); })
          .ok());
}

// ---- Whatever the rule is ---------------------------------------------------

constexpr char kEachSeed[] = "rule: EACH_SEED margin: 1";

TEST(JudgeAllTest, TestsAndMadeUpDataAreNotJudgedAndNothingIsNotRun) {
  EXPECT_EQ(JudgeOne(kEachSeed, Of({{0}}), false).expectation.verdict(),
            VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_EQ(JudgeOne(kEachSeed, Of({{}}), false).expectation.verdict(),
            VERDICT_NOT_RUN);
  Measurement fact = Of({{0}});
  fact.fact = true;
  EXPECT_EQ(JudgeOne(kEachSeed, fact, false).expectation.verdict(),
            VERDICT_MATCH);
}

TEST(JudgeAllTest, AStatementNamesTheTrainingThatItNeeds) {
  const std::string needs = absl::StrCat(
      kEachSeed, " needs { epochs: 10 train_accuracy: 90 full_width: true }");
  Measurement measured = Of({{0}});
  const report::Expectation e = JudgeOne(needs, measured).expectation;
  EXPECT_EQ(e.verdict(), VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  EXPECT_TRUE(absl::StrContains(
      e.note(),
      "Not judged: it is about trained networks, which takes at "
      "least 10 epochs, here 0; at least 90% training accuracy, here "
      "0.0% in the least trained; full width, here less."))
      << e.note();
  measured.training.set_epochs(10);
  measured.training.set_train_accuracy(90);
  measured.training.set_full_width(true);
  EXPECT_EQ(JudgeOne(needs, measured).expectation.verdict(), VERDICT_MATCH);
}

TEST(JudgeAllTest, ADifferenceFromAnotherBaselineIsNotHeldAgainstThePaper) {
  const std::string rule = absl::StrCat(kEachSeed, " from_baseline: true");
  Measurement measured = Of({{5}});
  EXPECT_EQ(JudgeOne(rule, measured).expectation.verdict(), VERDICT_DIFFER);
  measured.baseline = "our FP32 is another";
  const report::Expectation e = JudgeOne(rule, measured).expectation;
  EXPECT_EQ(e.verdict(), VERDICT_INCONCLUSIVE);
  EXPECT_TRUE(absl::StrContains(
      e.note(), "not held against the paper: our FP32 is another."));
  EXPECT_EQ(JudgeOne(kEachSeed, measured).expectation.verdict(),
            VERDICT_DIFFER);
  measured.networks = {{0}};
  EXPECT_EQ(JudgeOne(rule, measured).expectation.verdict(), VERDICT_MATCH);
}

TEST(JudgeAllTest, ARuleThatChangedSaysSo) {
  EXPECT_TRUE(absl::EndsWith(
      JudgeOne(absl::StrCat(kEachSeed, " changed: 'it was another.'"),
               Of({{0}}))
          .expectation.note(),
      "The margin: w Changed after runs had been seen: it was another."));
}

TEST(JudgeAllTest, EachModelAndReadingIsAsked) {
  const auto judgements = JudgeAll(
      GoldenOf("statements { id: 'a/{model}/{fp16}' what: '{network} {fp16}' "
               "rule: EACH_SEED models: ['vgg16', 'vit8'] "
               "readings: ['FP16', 'FP16_BN32'] }"),
      "lite", true, [](const Asked& asked) {
        EXPECT_EQ(asked.statement.id(),
                  absl::StrCat("a/", asked.model, "/", asked.reading));
        return Of({{0}});
      });
  ASSERT_TRUE(judgements.ok()) << judgements.status();
  ASSERT_EQ(judgements->all().size(), 4u);
  EXPECT_EQ(judgements->all()[1].expectation.what(), "VGG-16 FP16_BN32");
  EXPECT_NE(judgements->Find("a/vit8/FP16"), nullptr);
  EXPECT_EQ(judgements->Find("a/vit8"), nullptr);
}

TEST(JudgeAllTest, AnErrorOfAMeasureIsTheErrorOfAll) {
  EXPECT_EQ(JudgeAll(GoldenOf("statements { id: 'a' }"), "lite", true,
                     [](const Asked&) -> absl::StatusOr<Measurement> {
                       return absl::InvalidArgumentError("no such thing");
                     })
                .status()
                .message(),
            "no such thing");
}

}  // namespace
}  // namespace repro16
