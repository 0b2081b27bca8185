#include "analysis/statistics.h"

#include <cmath>
#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "analysis/student_t.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

// Test accuracies of six seeds.
const Values kA = {80.9, 81.2, 80.4, 81.0, 80.7, 81.3};
const Values kB = {81.0, 80.9, 80.6, 80.8, 80.9, 81.1};

// Of one network: a[i] and b[i] are of one seed.
Equivalence PairedEquivalence(const Values& a, const Values& b, double margin) {
  Values differences = a;
  for (size_t i = 0; i < b.size(); ++i) differences[i] -= b[i];
  return PooledEquivalence({differences}, Within(margin));
}

TEST(SampleTest, ByHand) {
  const Sample sample = SampleOf({1, 2, 3, 6});
  EXPECT_EQ(sample.mean, 3);
  EXPECT_DOUBLE_EQ(sample.sd, std::sqrt(14.0 / 3));
  EXPECT_EQ(sample.n, 4);
  EXPECT_EQ(SampleOf({5}).sd, 0);
  EXPECT_EQ(SampleOf({}).n, 0);
}

// Interval and p-value: SciPy's ttest_1samp on the differences.
TEST(PairedEquivalenceTest, Match) {
  const Equivalence e = PairedEquivalence(kA, kB, 0.9);
  EXPECT_NEAR(e.difference, 1.0 / 30, 1e-12);
  EXPECT_NEAR(e.low, -0.15183683343894522, 1e-12);
  EXPECT_NEAR(e.high, 0.2185035001056176, 1e-12);
  EXPECT_NEAR(e.p_value, 0.0001131099118283247, 1e-14);
  EXPECT_NEAR(e.smallest_detectable, 0.26967040874908654, 1e-12);
  EXPECT_EQ(e.degrees_of_freedom, 5);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
  EXPECT_FALSE(e.DiffersFromZero());
}

TEST(PairedEquivalenceTest, Inconclusive) {
  const Equivalence e = PairedEquivalence(kA, kB, 0.2);
  EXPECT_NEAR(e.p_value, 0.0647280104028595, 1e-12);
  EXPECT_EQ(e.verdict, Verdict::kInconclusive);
}

// Of the same p-values at another level.
TEST(PairedEquivalenceTest, AtAnotherLevel) {
  Values differences = kA;
  for (size_t i = 0; i < kB.size(); ++i) differences[i] -= kB[i];
  const Equivalence e = PooledEquivalence({differences}, Within(0.2), 0.07);
  EXPECT_NEAR(e.p_value, 0.0647280104028595, 1e-12);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
  const Equivalence wide = PooledEquivalence({differences}, Within(0.9), 1e-4);
  EXPECT_EQ(wide.verdict, Verdict::kInconclusive);
  EXPECT_GT(wide.high - wide.low, e.high - e.low);
}

TEST(PairedEquivalenceTest, DifferIsTwoSided) {
  Values better = kB;
  for (double& value : better) value += 1.5;
  EXPECT_EQ(PairedEquivalence(better, kB, 0.9).verdict, Verdict::kDiffer);
  EXPECT_EQ(PairedEquivalence(kB, better, 0.9).verdict, Verdict::kDiffer);
  EXPECT_EQ(PairedEquivalence(kB, better, 0.9).difference, -1.5);
  // Both sides: twice SciPy's one-sided p-value.
  Values higher = kA;
  for (double& value : higher) value += 1.5;
  EXPECT_NEAR(PairedEquivalence(higher, kB, 0.9).p_beyond,
              0.0009846460829665328, 1e-12);
}

TEST(PairedEquivalenceTest, MatchThatDiffersFromZero) {
  const Equivalence e = PairedEquivalence({1.0, 1.1, 1.2, 1.1, 1.1},
                                          {0.8, 0.8, 1, 0.8, 0.9}, 0.9);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
  EXPECT_TRUE(e.DiffersFromZero());
}

TEST(PairedEquivalenceTest, NoSpread) {
  const Values zeros(5, 0.0);
  const Values halves(5, 0.5);
  EXPECT_EQ(PairedEquivalence(halves, zeros, 0.75).verdict, Verdict::kMatch);
  EXPECT_EQ(PairedEquivalence(halves, zeros, 0.75).p_value, 0);
  EXPECT_EQ(PairedEquivalence(halves, zeros, 0.25).verdict, Verdict::kDiffer);
  EXPECT_EQ(PairedEquivalence(halves, zeros, 0.25).p_value, 1);
  // At the margin itself: neither inside nor outside.
  EXPECT_EQ(PairedEquivalence(halves, zeros, 0.5).verdict,
            Verdict::kInconclusive);
}

TEST(PairedEquivalenceTest, UnderFiveSeedsNothingIsConcluded) {
  const Equivalence four =
      PairedEquivalence({1, 2, 3, 4}, {1.01, 2, 3, 4}, 0.9);
  EXPECT_EQ(four.verdict, Verdict::kUnderpowered);
  EXPECT_LT(four.high, 0.9);
  EXPECT_GT(four.smallest_detectable, 0);
  EXPECT_TRUE(std::isfinite(four.smallest_detectable));

  const Equivalence one = PairedEquivalence({1}, {1.5}, 0.9);
  EXPECT_EQ(one.verdict, Verdict::kUnderpowered);
  EXPECT_EQ(one.difference, -0.5);
  EXPECT_EQ(one.low, -HUGE_VAL);
  EXPECT_EQ(one.high, HUGE_VAL);
  EXPECT_EQ(one.smallest_detectable, HUGE_VAL);
  EXPECT_EQ(one.p_value, 1);
}

// Oracle: SciPy's t distribution, with the formulas by hand.
TEST(PooledEquivalenceTest, NetworksHaveSpreadsOfTheirOwn) {
  const Equivalence e = PooledEquivalence(
      {Values{.3, -.1, .2}, Values{.5, .1}, Values{-.2, .0, .1, .3}},
      Within(0.5));
  EXPECT_NEAR(e.difference, 0.16111111111111112, 1e-14);
  EXPECT_NEAR(e.low, -0.059334085764520456, 1e-11);
  EXPECT_NEAR(e.high, 0.38155630798674267, 1e-11);
  EXPECT_NEAR(e.degrees_of_freedom, 2.444124806373092, 1e-11);
  EXPECT_NEAR(e.p_value, 0.02053457162009658, 1e-12);
  EXPECT_NEAR(e.p_beyond, 1, 1e-12);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
}

// Of two networks the sum of the means is Welch's difference of one and the
// other with its sign changed.
TEST(PooledEquivalenceTest, OfTwoNetworksItIsWelch) {
  const Values a = {1, 2, 3}, b = {0, 4}, minus_b = {0, -4};
  const Equivalence pooled = PooledEquivalence({a, b}, Within(1));
  const Equivalence welch =
      WelchEquivalence(SampleOf(a), SampleOf(minus_b), Within(2));
  EXPECT_NEAR(pooled.difference, welch.difference / 2, 1e-12);
  EXPECT_NEAR(pooled.low, welch.low / 2, 1e-9);
  EXPECT_NEAR(pooled.degrees_of_freedom, welch.degrees_of_freedom, 1e-9);
}

TEST(PooledEquivalenceTest, NetworksOfTwoSeedsShareOneVariance) {
  const Equivalence pooled =
      PooledEquivalence({Values{0, 2}, Values{0, 4}, Values{1, 1}}, Within(9));
  // s^2: 2, 8 and 0, of mean 10 / 3; the error's square is 3 (10 / 6) / 9.
  EXPECT_NEAR(pooled.degrees_of_freedom, 3, 1e-12);
  EXPECT_NEAR(pooled.high - pooled.difference,
              StudentTQuantile(0.95, 3) * std::sqrt(5.0 / 9), 1e-9);
}

TEST(PooledEquivalenceTest, ANetworkOfOneSeedTakesTheOthersSpread) {
  const Equivalence alone =
      PooledEquivalence({Values{0, 1, 2, 3, 4}, Values{2}}, Within(5));
  // Both variances are 2.5: (2.5 / 5 + 2.5) / 4 is the error's square.
  EXPECT_NEAR(
      alone.high - alone.difference,
      StudentTQuantile(0.95, alone.degrees_of_freedom) * std::sqrt(3.0 / 4),
      1e-9);
}

// ---- Levels and power, by simulation ----------------------------------------

// The share of `kTrials` experiments with this verdict: each network has its
// own deviation and number of seeds, all have the true difference `mean`.
double ShareOf(Verdict verdict, double mean, double margin,
               const std::vector<std::pair<double, int>>& networks) {
  constexpr int kTrials = 4000;
  std::mt19937 random(1);
  std::normal_distribution<double> normal;
  int found = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    std::vector<Values> differences;
    for (const auto& [sd, seeds] : networks) {
      Values& network = differences.emplace_back();
      for (int i = 0; i < seeds; ++i) {
        network.push_back(mean + sd * normal(random));
      }
    }
    found += PooledEquivalence(differences, Within(margin)).verdict == verdict;
  }
  return static_cast<double>(found) / kTrials;
}

TEST(PooledEquivalenceTest, ErrsInFivePercentWhateverTheSpreads) {
  const std::vector<std::pair<double, int>> unequal = {
      {4.4, 3}, {0.13, 8}, {1, 3}, {0.3, 5}, {3, 3}, {0.5, 5}};
  // At the margin, where a match is wrong.
  EXPECT_LT(ShareOf(Verdict::kMatch, 3, 3, unequal), 0.06);
  // Table 2 at lite: some networks have two seeds, of unlike spreads.
  const std::vector<std::pair<double, int>> table2 = {
      {1.30, 9}, {1.66, 8}, {1.77, 8}, {0.82, 2}, {1.35, 2}, {1.67, 2},
      {1.39, 5}, {2.49, 7}, {0.95, 4}, {2.05, 9}, {0.73, 3}, {0.34, 3}};
  EXPECT_LT(ShareOf(Verdict::kMatch, 0.5, 0.5, table2), 0.06);
  // Within the margin, however small it is, "differ" is wrong.
  EXPECT_LT(ShareOf(Verdict::kDiffer, 0, 1e-6, unequal), 0.06);
  EXPECT_LT(ShareOf(Verdict::kDiffer, 0, 1e-6, {{1, 10}}), 0.06);
  EXPECT_GT(ShareOf(Verdict::kDiffer, 0, 1e-6, {{1, 10}}), 0.04);
}

TEST(PlanPooledTest, TellsThePowerThatRunsThenHave) {
  const std::vector<int64_t> seeds(4, 5);
  const Plan plan = PlanPooled({1, 1, 1, 1}, seeds, 0.7);
  EXPECT_NEAR(plan.error, std::sqrt(1.0 / 20), 1e-12);
  EXPECT_NEAR(plan.degrees_of_freedom, 16, 1e-9);
  EXPECT_NEAR(
      plan.power,
      ShareOf(Verdict::kMatch, 0, 0.7, {{1, 5}, {1, 5}, {1, 5}, {1, 5}}), 0.03);
  // Where there is a difference.
  EXPECT_NEAR(
      PlanPooled({1, 1, 1, 1}, seeds, 0.7, 0.05, 0.3).power,
      ShareOf(Verdict::kMatch, 0.3, 0.7, {{1, 5}, {1, 5}, {1, 5}, {1, 5}}),
      0.03);
  // A standard error of a third of the margin confirms in four of five.
  EXPECT_NEAR(
      PlanPooled({0.17}, std::vector<int64_t>{100000}, 0.5 / 316.2278).power,
      0.80, 0.01);
  EXPECT_EQ(PlanPooled({2.59, 2.59, 2.59, 2.59}, seeds, 0.5).power, 0);
  // Networks that vary unequally: sqrt(9 / 9 + 1 / 4) / 2.
  EXPECT_NEAR(PlanPooled({3, 1}, std::vector<int64_t>{9, 4}, 1).error,
              std::sqrt(1.25) / 2, 1e-12);
  EXPECT_EQ(PlanPooled({1, 1}, std::vector<int64_t>{1, 1}, 5).power, 0);
}
TEST(PooledEquivalenceTest, OneSeedANetworkIsTooFew) {
  const Equivalence e = PooledEquivalence(
      {Values{.3}, Values{.5}, Values{.1}, Values{.1}, Values{.2}},
      Within(0.9));
  EXPECT_EQ(e.verdict, Verdict::kUnderpowered);
  EXPECT_EQ(e.high, HUGE_VAL);
}

// Statistic and degrees of freedom: SciPy's ttest_ind_from_stats.
TEST(WelchEquivalenceTest, AgainstPublished) {
  const Sample ours = SampleOf({80.1, 80.5, 80.9, 80.3, 80.2});
  const Equivalence e = WelchEquivalence(ours, {80.9, 0.4, 50}, Within(0.9));
  EXPECT_NEAR(e.difference, -0.5, 1e-12);
  EXPECT_NEAR(e.low, -0.8022992977277033, 1e-11);
  EXPECT_NEAR(e.high, -0.1977007022722967, 1e-11);
  EXPECT_NEAR(e.degrees_of_freedom, 5.371175339698233, 1e-11);
  EXPECT_NEAR(e.p_value, 0.021806202824209052, 1e-12);
  EXPECT_NEAR(e.smallest_detectable, 0.44147949332780173, 1e-11);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
  EXPECT_TRUE(e.DiffersFromZero());
}

TEST(WelchEquivalenceTest, TheSmallerSampleDecidesOnPower) {
  EXPECT_EQ(WelchEquivalence({80, 0.3, 4}, {80, 0.3, 50}, Within(5)).verdict,
            Verdict::kUnderpowered);
  EXPECT_EQ(WelchEquivalence({80, 0.3, 5}, {80, 0.3, 50}, Within(5)).verdict,
            Verdict::kMatch);
  EXPECT_EQ(WelchEquivalence({80, 0, 1}, {80, 0.3, 50}, Within(5)).high,
            HUGE_VAL);
  EXPECT_EQ(WelchEquivalence({80, 0, 5}, {81, 0, 50}, Within(5)).p_value, 0);
}

// The example of R's p.adjust, by hand: sorted, times 4, 3, 2, 1, never
// falling.
TEST(HolmTest, ByHand) {
  const Values adjusted = HolmAdjusted({0.03, 0.01, 0.04, 0.005});
  ASSERT_EQ(adjusted.size(), 4u);
  EXPECT_DOUBLE_EQ(adjusted[0], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[1], 0.03);
  EXPECT_DOUBLE_EQ(adjusted[2], 0.06);
  EXPECT_DOUBLE_EQ(adjusted[3], 0.02);
  EXPECT_EQ(HolmAdjusted({0.9, 0.8}), (Values{1, 1}));
  EXPECT_TRUE(HolmAdjusted({}).empty());
}

// Quartiles: NumPy's percentile.
TEST(QuantileTest, InterpolatesBetweenOrderStatistics) {
  const std::vector<double> sorted = {1, 2, 4, 8};
  EXPECT_EQ(Quantile(sorted, 0), 1);
  EXPECT_EQ(Quantile(sorted, 0.5), 3);
  EXPECT_DOUBLE_EQ(Quantile(sorted, 0.9), 6.8);
  EXPECT_EQ(Quantile(sorted, 1), 8);
}

TEST(BoxPlotTest, QuartilesWhiskersAndOutliers) {
  const BoxPlot box = BoxPlotOf({7, 1, 2, 3, 4, 5, 6, 30, -20, 4.5});
  EXPECT_EQ(box.lower_quartile, 2.25);
  EXPECT_EQ(box.median, 4.25);
  EXPECT_EQ(box.upper_quartile, 5.75);
  EXPECT_EQ(box.lower_whisker, 1);
  EXPECT_EQ(box.upper_whisker, 7);
  EXPECT_EQ(box.outliers, (Values{-20, 30}));
}

TEST(BoxPlotTest, AValueJustWithinReachIsNoOutlier) {
  // The box is 2 to 6, its reach 6 on both sides.
  const BoxPlot box = BoxPlotOf({-4, 2, 4, 6, 12});
  EXPECT_EQ(box.lower_whisker, -4);
  EXPECT_EQ(box.upper_whisker, 12);
  EXPECT_TRUE(box.outliers.empty());
}

TEST(BinomialTest, ByHand) {
  EXPECT_NEAR(BinomialAtLeast(9, 12, 1.0 / 3), 2049.0 / 531441, 1e-15);
  EXPECT_NEAR(BinomialAtLeast(10, 12, 0.5), 79.0 / 4096, 1e-15);
  EXPECT_NEAR(BinomialAtLeast(0, 12, 0.8), 1, 1e-12);
  EXPECT_EQ(BinomialAtLeast(13, 12, 0.8), 0);
  EXPECT_EQ(BinomialAtLeast(0, 0, 0.5), 1);
}

TEST(SignTest, TenOfTwelveAreMost) {
  EXPECT_EQ(SignTest(10, 12), SignVerdict::kMost);
  EXPECT_EQ(SignTest(9, 12), SignVerdict::kUndecided);
  EXPECT_EQ(SignTest(3, 12), SignVerdict::kUndecided);
  EXPECT_EQ(SignTest(2, 12), SignVerdict::kFewest);
}

TEST(SignTest, FewerThanFiveCasesDecideNothing) {
  EXPECT_EQ(SignTest(4, 4), SignVerdict::kUndecided);
  EXPECT_EQ(SignTest(0, 4), SignVerdict::kUndecided);
  EXPECT_EQ(SignTest(0, 0), SignVerdict::kUndecided);
  EXPECT_EQ(SignTest(5, 5), SignVerdict::kMost);
}

// F with (2, 2) degrees of freedom is x / (1 + x), its quantiles 19 and 4; with
// (4, 4) it is 3 y^2 - 2 y^3 of y = x / (1 + x).
TEST(SmallestDetectableRatioTest, ByHand) {
  EXPECT_NEAR(SmallestDetectableRatio(3), std::sqrt(19.0 * 4), 1e-9);
  EXPECT_NEAR(SmallestDetectableRatio(5), 3.9823999737306695, 1e-9);
  EXPECT_NEAR(SmallestDetectableRatio(50), 1.43, 0.01);
  EXPECT_TRUE(std::isinf(SmallestDetectableRatio(1)));
}

TEST(BoxPlotTest, OneValue) {
  const BoxPlot box = BoxPlotOf({3});
  EXPECT_EQ(box.lower_whisker, 3);
  EXPECT_EQ(box.median, 3);
  EXPECT_EQ(box.upper_whisker, 3);
}

TEST(SeedsTest, Distinct) {
  EXPECT_TRUE(CheckDistinctSeeds({3, 1, 2}).ok());
  EXPECT_TRUE(CheckDistinctSeeds({}).ok());
  EXPECT_EQ(CheckDistinctSeeds({3, 1, 7, 3}).message(),
            "seed 3 is there twice; give each run a seed of its own");
}

}  // namespace
}  // namespace repro16
