#include "analysis/error_tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "absl/types/span.h"

namespace repro16 {
namespace {

// -1, 0 or 1: the sign of the exact sum of four numbers, each 0 or of magnitude
// from 2^-1074 to 2^1021.
//
// Grow-expansion of Shewchuk, "Adaptive precision floating-point arithmetic",
// 1997, theorem 10: the components are nonoverlapping and in increasing order,
// so the last that is not 0 has the sign of the sum. TwoSum (Knuth) gives a
// rounded sum and its exact error; in f64 that takes round to nearest and no
// overflow, and holds for subnormals as well.
int SignOfSum(const double (&terms)[4]) {
  double expansion[4] = {};
  for (int n = 0; n < 4; ++n) {
    double carry = terms[n];
    for (int i = 0; i < n; ++i) {
      const double sum = carry + expansion[i];
      const double part = sum - carry;
      expansion[i] = (carry - (sum - part)) + (expansion[i] - part);
      carry = sum;
    }
    expansion[n] = carry;
  }
  for (int i = 3; i >= 0; --i) {
    if (expansion[i] != 0) return expansion[i] > 0 ? 1 : -1;
  }
  return 0;
}

int ClassOf(absl::Span<const double> p) {
  if (std::any_of(p.begin(), p.end(), [](double x) { return std::isnan(x); })) {
    return -1;
  }
  return static_cast<int>(std::max_element(p.begin(), p.end()) - p.begin());
}

bool AllFinite(absl::Span<const double> p) {
  return std::all_of(p.begin(), p.end(),
                     [](double x) { return std::isfinite(x); });
}

double SecondLargest(absl::Span<const double> p, int largest) {
  double second = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < p.size(); ++i) {
    if (static_cast<int>(i) != largest) second = std::max(second, p[i]);
  }
  return second;
}

}  // namespace

ErrorTolerance CompareSample(absl::Span<const double> p16,
                             absl::Span<const double> p32) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  ErrorTolerance sample = {kNan, kNan, ClassOf(p16), ClassOf(p32),
                           LemmaPremise::kNotFinite};
  if (!AllFinite(p16) || !AllFinite(p32)) return sample;

  const double first = p32[sample.class_32];
  const double second = SecondLargest(p32, sample.class_32);
  sample.tolerance = first - second;
  sample.error = 0;
  int sign = 1;  // of gamma - 2 delta
  for (size_t i = 0; i < p32.size(); ++i) {
    const auto [low, high] = std::minmax(p16[i], p32[i]);
    sample.error = std::max(sample.error, high - low);
    sign = std::min(sign, SignOfSum({first, -second, -2 * high, 2 * low}));
  }
  sample.premise = sign > 0    ? LemmaPremise::kStrict
                   : sign == 0 ? LemmaPremise::kBoundary
                               : LemmaPremise::kUnmet;
  return sample;
}

}  // namespace repro16
