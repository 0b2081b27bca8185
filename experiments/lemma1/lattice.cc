#include "experiments/lemma1/lattice.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace repro16 {
namespace {

int ArgMax(const std::vector<int64_t>& values) {
  return std::max_element(values.begin(), values.end()) - values.begin();
}

// Appends every way to write `rest` as the sum of the entries from `index` on.
void Complete(std::vector<int64_t>& numerators, size_t index, int64_t rest,
              int64_t denominator, std::vector<RationalVector>& out) {
  if (index + 1 == numerators.size()) {
    numerators[index] = rest;
    int64_t divisor = denominator;
    for (int64_t n : numerators) divisor = std::gcd(divisor, n);
    if (divisor == 1) out.push_back({numerators, denominator});
    return;
  }
  for (int64_t n = 0; n <= rest; ++n) {
    numerators[index] = n;
    Complete(numerators, index + 1, rest - n, denominator, out);
  }
}

std::string Fraction(int64_t numerator, int64_t denominator) {
  const int64_t divisor = std::gcd(numerator, denominator);
  if (divisor == denominator) return absl::StrCat(numerator / denominator);
  return absl::StrCat(numerator / divisor, "/", denominator / divisor);
}

}  // namespace

std::string ToString(const RationalVector& vector) {
  return absl::StrCat(
      "(",
      absl::StrJoin(vector.numerators, ", ",
                    [&](std::string* out, int64_t numerator) {
                      absl::StrAppend(out,
                                      Fraction(numerator, vector.denominator));
                    }),
      ")");
}

PairVerdict JudgePair(const RationalVector& p32, const RationalVector& p16) {
  PairVerdict verdict;
  verdict.class_32 = ArgMax(p32.numerators);
  verdict.class_16 = ArgMax(p16.numerators);
  const int64_t top = p32.numerators[verdict.class_32];
  verdict.class_32_is_a_maximum =
      p16.numerators[verdict.class_32] == p16.numerators[verdict.class_16];

  // Everything times both denominators is an integer.
  int64_t second = -1;
  int64_t delta = 0;
  for (size_t i = 0; i < p32.numerators.size(); ++i) {
    if (static_cast<int>(i) != verdict.class_32) {
      second = std::max(second, p32.numerators[i]);
    }
    delta = std::max(delta, std::abs(p16.numerators[i] * p32.denominator -
                                     p32.numerators[i] * p16.denominator));
  }
  const int64_t gamma = (top - second) * p16.denominator;
  verdict.premise = gamma > 2 * delta    ? LemmaPremise::kStrict
                    : gamma == 2 * delta ? LemmaPremise::kBoundary
                                         : LemmaPremise::kUnmet;
  return verdict;
}

std::vector<RationalVector> Lattice(int classes, int max_denominator) {
  std::vector<RationalVector> vectors;
  std::vector<int64_t> numerators(classes);
  for (int d = 1; d <= max_denominator; ++d) {
    Complete(numerators, 0, d, d, vectors);
  }
  return vectors;
}

LatticeCounts CountPairs(int classes, int max_denominator) {
  const std::vector<RationalVector> vectors = Lattice(classes, max_denominator);
  LatticeCounts counts;
  counts.classes = classes;
  counts.max_denominator = max_denominator;
  counts.vectors = vectors.size();
  counts.pairs = counts.vectors * counts.vectors;
  for (const RationalVector& p32 : vectors) {
    for (const RationalVector& p16 : vectors) {
      const PairVerdict verdict = JudgePair(p32, p16);
      const bool differ = verdict.class_32 != verdict.class_16;
      switch (verdict.premise) {
        case LemmaPremise::kStrict:
          ++counts.strict;
          counts.strict_differ += differ;
          break;
        case LemmaPremise::kBoundary:
          ++counts.boundary;
          counts.boundary_differ += differ;
          counts.boundary_no_tie += !verdict.class_32_is_a_maximum;
          break;
        case LemmaPremise::kUnmet:
          ++counts.unmet;
          counts.unmet_differ += differ;
          break;
        case LemmaPremise::kNotFinite:
          break;
      }
    }
  }
  return counts;
}

std::optional<Counterexample> SmallestCounterexample(int classes,
                                                     int max_denominator) {
  for (int d = 1; d <= max_denominator; ++d) {
    const std::vector<RationalVector> vectors = Lattice(classes, d);
    for (const RationalVector& p32 : vectors) {
      for (const RationalVector& p16 : vectors) {
        const PairVerdict verdict = JudgePair(p32, p16);
        if (verdict.premise == LemmaPremise::kBoundary &&
            verdict.class_32 != verdict.class_16) {
          return Counterexample{p32, p16, verdict};
        }
      }
    }
  }
  return std::nullopt;
}

}  // namespace repro16
