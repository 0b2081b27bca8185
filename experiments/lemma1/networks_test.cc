#include "experiments/lemma1/networks.h"

#include <limits>

#include "experiments/common/run_files.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

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
  const absl::StatusOr<std::vector<NetworkPair>> pairs = CompareNetworks(*runs);
  ASSERT_TRUE(pairs.ok()) << pairs.status();
  ASSERT_EQ(pairs->size(), 2u);

  const NetworkPair& fp16 = (*pairs)[0];
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

  const NetworkPair pool = Pool("both", *pairs);
  EXPECT_EQ(pool.name, "both");
  EXPECT_EQ(pool.samples(), 8);
  EXPECT_EQ(pool.alike(), 5);
  EXPECT_EQ(pool.strict.samples, 5);
  EXPECT_EQ(pool.not_finite.samples, 1);
  EXPECT_EQ(pool.closest.sample, "FP16 seed 1, test sample 1");
}

}  // namespace
}  // namespace repro16
