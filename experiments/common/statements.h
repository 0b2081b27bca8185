// Verdicts on the statements of a golden file (Statement,
// reports/golden.proto), by rules that stand there before the runs are made.
//
// Each statement is judged for each of its models and readings, in the order of
// the file. `networks` below are the vectors of Measurement::networks.
//
//   EACH_SEED: about one trained network, or one pair of them. Match: it holds
//       for every seed; differ: for none. Unit "decades": ours are plain
//       numbers, compared by their decimal logarithm.
//   EVERY_NETWORK: about networks in general. Match: it holds for every seed of
//       every network; differ: for no seed of more than half of them.
//   POOLED: the mean over networks (PooledEquivalence, analysis/statistics.h)
//       lies in the range of side and margin: match and differ by their tests.
//       Where looks are planned (Statement::looks), only at these.
//   FAMILY: the same, or against published means (WelchEquivalence), network by
//       network. Match: all match, each by its own test; differ: one does,
//       adjusted for the number of tests (Holm), as each network's verdict is.
//   SIGN_TEST: holds in most networks, which have one number each: more than
//       half of them (match) or fewer (differ), by exact sign tests at 5%. NaN:
//       too few seeds to tell; without a margin, equal ones are left out.
//   EXISTENCE: there is a case like that: the largest number is at least
//       value - margin (match), else inconclusive: more cases only raise it.
//   NO_COUNTEREXAMPLE: so many counterexamples (the only number) among
//       Measurement::cases: none (match), or some (differ).
//   PRINTED: our number has the printed digits, rounded or cut off. A fact, in
//       no headline.
//   DERIVED: sums up statements of the file (VerdictOnAll, reports/format.h).
//   OWN: the experiment's verdict, by a rule that its note tells.
//
// Then, whatever the rule: without a number "not run"; in tests, on made-up
// data and where the networks were trained less than the statement needs, "not
// judged"; and a difference from a baseline that is not the paper's, though it
// was trained by the paper's whole protocol, is held against the paper only
// where the networks that reach the paper's accuracy differ as well: else
// "inconclusive".
#ifndef REPRO16_EXPERIMENTS_COMMON_STATEMENTS_H_
#define REPRO16_EXPERIMENTS_COMMON_STATEMENTS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "analysis/statistics.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// One statement for one model and one reading.
struct Asked {
  Statement statement;  // "{model}", "{network}" and "{fp16}" are filled in
  std::string model;    // "" where it names none
  std::string reading;  // "FP16" or "FP16_BN32"; "" where it names none
  // At this scale, of each network or one for all; none: not known.
  std::vector<double> spreads;
};

// What an experiment has measured of it.
struct Measurement {
  // Of each network one number a seed; one network where it is about one.
  // Empty ones do not count.
  std::vector<std::vector<double>> networks;
  std::vector<Sample> published;  // FAMILY: of each network; none: 0
  int64_t cases = 0;              // EXISTENCE, NO_COUNTEREXAMPLE
  std::string printed;            // PRINTED: the paper's digits
  report::Verdict verdict = report::VERDICT_NONE;  // OWN
  // What the least trained of these networks went through.
  Training training;
  // Where our FP32, trained as the paper trains, is not the paper's: how far
  // off it is; and the networks, of those above, whose FP32 is the paper's.
  std::string baseline;
  std::vector<size_t> reached;
  // Why it cannot be judged, though it was measured; "": it can.
  std::string lacking;
  bool fact = false;  // judged whatever the scale and the data are
  std::string text;   // shown instead of our numbers
  std::string note;   // told beside the rule
};

using Measure = std::function<absl::StatusOr<Measurement>(const Asked&)>;

struct Judgement {
  report::Expectation expectation;
  Measurement measured;
  std::vector<double> spreads;  // Asked::spreads
  std::string scale;            // of the runs
  // FAMILY: of each network; no test: not run.
  std::vector<std::optional<Equivalence>> tests;
  std::vector<report::Verdict> verdicts;
};

class Judgements {
 public:
  // Null where there is none.
  const Judgement* Find(std::string_view id) const;
  const std::vector<Judgement>& all() const { return all_; }
  // Adds their expectations, in order.
  void AddTo(report::Report* report) const;

 private:
  friend absl::StatusOr<Judgements> JudgeAll(const Golden&, std::string_view,
                                             bool, const Measure&);
  std::vector<Judgement> all_;
};

// Of all statements of the file. `judged`: the runs are not those of tests, and
// their data are real (RunSet::Judged). Errors: those of `measure`, or a
// DERIVED statement of an id that is none.
absl::StatusOr<Judgements> JudgeAll(const Golden& golden,
                                    std::string_view scale, bool judged,
                                    const Measure& measure);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_COMMON_STATEMENTS_H_
