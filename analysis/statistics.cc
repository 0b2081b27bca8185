#include "analysis/statistics.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <limits>
#include <numeric>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "analysis/student_t.h"

namespace repro16 {
namespace {

constexpr int64_t kFewestSeeds = 5;
constexpr double kPower = 0.8;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double SumOfSquaredDeviations(absl::Span<const double> values, double mean) {
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum;
}

double Mean(absl::Span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) /
         static_cast<double>(values.size());
}

// The larger p-value of the tests of difference <= least and >= most.
double TostPValue(double difference, double error, double df, Range range) {
  if (error == 0) {
    return range.least < difference && difference < range.most ? 0 : 1;
  }
  return std::max(StudentTCdf((range.least - difference) / error, df),
                  StudentTCdf((difference - range.most) / error, df));
}

// The smaller p-value of the tests of difference >= least and <= most; twice
// that where the range has two ends, of which the data choose one.
double BeyondPValue(double difference, double error, double df, Range range) {
  if (error == 0) {
    return difference < range.least || difference > range.most ? 0 : 1;
  }
  const double nearer =
      std::min(StudentTCdf((difference - range.least) / error, df),
               StudentTCdf((range.most - difference) / error, df));
  const bool two_ends = std::isfinite(range.least) && std::isfinite(range.most);
  return std::min(1.0, two_ends ? 2 * nearer : nearer);
}

// From the difference and its standard error; `enough` runs for a verdict.
Equivalence Judge(double difference, double error, double df, Range range,
                  bool enough, double level) {
  Equivalence e;
  e.difference = difference;
  e.degrees_of_freedom = df;
  e.low = -kInfinity;
  e.high = kInfinity;
  e.smallest_detectable = kInfinity;
  if (df > 0) {
    const double t = StudentTQuantile(1 - level, df);
    e.low = difference - t * error;
    e.high = difference + t * error;
    e.smallest_detectable = (t + StudentTQuantile(kPower, df)) * error;
    e.p_value = TostPValue(difference, error, df, range);
    e.p_beyond = BeyondPValue(difference, error, df, range);
  }
  e.verdict = !enough              ? Verdict::kUnderpowered
              : e.p_value < level  ? Verdict::kMatch
              : e.p_beyond < level ? Verdict::kDiffer
                                   : Verdict::kInconclusive;
  return e;
}

// Of a mean over networks: see PooledEquivalence.
struct Error {
  double error = 0;
  double degrees_of_freedom = 0;
};

Error PooledError(absl::Span<const double> variances,
                  absl::Span<const int64_t> seeds) {
  double sum = 0, weighted = 0, df = 0;
  // Of networks of two seeds. That they share the mean of their variances
  // leaves the sum as it is.
  double sum_of_pairs = 0, pairs = 0;
  for (size_t k = 0; k < seeds.size(); ++k) {
    const double v = variances[k] / static_cast<double>(seeds[k]);
    sum += v;
    if (seeds[k] < 2) continue;
    df += static_cast<double>(seeds[k] - 1);
    if (seeds[k] == 2) {
      sum_of_pairs += v;
      ++pairs;
    } else {
      weighted += v * v / static_cast<double>(seeds[k] - 1);
    }
  }
  if (pairs > 0) weighted += sum_of_pairs * sum_of_pairs / pairs;
  // Without any spread, the degrees of freedom of a common variance.
  if (weighted > 0) df = std::min(df, sum * sum / weighted);
  return {std::sqrt(sum) / static_cast<double>(seeds.size()), df};
}

// s_k^2; for a network of one seed the mean of the others.
std::vector<double> VariancesOf(
    absl::Span<const std::vector<double>> networks) {
  std::vector<double> variances, known;
  for (const std::vector<double>& network : networks) {
    const double sd = SampleOf(network).sd;
    variances.push_back(sd * sd);
    if (network.size() > 1) known.push_back(sd * sd);
  }
  for (size_t k = 0; k < networks.size(); ++k) {
    if (networks[k].size() == 1 && !known.empty()) variances[k] = Mean(known);
  }
  return variances;
}

// The square root of the quantile of F with (df, df) degrees of freedom, from
// Student's (Cacoullos 1965): sqrt(F) - 1 / sqrt(F) = 2 t / sqrt(df).
double RootOfFQuantile(double p, double df) {
  const double t = StudentTQuantile(p, df);
  return t / std::sqrt(df) + std::sqrt(1 + t * t / df);
}

}  // namespace

Sample SampleOf(absl::Span<const double> values) {
  Sample sample;
  sample.n = static_cast<int64_t>(values.size());
  if (sample.n == 0) return sample;
  sample.mean = Mean(values);
  if (sample.n > 1) {
    sample.sd = std::sqrt(SumOfSquaredDeviations(values, sample.mean) /
                          static_cast<double>(sample.n - 1));
  }
  return sample;
}

Equivalence PooledEquivalence(absl::Span<const std::vector<double>> differences,
                              Range range, double level) {
  double sum_of_means = 0;
  int64_t beyond_first = 0;  // seeds but for the first of each network
  std::vector<int64_t> seeds;
  for (const std::vector<double>& network : differences) {
    sum_of_means += Mean(network);
    seeds.push_back(static_cast<int64_t>(network.size()));
    beyond_first += seeds.back() - 1;
  }
  const Error error = PooledError(VariancesOf(differences), seeds);
  return Judge(sum_of_means / static_cast<double>(differences.size()),
               error.error, error.degrees_of_freedom, range,
               beyond_first >= kFewestSeeds - 1, level);
}

Plan PlanPooled(absl::Span<const double> spreads,
                absl::Span<const int64_t> seeds, double margin, double level,
                double difference) {
  std::vector<double> variances;
  for (const double spread : spreads) variances.push_back(spread * spread);
  const Error error = PooledError(variances, seeds);
  Plan plan{error.error, error.degrees_of_freedom, 0};
  if (plan.degrees_of_freedom > 0 && plan.error > 0) {
    const double df = plan.degrees_of_freedom;
    const double t = StudentTQuantile(1 - level, df);
    plan.power = std::max(
        0.0, StudentTCdf((margin - difference) / plan.error - t, df) +
                 StudentTCdf((margin + difference) / plan.error - t, df) - 1);
  }
  return plan;
}

Equivalence WelchEquivalence(const Sample& a, const Sample& b, Range range) {
  const auto variance_of_mean = [](const Sample& s) {
    return s.sd * s.sd / static_cast<double>(s.n);
  };
  const double va = variance_of_mean(a);
  const double vb = variance_of_mean(b);
  const int64_t fewest = std::min(a.n, b.n);
  double df = 0;
  if (fewest >= 2) {
    // Welch and Satterthwaite; without any spread, those of a pooled test.
    df = va + vb > 0 ? (va + vb) * (va + vb) /
                           (va * va / static_cast<double>(a.n - 1) +
                            vb * vb / static_cast<double>(b.n - 1))
                     : static_cast<double>(a.n + b.n - 2);
  }
  return Judge(a.mean - b.mean, std::sqrt(va + vb), df, range,
               fewest >= kFewestSeeds, kLevel);
}

std::vector<double> HolmAdjusted(absl::Span<const double> p_values) {
  std::vector<size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t i, size_t j) {
    return p_values[i] < p_values[j];
  });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (size_t rank = 0; rank < order.size(); ++rank) {
    const auto tests_left = static_cast<double>(order.size() - rank);
    largest = std::max(largest, tests_left * p_values[order[rank]]);
    adjusted[order[rank]] = std::min(largest, 1.0);
  }
  return adjusted;
}

double BinomialAtLeast(int64_t k, int64_t n, double p) {
  double term = std::pow(1 - p, static_cast<double>(n));  // P(X = i)
  double sum = 0;
  for (int64_t i = 0; i <= n; ++i) {
    if (i >= k) sum += term;
    term *=
        p / (1 - p) * static_cast<double>(n - i) / static_cast<double>(i + 1);
  }
  return sum;
}

SignVerdict SignTest(int64_t k, int64_t n) {
  if (BinomialAtLeast(k, n, 0.5) <= kLevel) return SignVerdict::kMost;
  if (BinomialAtLeast(n - k, n, 0.5) <= kLevel) return SignVerdict::kFewest;
  return SignVerdict::kUndecided;
}

double SmallestDetectableRatio(int64_t n) {
  if (n < 2) return kInfinity;
  const auto df = static_cast<double>(n - 1);
  return RootOfFQuantile(1 - kLevel, df) * RootOfFQuantile(kPower, df);
}

double Quantile(absl::Span<const double> sorted, double share) {
  const double position = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(position);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  const double rest = position - static_cast<double>(below);
  return sorted[below] + rest * (sorted[above] - sorted[below]);
}

BoxPlot BoxPlotOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  BoxPlot box;
  box.lower_quartile = Quantile(values, 0.25);
  box.median = Quantile(values, 0.5);
  box.upper_quartile = Quantile(values, 0.75);
  const double reach = 1.5 * (box.upper_quartile - box.lower_quartile);
  const double low = box.lower_quartile - reach;
  const double high = box.upper_quartile + reach;
  const auto first = std::lower_bound(values.begin(), values.end(), low);
  const auto last = std::upper_bound(values.begin(), values.end(), high);
  box.lower_whisker = *first;
  box.upper_whisker = *std::prev(last);
  box.outliers.assign(values.begin(), first);
  box.outliers.insert(box.outliers.end(), last, values.end());
  return box;
}

absl::Status CheckDistinctSeeds(std::vector<uint64_t> seeds) {
  std::sort(seeds.begin(), seeds.end());
  const auto twice = std::adjacent_find(seeds.begin(), seeds.end());
  if (twice == seeds.end()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat(
      "seed ", *twice, " is there twice; give each run a seed of its own"));
}

}  // namespace repro16
