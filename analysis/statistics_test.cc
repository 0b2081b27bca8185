#include "analysis/statistics.h"

#include <cmath>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

// Test accuracies of six seeds.
const Values kA = {80.9, 81.2, 80.4, 81.0, 80.7, 81.3};
const Values kB = {81.0, 80.9, 80.6, 80.8, 80.9, 81.1};

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
  EXPECT_EQ(e.margin, 0.9);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
  EXPECT_FALSE(e.DiffersFromZero());
}

TEST(PairedEquivalenceTest, Inconclusive) {
  const Equivalence e = PairedEquivalence(kA, kB, 0.2);
  EXPECT_NEAR(e.p_value, 0.0647280104028595, 1e-12);
  EXPECT_EQ(e.verdict, Verdict::kInconclusive);
}

TEST(PairedEquivalenceTest, DifferIsTwoSided) {
  Values better = kB;
  for (double& value : better) value += 1.5;
  EXPECT_EQ(PairedEquivalence(better, kB, 0.9).verdict, Verdict::kDiffer);
  EXPECT_EQ(PairedEquivalence(kB, better, 0.9).verdict, Verdict::kDiffer);
  EXPECT_EQ(PairedEquivalence(kB, better, 0.9).difference, -1.5);
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

// Against the least-squares fit with a dummy variable a network (NumPy lstsq).
TEST(PooledEquivalenceTest, NetworksAreBlocks) {
  const Equivalence e = PooledEquivalence(
      {Values{.3, -.1, .2}, Values{.5, .1}, Values{-.2, .0, .1, .3}}, 0.5);
  EXPECT_NEAR(e.difference, 0.1611111111111111, 1e-14);
  EXPECT_NEAR(e.low, 0.011200752261986135, 1e-12);
  EXPECT_NEAR(e.high, 0.31102146996023605, 1e-12);
  EXPECT_NEAR(e.p_value, 0.00230208242755278, 1e-13);
  EXPECT_NEAR(e.smallest_detectable, 0.21978257083773128, 1e-12);
  EXPECT_EQ(e.degrees_of_freedom, 6);
  EXPECT_EQ(e.verdict, Verdict::kMatch);
}

TEST(PooledEquivalenceTest, OneSeedANetworkIsTooFew) {
  const Equivalence e = PooledEquivalence(
      {Values{.3}, Values{.5}, Values{.1}, Values{.1}, Values{.2}}, 0.9);
  EXPECT_EQ(e.verdict, Verdict::kUnderpowered);
  EXPECT_EQ(e.high, HUGE_VAL);
}

// Statistic and degrees of freedom: SciPy's ttest_ind_from_stats.
TEST(WelchEquivalenceTest, AgainstPublished) {
  const Sample ours = SampleOf({80.1, 80.5, 80.9, 80.3, 80.2});
  const Equivalence e = WelchEquivalence(ours, {80.9, 0.4, 50}, 0.9);
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
  EXPECT_EQ(WelchEquivalence({80, 0.3, 4}, {80, 0.3, 50}, 5).verdict,
            Verdict::kUnderpowered);
  EXPECT_EQ(WelchEquivalence({80, 0.3, 5}, {80, 0.3, 50}, 5).verdict,
            Verdict::kMatch);
  EXPECT_EQ(WelchEquivalence({80, 0, 1}, {80, 0.3, 50}, 5).high, HUGE_VAL);
  EXPECT_EQ(WelchEquivalence({80, 0, 5}, {81, 0, 50}, 5).p_value, 0);
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
