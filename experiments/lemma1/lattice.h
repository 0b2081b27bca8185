// Lemma 1 in exact arithmetic: every pair of probability vectors with small
// denominators.
//
// Lemma 1 (section 3.2 of the paper) speaks of the probability vectors p32 and
// p16 that two classifiers give to one sample:
//
//   delta = max_i |p16_i - p32_i|                 floating-point error, Eq. 1
//   gamma = largest - second largest of p32       classification tolerance,
//                                                 Eq. 2
//   gamma >= 2 delta  implies  class(p16) = class(p32)            Eq. 3
//
// where class is the argmax. At gamma = 2 delta, p16 may have a tie between two
// classes, and an argmax has to break it: here, as in most libraries, in favour
// of the lowest index. Enumeration shows what this costs the lemma.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_LATTICE_H_
#define REPRO16_EXPERIMENTS_LEMMA1_LATTICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analysis/error_tolerance.h"

namespace repro16 {

// A probability vector with rational entries, numerators[i] / denominator.
struct RationalVector {
  std::vector<int64_t> numerators;  // >= 0, their sum is the denominator
  int64_t denominator = 1;

  friend bool operator==(const RationalVector& a, const RationalVector& b) {
    return a.denominator == b.denominator && a.numerators == b.numerators;
  }
};

// E.g. "(1/3, 2/3, 0)".
std::string ToString(const RationalVector& vector);

struct PairVerdict {
  LemmaPremise premise;  // never kNotFinite
  // argmax, lowest index, of p32 and of p16.
  int class_32;
  int class_16;
  // p16 gives class_32 no less than any other class: the two vectors part, if
  // they do, only in how a tie is broken.
  bool class_32_is_a_maximum;
};

// Both vectors have the same number of classes, at least 2, and products of
// their denominators and numerators fit in 62 bits.
PairVerdict JudgePair(const RationalVector& p32, const RationalVector& p16);

// All distinct probability vectors with `classes` entries whose entries have a
// common denominator of at most `max_denominator`, each in lowest terms, in
// order of denominator, then of the entries from the first on.
std::vector<RationalVector> Lattice(int classes, int max_denominator);

// What Lemma 1 says of all ordered pairs of a lattice.
struct LatticeCounts {
  int classes = 0;
  int max_denominator = 0;
  int64_t vectors = 0;
  int64_t pairs = 0;
  int64_t strict = 0;           // gamma > 2 delta
  int64_t strict_differ = 0;    // ... and different classes: refutes the lemma
  int64_t boundary = 0;         // gamma = 2 delta
  int64_t boundary_differ = 0;  // ... and different classes, by a tie
  int64_t boundary_no_tie = 0;  // ... and p16 prefers another class strictly
  int64_t unmet = 0;            // gamma < 2 delta
  int64_t unmet_differ = 0;     // ... and different classes, as is allowed
};

LatticeCounts CountPairs(int classes, int max_denominator);

// A pair at gamma = 2 delta whose classes differ.
struct Counterexample {
  RationalVector p32;
  RationalVector p16;
  PairVerdict verdict;
};

// The smallest of `classes` classes: least larger denominator of the two
// vectors, then first in the lattice's order of (p32, p16). None if there is
// none up to `max_denominator`.
std::optional<Counterexample> SmallestCounterexample(int classes,
                                                     int max_denominator);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_LATTICE_H_
