#include "experiments/lemma1/lattice.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(JudgePairTest, TellsTheThreePremises) {
  const RationalVector p32{{7, 2, 1}, 10};  // gamma = 1/2
  EXPECT_EQ(JudgePair(p32, {{6, 3, 1}, 10}).premise, LemmaPremise::kStrict);
  EXPECT_EQ(JudgePair(p32, {{18, 18, 4}, 40}).premise, LemmaPremise::kBoundary);
  EXPECT_EQ(JudgePair(p32, {{4, 5, 1}, 10}).premise, LemmaPremise::kUnmet);
}

TEST(JudgePairTest, TiesGoToTheLowestIndex) {
  const PairVerdict verdict = JudgePair({{0, 2, 2}, 4}, {{2, 2, 0}, 4});
  EXPECT_EQ(verdict.class_32, 1);
  EXPECT_EQ(verdict.class_16, 0);
  EXPECT_TRUE(verdict.class_32_is_a_maximum);
}

TEST(JudgePairTest, AnEqualPairWithATieStandsAtTheBoundary) {
  const RationalVector tie{{1, 1}, 2};
  const PairVerdict verdict = JudgePair(tie, tie);
  EXPECT_EQ(verdict.premise, LemmaPremise::kBoundary);
  EXPECT_EQ(verdict.class_32, verdict.class_16);
}

// Counted a second way, by floating-point keys.
TEST(LatticeTest, HoldsEachVectorOnceAndInLowestTerms) {
  const std::vector<RationalVector> lattice = Lattice(3, 6);
  for (const RationalVector& vector : lattice) {
    int64_t sum = 0;
    for (int64_t n : vector.numerators) {
      EXPECT_GE(n, 0);
      sum += n;
    }
    EXPECT_EQ(sum, vector.denominator);
  }
  std::vector<std::pair<double, double>> keys;
  for (int d = 1; d <= 6; ++d) {
    for (int a = 0; a <= d; ++a) {
      for (int b = 0; a + b <= d; ++b) {
        keys.push_back({std::round(1e6 * a / d), std::round(1e6 * b / d)});
      }
    }
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  EXPECT_EQ(lattice.size(), keys.size());
}

// Lemma 1 with a strict premise, over every pair.
TEST(CountPairsTest, AStrictPremiseAdmitsNoDifference) {
  for (const LatticeCounts& counts :
       {CountPairs(2, 32), CountPairs(3, 16), CountPairs(4, 8)}) {
    EXPECT_GT(counts.strict, 0) << counts.classes;
    EXPECT_EQ(counts.strict_differ, 0) << counts.classes;
    EXPECT_EQ(counts.strict + counts.boundary + counts.unmet, counts.pairs);
    // The enumeration can tell a difference where one is allowed.
    EXPECT_GT(counts.unmet_differ, 0) << counts.classes;
  }
}

// At gamma = 2 delta classes can differ, but only through a tie.
TEST(CountPairsTest, TheBoundaryAdmitsTiesOnly) {
  for (const LatticeCounts& counts :
       {CountPairs(2, 32), CountPairs(3, 16), CountPairs(4, 8)}) {
    EXPECT_GT(counts.boundary_differ, 0) << counts.classes;
    EXPECT_EQ(counts.boundary_no_tie, 0) << counts.classes;
  }
}

TEST(SmallestCounterexampleTest, HasTwoClassesAndDenominatorTwo) {
  EXPECT_FALSE(SmallestCounterexample(2, 1).has_value());
  const std::optional<Counterexample> found = SmallestCounterexample(2, 16);
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->p32, (RationalVector{{0, 1}, 1}));
  EXPECT_EQ(found->p16, (RationalVector{{1, 1}, 2}));
  EXPECT_EQ(found->verdict.class_32, 1);
  EXPECT_EQ(found->verdict.class_16, 0);
}

TEST(ToStringTest, WritesEntriesInLowestTerms) {
  EXPECT_EQ(ToString({{0, 3, 6, 2}, 11}), "(0, 3/11, 6/11, 2/11)");
  EXPECT_EQ(ToString({{2, 2, 0}, 4}), "(1/2, 1/2, 0)");
  EXPECT_EQ(ToString({{4, 0}, 4}), "(1, 0)");
}

}  // namespace
}  // namespace repro16
