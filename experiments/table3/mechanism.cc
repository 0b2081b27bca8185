#include "experiments/table3/mechanism.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/report_parts.h"
#include "experiments/table3/update_arithmetic.h"
#include "experiments/table3/verdicts.h"
#include "reports/format.h"

namespace repro16 {
namespace {

constexpr std::string_view kNotMeasured = "not measured";

using Watched = std::vector<const WatchedRun*>;

// Of all runs together; none where the rule has no second moments.
std::optional<SecondMoments> SecondMomentsOf(const Watched& watched) {
  std::optional<SecondMoments> all;
  for (const WatchedRun* run : watched) {
    const std::optional<SecondMoments> moments = run->AllSecondMoments();
    if (!moments) continue;
    if (!all) all.emplace();
    all->Add(*moments);
  }
  return all;
}

report::Cell ShareCell(double share) {
  return NumberCell(100 * share, Percent(share));
}

// "0.0357", "3.60E-03", "2,000".
std::string SizeText(double size) {
  if (size >= 1000 && size < 1e9) return FormatCount(std::llround(size));
  return size >= 0.01 && size < 1000 ? absl::StrFormat("%.3g", size)
                                     : Scientific(size);
}

std::string OfRuns(int64_t some, int64_t all) {
  return some == all ? "" : absl::StrCat(" (", some, " of ", all, " runs)");
}

// The earliest of the runs: "step 12, conv2d_3/kernel (1 of 2 runs)".
report::Cell FirstNonFiniteCell(const RunSet& runs, std::string_view policy) {
  const NonFinite* first = nullptr;
  int64_t with = 0;
  const std::vector<const TrainedRun*> of_policy = runs.OfPolicy(policy);
  for (const TrainedRun* run : of_policy) {
    if (!run->result.has_first_non_finite()) continue;
    ++with;
    const NonFinite& other = run->result.first_non_finite();
    if (first == nullptr || other.step() < first->step()) first = &other;
  }
  if (first == nullptr) return TextCell("never");
  return TextCell(
      absl::StrCat("step ", first->step(), ", ", first->tensor(),
                   OfRuns(with, static_cast<int64_t>(of_policy.size()))));
}

report::Cell FirstLostCell(const Watched& watched) {
  std::optional<FirstLoss> first;
  int64_t with = 0;
  for (const WatchedRun* run : watched) {
    const std::optional<FirstLoss> other = run->FirstLost();
    if (!other) continue;
    ++with;
    if (!first || other->step < first->step) first = other;
  }
  if (!first) return TextCell("never");
  return TextCell(
      absl::StrCat("step ", first->step, ", ", first->parameter,
                   OfRuns(with, static_cast<int64_t>(watched.size()))));
}

report::Cell TrainingAccuracyCell(const RunSet& runs, std::string_view policy) {
  std::vector<double> values;
  for (const TrainedRun* run : runs.OfPolicy(policy)) {
    values.push_back(100 * run->result.epochs().rbegin()->train_accuracy());
  }
  const double mean = EstimateOf(values).mean();
  return NumberCell(mean, absl::StrFormat("%.1f", mean));
}

// Zeros and the largest update.
std::vector<report::Cell> WatchedCells(const Watched& watched, double rate) {
  if (watched.empty()) {
    return std::vector<report::Cell>(4, TextCell(kNotMeasured));
  }
  const std::optional<SecondMoments> moments = SecondMomentsOf(watched);
  const LargestUpdate largest = LargestUpdateOf(watched);
  report::Cell update = NumberCell(largest.size, SizeText(largest.size));
  update.set_note(absl::StrCat(SizeText(largest.size / rate), " rates"));
  return {moments ? ShareCell(moments->ZeroShare()) : TextCell("none kept"),
          moments && moments->lost ? ShareCell(moments->LostShare())
                                   : TextCell("none kept"),
          update,
          TextCell(largest.size > 0 ? absl::StrCat("step ", largest.step, ", ",
                                                   largest.parameter)
                                    : "nothing moved")};
}

// Sweeps that the heat maps show: of the rate that is judged.
bool IsMapped(const Sweep& sweep) {
  return sweep.rule != "SGD" && sweep.rate == kRate;
}

// Calls visit(sweep, policy, point, watched) for what the heat maps show.
template <typename Visit>
void ForEachMapped(absl::Span<const Sweep> sweeps, const Diagnoses& diagnoses,
                   Visit visit) {
  for (const Sweep& sweep : sweeps) {
    if (!IsMapped(sweep)) continue;
    for (std::string_view policy : {"FP16", "FP32"}) {
      for (const SweepPoint& point : sweep.points) {
        visit(sweep, policy, point, diagnoses.OfPolicy(*point.runs, policy));
      }
    }
  }
}

// Indices of the kernels among a run's parameters, in order of depth.
std::vector<size_t> KernelsOf(const WatchedRun& run) {
  std::vector<size_t> kernels;
  for (size_t i = 0; i < run.parameters.size(); ++i) {
    if (run.parameters[i].IsKernel()) kernels.push_back(i);
  }
  return kernels;
}

// A record for each kernel with what value_of(parameter index, runs) gives.
template <typename ValueOf>
report::Dataset KernelMap(std::string_view name, absl::Span<const Sweep> sweeps,
                          const Diagnoses& diagnoses, ValueOf value_of) {
  report::Dataset data;
  data.set_name(std::string(name));
  for (const char* field :
       {"sweep", "policy", "epsilon", "low", "high", "kernel", "value"}) {
    data.add_fields(field);
  }
  ForEachMapped(
      sweeps, diagnoses,
      [&](const Sweep& sweep, std::string_view policy, const SweepPoint& point,
          const Watched& watched) {
        if (watched.empty()) return;
        const std::vector<size_t> kernels = KernelsOf(*watched.front());
        for (size_t k = 0; k < kernels.size(); ++k) {
          const double depth = static_cast<double>(k) + 1;
          AddRecord({ChartText(sweep.Name()), ChartText(policy),
                     ChartText(PowerText(point.epsilon)),
                     ChartNumber(depth - 0.5), ChartNumber(depth + 0.5),
                     ChartText(watched.front()->parameters[kernels[k]].name),
                     ChartNumber(value_of(kernels[k], watched))},
                    &data);
        }
      });
  return data;
}

}  // namespace

report::Table MechanismTable(const Sweep& sweep, const Diagnoses& diagnoses) {
  report::Table table;
  table.set_title(absl::StrCat(sweep.Name(), ": second moments and updates"));
  table.set_caption(
      "Training accuracy: of the last epoch, by the batch's own statistics. "
      "The rest is of all parameters, steps and seeds together. v = 0: second "
      "moments that "
      "are exactly 0; m not 0: those of them whose first moment is not, both "
      "as shares of all. The largest update of a weight, in itself and in "
      "learning rates. In MP infinite gradients are part of its search for a "
      "loss scale; no update is made of them.");
  AddColumns({"precision", "epsilon", "training accuracy (%)", "v = 0",
              "v = 0, m not 0", "largest update", "where",
              "first infinity or NaN", "first weight lost"},
             &table);
  for (const std::string& policy : sweep.Policies()) {
    for (const SweepPoint& point : sweep.points) {
      if (point.runs->OfPolicy(policy).empty()) continue;
      const Watched watched = diagnoses.OfPolicy(*point.runs, policy);
      std::vector<report::Cell> cells = {
          TextCell(policy),
          TextCell(point.epsilon == 0 ? "none" : PowerText(point.epsilon)),
          TrainingAccuracyCell(*point.runs, policy)};
      for (report::Cell& cell : WatchedCells(watched, sweep.rate)) {
        cells.push_back(std::move(cell));
      }
      cells.push_back(FirstNonFiniteCell(*point.runs, policy));
      cells.push_back(watched.empty() ? TextCell(kNotMeasured)
                                      : FirstLostCell(watched));
      AddRow(std::move(cells), &table);
    }
  }
  return table;
}

report::Figure ZeroFigure(absl::Span<const Sweep> sweeps,
                          const Diagnoses& diagnoses) {
  report::Figure figure;
  figure.set_name("zero");
  figure.set_title("Second moments that are exactly 0, layer by layer");
  figure.set_caption(
      "Share of each kernel's second moments that are 0, over all steps and "
      "seeds, in percent; kernels are numbered from the input (1) to the "
      "classifier. What is 0 in FP32 (right), too, has gradients of exactly 0. "
      "Empty cells: not run.");
  figure.set_spec("zero.vl.json");
  *figure.add_datasets() = KernelMap(
      "zero", sweeps, diagnoses, [](size_t parameter, const Watched& watched) {
        SecondMoments all;
        for (const WatchedRun* run : watched) {
          const auto& moments = run->parameters[parameter].second_moments;
          if (moments) all.Add(*moments);
        }
        return 100 * all.ZeroShare();
      });
  return figure;
}

report::Figure UpdateFigure(absl::Span<const Sweep> sweeps,
                            const Diagnoses& diagnoses) {
  report::Figure figure;
  figure.set_name("update");
  figure.set_title("The largest update, layer by layer");
  figure.set_caption(absl::StrCat(
      "The largest change of one weight of each kernel in one step, of all "
      "steps and seeds, on a logarithmic scale; the learning rate is ",
      PowerText(kRate),
      ". Kernels are numbered from the input (1) to the classifier. Empty "
      "cells: not run."));
  figure.set_spec("update.vl.json");
  *figure.add_datasets() = KernelMap(
      "update", sweeps, diagnoses,
      [](size_t parameter, const Watched& watched) {
        double largest = 0;
        for (const WatchedRun* run : watched) {
          largest =
              std::max(largest, run->parameters[parameter].largest_update.size);
        }
        return largest;
      });
  return figure;
}

report::Figure LargestUpdateFigure(absl::Span<const Sweep> sweeps,
                                   const Diagnoses& diagnoses) {
  report::Figure figure;
  figure.set_name("largest_update");
  figure.set_title("The largest update by epsilon");
  figure.set_caption(absl::StrCat(
      "The largest change of one weight in one step, of all layers, steps and "
      "seeds, over epsilon, which falls from left to right. The dotted line is "
      "exact arithmetic: the largest step of binary16 while a second moment is "
      "0. Adam's grows as 1/epsilon; RMSProp's epsilon stands under the root. "
      "Learning rate ",
      PowerText(kRate), "."));
  figure.set_spec("largest_update.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("largest_update");
  for (const char* field : {"sweep", "what", "epsilon", "update"}) {
    data->add_fields(field);
  }
  const auto add = [data](const Sweep& sweep, std::string_view what,
                          double epsilon, double update) {
    AddRecord({ChartText(sweep.Name()), ChartText(what),
               ChartText(PowerText(epsilon)), ChartNumber(update)},
              data);
  };
  for (const Sweep& sweep : sweeps) {
    if (!IsMapped(sweep)) continue;
    for (const SweepPoint& point : sweep.points) {
      for (const std::string& policy : point.runs->Policies()) {
        const double largest =
            LargestUpdateOf(diagnoses.OfPolicy(*point.runs, policy)).size;
        if (largest > 0) add(sweep, policy, point.epsilon, largest);
      }
      const auto bound = sweep.rule == "Adam" ? LargestAdamStepWhileZero
                                              : LargestRmsPropStepWhileZero;
      add(sweep, "possible while v = 0", point.epsilon,
          bound(sweep.rate, point.epsilon, DType::kF16));
    }
  }
  return figure;
}

std::string MechanismInWords(const Sweep& sweep, double epsilon,
                             const Diagnoses& diagnoses) {
  const RunSet* runs = sweep.At(epsilon);
  if (runs == nullptr) return "";
  const Watched watched = diagnoses.OfPolicy(*runs, "FP16");
  const std::optional<SecondMoments> moments = SecondMomentsOf(watched);
  if (!moments) return "";
  const LargestUpdate largest = LargestUpdateOf(watched);
  return absl::StrCat(
      "Measured: ", Percent(moments->ZeroShare()),
      " of the second moments are 0, the largest update is ",
      SizeText(largest.size), " or ", SizeText(largest.size / sweep.rate),
      " learning rates. Exact: while a second moment is 0, updates are "
      "multiples of ",
      SizeText(SmallestAdamStepWhileZero(epsilon, DType::kF16)),
      " and at most ",
      SizeText(LargestAdamStepWhileZero(sweep.rate, epsilon, DType::kF16)),
      ".");
}

}  // namespace repro16
