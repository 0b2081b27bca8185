#include "experiments/table3/sweep.h"

#include <algorithm>
#include <cmath>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "engine/numerics/policy.h"
#include "experiments/common/cifar10.h"
#include "reports/format.h"

namespace repro16 {
namespace {

// What tells the sweeps apart, and the point within one.
struct Rule {
  std::string_view name;
  double rate;
  double epsilon;
};

Rule RuleOf(const OptimizerSpec& optimizer) {
  switch (optimizer.rule_case()) {
    case OptimizerSpec::kAdam:
      return {"Adam", optimizer.adam().learning_rate(),
              optimizer.adam().epsilon()};
    case OptimizerSpec::kRmsprop:
      return {"RMSProp", optimizer.rmsprop().learning_rate(),
              optimizer.rmsprop().epsilon()};
    default:
      return {"SGD", optimizer.sgd().learning_rate(), 0};
  }
}

}  // namespace

std::string Sweep::Name() const {
  return absl::StrCat(NetworkName(model), ", ", rule, " ", PowerText(rate));
}

const RunSet* Sweep::At(double epsilon) const {
  for (const SweepPoint& point : points) {
    if (point.epsilon == epsilon) return point.runs;
  }
  return nullptr;
}

std::vector<std::string> Sweep::Policies() const {
  std::vector<std::string> policies;
  for (const PrecisionPolicy& policy : AllPolicies()) {
    if (absl::c_any_of(points, [&](const SweepPoint& point) {
          return !point.runs->OfPolicy(policy.name).empty();
        })) {
      policies.emplace_back(policy.name);
    }
  }
  return policies;
}

std::vector<Sweep> SweepsOf(absl::Span<const RunSet> sets) {
  std::vector<Sweep> sweeps;
  for (const RunSet& set : sets) {
    const Rule rule = RuleOf(set.spec().optimizer());
    auto sweep = absl::c_find_if(sweeps, [&](const Sweep& other) {
      return other.model == set.spec().model() && other.rule == rule.name &&
             other.rate == rule.rate;
    });
    if (sweep == sweeps.end()) {
      sweeps.push_back(
          {set.spec().model(), std::string(rule.name), rule.rate, {}});
      sweep = std::prev(sweeps.end());
    }
    sweep->points.push_back({rule.epsilon, &set});
  }
  for (Sweep& sweep : sweeps) {
    absl::c_sort(sweep.points, [](const SweepPoint& a, const SweepPoint& b) {
      return a.epsilon > b.epsilon;
    });
  }
  return sweeps;
}

const Sweep* FindSweep(absl::Span<const Sweep> sweeps, std::string_view model,
                       std::string_view rule, double rate) {
  for (const Sweep& sweep : sweeps) {
    if (sweep.model == model && sweep.rule == rule && sweep.rate == rate) {
      return &sweep;
    }
  }
  return nullptr;
}

ValueOfSeed AccuracyOfSeed(const RunSet& runs, std::string_view policy) {
  ValueOfSeed accuracies;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    accuracies[run->seed()] = FinalTestAccuracy(run->result);
  }
  return accuracies;
}

ValueOfSeed BestOfSeed(const Sweep& sweep, std::string_view policy) {
  ValueOfSeed best;
  for (const SweepPoint& point : sweep.points) {
    for (const auto& [seed, accuracy] : AccuracyOfSeed(*point.runs, policy)) {
      best[seed] = std::max(best[seed], accuracy);
    }
  }
  return best;
}

ValueOfSeed PercentOf(const ValueOfSeed& values, const ValueOfSeed& of) {
  ValueOfSeed percent;
  for (const auto& [seed, value] : values) {
    const auto whole = of.find(seed);
    if (whole == of.end()) continue;
    percent[seed] = whole->second == 0 ? 0 : 100 * value / whole->second;
  }
  return percent;
}

ValueOfSeed LowerOfSeed(const ValueOfSeed& a, const ValueOfSeed& b) {
  ValueOfSeed lower = a;
  for (const auto& [seed, value] : b) {
    const auto [found, is_new] = lower.emplace(seed, value);
    if (!is_new) found->second = std::min(found->second, value);
  }
  return lower;
}

std::vector<double> ValuesOf(const ValueOfSeed& of_seed) {
  std::vector<double> values;
  for (const auto& [seed, value] : of_seed) values.push_back(value);
  return values;
}

std::string PowerText(double value) {
  const int exponent = static_cast<int>(std::lround(std::log10(value)));
  const bool is_power =
      std::fabs(value / std::pow(10, exponent) - 1) < 1e-9 && exponent != 0;
  return is_power ? absl::StrCat("1e", exponent) : FormatShortest(value);
}

}  // namespace repro16
