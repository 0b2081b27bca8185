#include "experiments/common/pair_statistics.h"

#include <limits>

#include "experiments/common/run_files.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// Four samples of two classes: gamma > 2 delta; gamma = 2 delta with a tie that
// parts; gamma < 2 delta and two classes; a NaN.
const std::vector<float> k32 = {0.25f, 0.75f, 0, 1, 0.25f, 0.75f, 1, 0};
const std::vector<float> k16 = {0.375f, 0.625f, 0.5f, 0.5f, 1, 0, kNaN, 0};
const std::vector<int64_t> kLabels = {1, 1, 0, 0};

TEST(ComparePairsTest, TakesMomentsOfFiniteSamplesAndSharesOfAll) {
  const absl::StatusOr<RunSet> runs =
      RunSet::Create({MakeRunWithFiles("FP32", 1, k32, kLabels),
                      MakeRunWithFiles("FP16", 1, k16, kLabels)},
                     "lite");
  ASSERT_TRUE(runs.ok()) << runs.status();
  const absl::StatusOr<PairSets> sets = ComparePairs(*runs);
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_EQ(sets->same_seed.size(), 1u);
  EXPECT_TRUE(sets->controls.empty());
  const PairStatistics& pair = sets->same_seed[0];
  EXPECT_EQ(pair.samples(), 4);
  EXPECT_EQ(pair.not_finite.samples, 1);
  EXPECT_EQ(pair.Covered(), 0.5);
  EXPECT_EQ(pair.boundary.samples, 1);
  EXPECT_EQ(pair.alike(), 1);
  EXPECT_EQ(pair.errors, (std::vector<double>{0.125, 0.5, 0.75}));
  EXPECT_EQ(pair.tolerances, (std::vector<double>{0.5, 1, 0.5}));
  EXPECT_DOUBLE_EQ(pair.error.mean, 1.375 / 3);
  EXPECT_DOUBLE_EQ(pair.tolerance.mean, 2.0 / 3);
  EXPECT_DOUBLE_EQ(pair.tolerance.variance, 1.0 / 18);
  EXPECT_DOUBLE_EQ(pair.Ratio(), 2 / 1.375);
  EXPECT_EQ(pair.error.max, 0.75);
  EXPECT_EQ(pair.largest.sample, 2);
  EXPECT_EQ(pair.largest.label, 0);
  EXPECT_EQ(pair.largest.class_16, 0);
  EXPECT_EQ(pair.largest.class_32, 1);
  EXPECT_EQ(pair.largest.probability_16, 1);
}

TEST(ComparePairsTest, ControlsAreNeighbouringSeedsOfFp32) {
  const absl::StatusOr<RunSet> runs =
      RunSet::Create({MakeRunWithFiles("FP32", 1, k32, kLabels),
                      MakeRunWithFiles("FP32", 4, k32, kLabels),
                      MakeRunWithFiles("FP16", 4, k16, kLabels)},
                     "lite");
  ASSERT_TRUE(runs.ok()) << runs.status();
  const absl::StatusOr<PairSets> sets = ComparePairs(*runs);
  ASSERT_TRUE(sets.ok()) << sets.status();
  ASSERT_EQ(sets->controls.size(), 1u);
  EXPECT_EQ(sets->controls[0].name, "seeds 1 and 4");
  EXPECT_EQ(sets->controls[0].error.max, 0);
}

TEST(ComparePolicyTest, TakesSeedsThatHaveBoth) {
  const absl::StatusOr<RunSet> runs =
      RunSet::Create({MakeRunWithFiles("FP32", 1, k32, kLabels),
                      MakeRunWithFiles("FP32", 2, k32, kLabels),
                      MakeRunWithFiles("MP", 2, k16, kLabels)},
                     "lite");
  ASSERT_TRUE(runs.ok()) << runs.status();
  const auto mp = ComparePolicy(*runs, "MP");
  ASSERT_TRUE(mp.ok()) << mp.status();
  ASSERT_EQ(mp->size(), 1u);
  EXPECT_EQ((*mp)[0].name, "seed 2");
  EXPECT_EQ((*mp)[0].error.max, 0.75);
  EXPECT_TRUE(ComparePolicy(*runs, "FP16")->empty());
}

TEST(PoolTest, AddsSamples) {
  PairStatistics a;
  a.strict = {2, 1};
  a.not_finite = {1, 1};
  a.errors = {0.25, 0.25};
  a.tolerances = {0.5, 0.5};
  PairStatistics b;
  b.unmet = {1, 0};
  b.errors = {1};
  b.tolerances = {0.25};
  const PairStatistics pool = Pool("both", {a, b});
  EXPECT_EQ(pool.name, "both");
  EXPECT_EQ(pool.samples(), 4);
  EXPECT_EQ(pool.alike(), 2);
  EXPECT_EQ(pool.Guaranteed(), 0.5);
  EXPECT_EQ(pool.Alike(), 0.5);
  EXPECT_DOUBLE_EQ(pool.error.mean, 0.5);
  EXPECT_DOUBLE_EQ(pool.error.variance, 0.125);
  EXPECT_EQ(pool.error.max, 1);
  EXPECT_DOUBLE_EQ(pool.tolerance.mean, 1.25 / 3);
  EXPECT_TRUE(pool.Finite());
}

TEST(PoolTest, WithoutAFiniteSampleThereAreNoMoments) {
  PairStatistics diverged;
  diverged.not_finite = {2, 2};
  EXPECT_FALSE(Pool("", {diverged}).Finite());
  EXPECT_FALSE(Pool("", {}).Finite());
}

TEST(ComparePairsTest, NeedsBothPrecisionsOfASeed) {
  const absl::StatusOr<RunSet> runs =
      RunSet::Create({MakeRunWithFiles("FP32", 1, k32, kLabels),
                      MakeRunWithFiles("FP16", 2, k16, kLabels)},
                     "lite");
  ASSERT_TRUE(runs.ok()) << runs.status();
  EXPECT_FALSE(ComparePairs(*runs).ok());
}

// ---- Lemma 1 ---------------------------------------------------------------

TEST(CompareNetworksTest, CountsSamplesByPremise) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<int64_t> labels = {1, 1, 0, 0};
  const absl::StatusOr<RunSet> runs = RunSet::Create(
      {MakeRunWithFiles("FP32", 1, {.25f, .75f, 0, 1, .25f, .75f, 1, 0},
                        labels),
       MakeRunWithFiles("FP16", 1, {.375f, .625f, .5f, .5f, 1, 0, nan, 0},
                        labels),
       MakeRunWithFiles("BF16", 1, {.25f, .75f, 0, 1, .25f, .75f, 1, 0},
                        labels)},
      "lite");
  ASSERT_TRUE(runs.ok()) << runs.status();
  const absl::StatusOr<std::vector<PairStatistics>> pairs =
      CompareEachPolicy(*runs);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  ASSERT_EQ(pairs->size(), 2u);

  const PairStatistics& fp16 = (*pairs)[0];
  EXPECT_EQ(fp16.name, "FP16 seed 1");
  EXPECT_EQ(fp16.strict.samples, 1);
  EXPECT_EQ(fp16.strict.differ, 0);
  EXPECT_EQ(fp16.boundary.samples, 1);
  EXPECT_EQ(fp16.boundary.differ, 1);
  EXPECT_EQ(fp16.unmet.samples, 1);
  EXPECT_EQ(fp16.unmet.differ, 1);
  EXPECT_EQ(fp16.not_finite.samples, 1);
  EXPECT_EQ(fp16.not_finite.differ, 1);
  EXPECT_EQ(fp16.Guaranteed(), 0.25);
  EXPECT_EQ(fp16.Alike(), 0.25);
  EXPECT_TRUE(fp16.violations.empty());
  // Of the second and third sample, that at gamma = 2 delta.
  EXPECT_EQ(fp16.closest.sample, "FP16 seed 1, test sample 1");
  EXPECT_EQ(fp16.closest.error, 0.5);
  EXPECT_EQ(fp16.closest.tolerance, 1);
  EXPECT_EQ(fp16.closest.Ratio(), 1);

  EXPECT_EQ((*pairs)[1].name, "BF16 seed 1");
  EXPECT_EQ((*pairs)[1].Alike(), 1);
  EXPECT_TRUE((*pairs)[1].closest.sample.empty());

  const PairStatistics pool = Pool("both", *pairs);
  EXPECT_EQ(pool.name, "both");
  EXPECT_EQ(pool.samples(), 8);
  EXPECT_EQ(pool.alike(), 5);
  EXPECT_EQ(pool.strict.samples, 5);
  EXPECT_EQ(pool.not_finite.samples, 1);
  EXPECT_EQ(pool.closest.sample, "FP16 seed 1, test sample 1");
}

}  // namespace
}  // namespace repro16
