// The runs of table 3, put together: one network under one rule and rate, over
// its epsilons.
#ifndef REPRO16_EXPERIMENTS_TABLE3_SWEEP_H_
#define REPRO16_EXPERIMENTS_TABLE3_SWEEP_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "experiments/common/runs.h"

namespace repro16 {

struct SweepPoint {
  double epsilon;  // 0 where the rule has none
  const RunSet* runs;
};

struct Sweep {
  std::string model;
  std::string rule;  // "Adam", "RMSProp", "SGD"
  double rate;
  std::vector<SweepPoint> points;  // largest epsilon first; not empty

  // "ResNet-18, Adam 1e-3".
  std::string Name() const;
  // Null where no run has this epsilon.
  const RunSet* At(double epsilon) const;
  // Policies that have a run at any epsilon, in order.
  std::vector<std::string> Policies() const;
};

// The sweeps of these sets, in the order of their first; they refer to them.
std::vector<Sweep> SweepsOf(absl::Span<const RunSet> sets);

// Null where there is none.
const Sweep* FindSweep(absl::Span<const Sweep> sweeps, std::string_view model,
                       std::string_view rule, double rate);

using ValueOfSeed = std::map<uint64_t, double>;

// Test accuracy in percent after the last epoch.
ValueOfSeed AccuracyOfSeed(const RunSet& runs, std::string_view policy);

// The best accuracy of each seed at any epsilon.
ValueOfSeed BestOfSeed(const Sweep& sweep, std::string_view policy);

// 100 * values / of, for the seeds that both have; 0 where `of` is 0.
ValueOfSeed PercentOf(const ValueOfSeed& values, const ValueOfSeed& of);

// The lower of both, for the seeds of either.
ValueOfSeed LowerOfSeed(const ValueOfSeed& a, const ValueOfSeed& b);

std::vector<double> ValuesOf(const ValueOfSeed& of_seed);

// "1e-5"; what is no power of ten in its shortest form.
std::string PowerText(double value);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_SWEEP_H_
