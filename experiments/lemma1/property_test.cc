// Lemma 1 over random and adversarial vectors of stored probabilities: what
// analysis/error_tolerance.h says of them in floating point, held to integer
// arithmetic.
#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "analysis/error_tolerance.h"
#include "experiments/lemma1/lattice.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// Probabilities as multiples of 2^-24: an f32 holds each exactly, and integers
// do the arithmetic.
constexpr int64_t kOne = int64_t{1} << 24;
using Fixed = std::vector<int64_t>;

std::vector<double> ToDoubles(const Fixed& fixed) {
  std::vector<double> values;
  for (int64_t x : fixed) values.push_back(static_cast<double>(x) / kOne);
  return values;
}

struct Outcome {
  PairVerdict exact;
  ErrorTolerance measured;
};

// Compares both ways, and checks what holds of every pair.
Outcome Compare(const Fixed& p32, const Fixed& p16) {
  const Outcome outcome = {JudgePair({p32, kOne}, {p16, kOne}),
                           CompareSample(ToDoubles(p16), ToDoubles(p32))};
  const auto& [exact, measured] = outcome;
  EXPECT_EQ(measured.premise, exact.premise);
  EXPECT_EQ(measured.class_32, exact.class_32);
  EXPECT_EQ(measured.class_16, exact.class_16);
  EXPECT_FALSE(measured.RefutesLemma());
  if (exact.premise == LemmaPremise::kBoundary) {
    EXPECT_TRUE(exact.class_32_is_a_maximum);
  }
  return outcome;
}

class Random {
 public:
  int64_t Below(int64_t n) { return static_cast<int64_t>(bits_() % n); }

  // `classes` entries that sum to one; the more `peaked`, the more of it goes
  // to a few of them.
  Fixed Probabilities(int classes, int peaked) {
    Fixed p(classes);
    int64_t rest = kOne;
    for (int i = 0; i + 1 < classes; ++i) {
      for (int j = 0; j <= peaked; ++j) p[i] = Below(std::max(p[i], rest) + 1);
      p[i] = std::min(p[i], rest);
      rest -= p[i];
    }
    p.back() = rest;
    std::shuffle(p.begin(), p.end(), bits_);
    return p;
  }

 private:
  std::mt19937_64 bits_{1};  // the standard fixes its numbers
};

TEST(Lemma1PropertyTest, HoldsForUnrelatedVectors) {
  Random random;
  int64_t strict = 0, unmet = 0;
  for (int i = 0; i < 20000; ++i) {
    const int classes = 2 + static_cast<int>(random.Below(11));
    const Outcome outcome = Compare(random.Probabilities(classes, i % 3),
                                    random.Probabilities(classes, i % 3));
    strict += outcome.exact.premise == LemmaPremise::kStrict;
    unmet += outcome.exact.premise == LemmaPremise::kUnmet;
  }
  EXPECT_GT(strict, 100);
  EXPECT_GT(unmet, 100);
}

// What the second network has to do to name another class: move half of gamma
// from the first's largest entry to its second largest. `slack` is by how much
// more (or less, if negative) it does.
struct Adversary {
  Fixed p32;
  Fixed p16;
};

Adversary Attack(Random& random, int classes, int64_t slack) {
  while (true) {
    Adversary a;
    a.p32 = random.Probabilities(classes, 1);
    std::vector<int> order(classes);
    for (int i = 0; i < classes; ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](int i, int j) { return a.p32[i] > a.p32[j]; });
    const int64_t gamma = a.p32[order[0]] - a.p32[order[1]];
    const int64_t half = gamma / 2;
    if (gamma % 2 != 0 || half + slack < 0) continue;
    a.p16 = a.p32;
    a.p16[order[0]] -= half + slack;
    a.p16[order[1]] += half + slack;
    if (*std::min_element(a.p16.begin(), a.p16.end()) >= 0) return a;
  }
}

TEST(Lemma1PropertyTest, AtTheBoundaryOnlyATieParts) {
  Random random;
  int64_t differ = 0, alike = 0;
  for (int i = 0; i < 5000; ++i) {
    const int classes = 2 + static_cast<int>(random.Below(9));
    const Adversary a = Attack(random, classes, 0);
    const Outcome outcome = Compare(a.p32, a.p16);
    EXPECT_EQ(outcome.exact.premise, LemmaPremise::kBoundary);
    (outcome.measured.Alike() ? alike : differ) += 1;
  }
  EXPECT_GT(differ, 100);
  EXPECT_GT(alike, 100);
}

TEST(Lemma1PropertyTest, OneUnitLessThanTheBoundaryIsSafe) {
  Random random;
  for (int i = 0; i < 5000; ++i) {
    const int classes = 2 + static_cast<int>(random.Below(9));
    const Adversary a = Attack(random, classes, -1);
    const Outcome outcome = Compare(a.p32, a.p16);
    EXPECT_EQ(outcome.exact.premise, LemmaPremise::kStrict);
    EXPECT_TRUE(outcome.measured.Alike());
  }
}

TEST(Lemma1PropertyTest, OneUnitBeyondTheBoundaryAlwaysParts) {
  Random random;
  for (int i = 0; i < 5000; ++i) {
    const int classes = 2 + static_cast<int>(random.Below(9));
    const Adversary a = Attack(random, classes, 1);
    const Outcome outcome = Compare(a.p32, a.p16);
    EXPECT_EQ(outcome.exact.premise, LemmaPremise::kUnmet);
    EXPECT_FALSE(outcome.measured.Alike());
  }
}

}  // namespace
}  // namespace repro16
