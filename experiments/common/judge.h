// Verdicts on what the paper says in words or in one figure, by rules that
// stand in golden.textproto before the runs are made.
//
// A statement is about one trained network (or one pair of them), so it is
// judged seed by seed: "match" when it holds for every seed, "differ" when it
// holds for none, else "inconclusive". Three seeds may be enough for that: an
// order of magnitude is a range a whole decade wide, and moments over a test
// set spread over seeds by a small part of it; a verdict needs every seed, and
// no mean over seeds is estimated. A difference of means over seeds is judged
// by an equivalence test instead (analysis/statistics.h), which needs five.
#ifndef REPRO16_EXPERIMENTS_COMMON_JUDGE_H_
#define REPRO16_EXPERIMENTS_COMMON_JUDGE_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/runs.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

enum class Side {
  kWithin,   // |ours - paper's| <= margin
  kAtMost,   // ours <= paper's + margin
  kAtLeast,  // ours >= paper's - margin
};

// How a statement's numbers are compared and shown.
enum class Measure {
  kNumber,
  // The paper's value and margin, of unit "decades", are in decimal orders of
  // magnitude; ours are plain numbers, compared by their logarithm.
  kMagnitude,
  // The same, where the paper prints the power of ten alone ("1E-3"), which can
  // be read in two ways: within the margin, or the same exponent when printed
  // ("x.xxE-03"). "match" and "differ" need both readings to say so.
  kPrintedPower,
};

// The expectation of golden value `id`, titled `what`, with a verdict on
// `per_seed`, one number a seed. Needs the value and margin in the golden file.
absl::StatusOr<report::Expectation> JudgeEachSeed(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const double> per_seed, Measure measure,
    Side side = Side::kWithin);

// The expectation of golden value `id`, a statement about networks in general,
// titled `what`, with a verdict on `networks`: of each its numbers, one a seed.
// "match" when it holds for every seed of every network, "differ" when it holds
// for no seed of more than half of them, else "inconclusive". Networks without
// a number do not count; `judged` as RunSet::Judged. Needs the value and margin
// in the golden file.
absl::StatusOr<report::Expectation> JudgeEachNetwork(
    bool judged, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const std::vector<double>> networks,
    Side side);

// The expectation of golden value `id`, that there are cases as high as it,
// with a verdict on `largest`, the largest of `samples` values in all seeds:
// "match" when at least the value less its margin, else "inconclusive", as more
// seeds can only raise it. Needs the value and margin in the golden file.
absl::StatusOr<report::Expectation> JudgeExistence(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, double largest, int64_t samples, int64_t seeds);

// What the paper says of a difference of two means.
enum class Claim {
  kEqual,         // within the margin to either side
  kSlightlyMore,  // more than 0 and at most the margin
};

// The expectation of golden value `id` on the mean over seeds of a - b, where
// a[i] and b[i] are of one seed. "match" when the 90% interval of the paired
// difference lies inside the claim's range, "differ" when it lies outside, else
// "inconclusive"; under 5 seeds always "inconclusive", and the note tells what
// could have been seen. Needs the margin in the golden file, with value 0.
absl::StatusOr<report::Expectation> JudgePaired(
    const RunSet& runs, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const double> a,
    absl::Span<const double> b, Claim claim);

// The same pooled over networks (PooledEquivalence, analysis/statistics.h):
// differences[k] are those of network k, one a seed. Networks without a number
// do not count; `judged` as RunSet::Judged.
absl::StatusOr<report::Expectation> JudgePooled(
    bool judged, const Golden& golden, std::string_view id,
    std::string_view what, absl::Span<const std::vector<double>> differences,
    Claim claim);

// Verdicts on a family of equivalence tests, adjusted for their number (Holm):
// "match" when equivalence still holds at 5%, "differ" when a difference beyond
// the margin does, else "inconclusive". A test of under 5 seeds is
// "inconclusive" and not of the family; one that is absent is "not run".
// `judged` as RunSet::Judged.
std::vector<report::Verdict> JudgeFamily(
    bool judged, absl::Span<const std::optional<Equivalence>> tests);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_JUDGE_H_
