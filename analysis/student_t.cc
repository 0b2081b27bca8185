#include "analysis/student_t.h"

#include <cmath>
#include <limits>

namespace repro16 {
namespace {

// The continued fraction of the incomplete beta function (NIST Digital Library
// of Mathematical Functions, 8.17.22), by Lentz's method as Thompson and
// Barnett modified it (1986). Converges fast for x < (a + 1) / (a + b + 2).
double BetaFraction(double a, double b, double x) {
  constexpr double kTiny = std::numeric_limits<double>::min();
  constexpr int kMaxTerms = 10000;
  const auto away_from_zero = [](double value) {
    return std::abs(value) < kTiny ? kTiny : value;
  };
  double c = 1;
  double d = 1 / away_from_zero(1 - (a + b) * x / (a + 1));
  double fraction = d;
  for (int m = 1; m < kMaxTerms; ++m) {
    const double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away_from_zero(1 + even * d);
    c = away_from_zero(1 + even / c);
    fraction *= c * d;
    const double odd =
        -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away_from_zero(1 + odd * d);
    c = away_from_zero(1 + odd / c);
    fraction *= c * d;
    if (std::abs(c * d - 1) < 1e-15) break;
  }
  return fraction;
}

// The regularised incomplete beta function I_x(a, b), where y = 1 - x is given
// as well so that neither loses digits (DLMF 8.17.4 and 8.17.8).
double IncompleteBeta(double a, double b, double x, double y) {
  if (x > (a + 1) / (a + b + 2)) return 1 - IncompleteBeta(b, a, y, x);
  if (x <= 0) return 0;
  const double log_front = std::lgamma(a + b) - std::lgamma(a) -
                           std::lgamma(b) + a * std::log(x) + b * std::log(y);
  return std::exp(log_front) / a * BetaFraction(a, b, x);
}

}  // namespace

// P(|T| > t) = I_x(df / 2, 1 / 2) with x = df / (df + t^2) (Abramowitz and
// Stegun, 26.7.1 and 26.5.27).
double StudentTCdf(double t, double df) {
  if (std::isinf(t)) return t > 0 ? 1 : 0;
  const double sum = df + t * t;
  const double tail = IncompleteBeta(df / 2, 0.5, df / sum, t * t / sum) / 2;
  return t > 0 ? 1 - tail : tail;
}

double StudentTQuantile(double p, double df) {
  if (p > 0.5) return -StudentTQuantile(1 - p, df);
  if (p == 0.5) return 0;
  // The CDF grows, so halving an interval finds the place.
  double low = -1;
  while (StudentTCdf(low, df) > p) low *= 2;
  double high = 0;
  while (true) {
    const double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return middle;
    (StudentTCdf(middle, df) < p ? low : high) = middle;
  }
}

}  // namespace repro16
