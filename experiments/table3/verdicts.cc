#include "experiments/table3/verdicts.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/statements.h"
#include "reports/format.h"

namespace repro16 {
namespace {

// Averaged over in the paper (section 4.2).
constexpr int64_t kPaperSeeds = 50;

std::string RateSuffix(double rate) {
  return rate == kRate ? "" : absl::StrCat("_rate_", PowerText(rate));
}

// What a statement is about: a part of the runs, and what it is measured by.
struct Part {
  std::string_view prefix;  // of the id
  std::string_view rule;
  std::string_view policy;
  std::vector<double> epsilons;  // none: the one that the id names
};

const std::vector<Part>& Parts() {
  static const auto* const kParts = new std::vector<Part>{
      {"collapse_", "Adam", "FP16", {}},
      {"no_collapse_", "Adam", "FP16", {1e-2, 1e-3, 1e-4}},
      {"fp32_default_", "Adam", "FP32", {1e-7}},
      {"rmsprop_collapse_", "RMSProp", "FP16", {1e-5, 1e-6, 1e-7}},
  };
  return *kParts;
}

// "collapse_resnet18_1e-5_rate_1e-2", taken apart.
struct Id {
  std::string model;
  double rate = kRate;
  double epsilon = 0;  // 0: it names none
};

Id Parse(std::string_view text) {
  Id id;
  if (absl::ConsumeSuffix(&text, RateSuffix(kOtherRate))) id.rate = kOtherRate;
  for (std::string_view word : absl::StrSplit(text, '_')) {
    if (absl::StartsWith(word, "resnet")) id.model = std::string(word);
    double number = 0;
    if (absl::SimpleAtod(word, &number)) id.epsilon = number;
  }
  return id;
}

// What the runs at the best epsilon went through, of FP32 where it has any: a
// precision in which nothing is learnt has not been trained less.
Training TrainingOfBest(const Sweep& sweep, std::string_view policy) {
  const bool has_fp32 =
      absl::c_any_of(sweep.points, [](const SweepPoint& point) {
        return !point.runs->OfPolicy("FP32").empty();
      });
  Training training;
  for (const SweepPoint& point : sweep.points) {
    std::vector<double> accuracies;
    for (const TrainedRun* run :
         point.runs->OfPolicy(has_fp32 ? "FP32" : policy)) {
      accuracies.push_back(100 *
                           run->result.epochs().rbegin()->train_accuracy());
      training.set_epochs(run->result.epochs_size());
    }
    training.set_train_accuracy(
        std::max(training.train_accuracy(), SampleOf(accuracies).mean));
    const auto seeds = static_cast<int>(point.runs->OfPolicy(policy).size());
    if (seeds > 0 && (training.seeds() == 0 || seeds < training.seeds())) {
      training.set_seeds(seeds);
    }
    const double width = point.runs->spec().model_options().width();
    training.set_full_width(width == 0 || width == 1);
  }
  return training;
}

// The lowest accuracy at `epsilons` in percent of the sweep's best.
Measurement MeasureShareOfBest(const Sweep& sweep, std::string_view policy,
                               absl::Span<const double> epsilons) {
  const ValueOfSeed best = BestOfSeed(sweep, policy);
  ValueOfSeed lowest;
  std::vector<std::string> missing;
  for (double epsilon : epsilons) {
    const RunSet* runs = sweep.At(epsilon);
    if (runs == nullptr) {
      missing.push_back(FormatShortest(epsilon));
      continue;
    }
    lowest =
        LowerOfSeed(lowest, PercentOf(AccuracyOfSeed(*runs, policy), best));
  }
  Measurement measured;
  measured.networks = {ValuesOf(lowest)};
  measured.training = TrainingOfBest(sweep, policy);
  if (!missing.empty()) {
    measured.lacking =
        absl::StrCat("epsilon ", absl::StrJoin(missing, ", "), " was not run");
  }
  return measured;
}

// FP16 in percent of FP32.
Measurement MeasureShareOfFp32(const Sweep& sweep) {
  const RunSet& runs = *sweep.points.front().runs;
  Measurement measured;
  measured.networks = {ValuesOf(
      PercentOf(AccuracyOfSeed(runs, "FP16"), AccuracyOfSeed(runs, "FP32")))};
  measured.training = TrainingOfBest(sweep, "FP32");
  return measured;
}

Measurement MeasureAccuracy(const Sweep& sweep, const Id& id,
                            double published) {
  Measurement measured;
  const RunSet* runs = sweep.At(id.epsilon);
  if (runs == nullptr) return measured;
  measured.networks = {FinalTestAccuracies(*runs, "FP16")};
  measured.published = {{published, 0, kPaperSeeds}};
  measured.training = TrainingOfBest(sweep, "FP16");
  return measured;
}

absl::StatusOr<Measurement> MeasureTable3(const Asked& asked,
                                          absl::Span<const Sweep> sweeps) {
  const std::string& text = asked.statement.id();
  const Id id = Parse(text);
  const auto sweep_of = [&](std::string_view rule, double rate) {
    return FindSweep(sweeps, id.model, rule, rate);
  };
  if (absl::StartsWith(text, "sgd_stable_")) {
    const Sweep* sweep = sweep_of("SGD", kSgdRate);
    return sweep == nullptr ? Measurement() : MeasureShareOfFp32(*sweep);
  }
  if (absl::StartsWith(text, "accuracy_")) {
    const Sweep* sweep = sweep_of("Adam", id.rate);
    return sweep == nullptr
               ? Measurement()
               : MeasureAccuracy(*sweep, id, asked.statement.value());
  }
  for (const Part& part : Parts()) {
    if (!absl::StartsWith(text, part.prefix)) continue;
    const Sweep* sweep = sweep_of(part.rule, id.rate);
    if (sweep == nullptr) return Measurement();
    return MeasureShareOfBest(*sweep, part.policy,
                              part.epsilons.empty()
                                  ? std::vector<double>{id.epsilon}
                                  : part.epsilons);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("golden values of table3: statement \"", text,
                   "\" is of no known kind; correct its id"));
}

}  // namespace

std::string CollapseId(std::string_view model, double rate, double epsilon) {
  return absl::StrCat("collapse_", model, "_", PowerText(epsilon),
                      RateSuffix(rate));
}

std::string AccuracyId(std::string_view model, double epsilon) {
  return absl::StrCat("accuracy_", model, "_", PowerText(epsilon));
}

absl::Status AddExpectations(absl::Span<const Sweep> sweeps,
                             const Golden& golden, std::string_view scale,
                             bool judged, report::Report* report) {
  const absl::StatusOr<Judgements> judgements = JudgeAll(
      golden, scale, judged,
      [&](const Asked& asked) { return MeasureTable3(asked, sweeps); });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(report);
  return absl::OkStatus();
}

}  // namespace repro16
