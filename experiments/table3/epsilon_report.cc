#include "experiments/table3/epsilon_report.h"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/numerics/round_to_type.h"
#include "experiments/common/report_parts.h"
#include "experiments/table3/sweep.h"
#include "experiments/table3/update_arithmetic.h"
#include "reports/format.h"

namespace repro16 {
namespace {

// Those of table 3.
constexpr double kEpsilons[] = {1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7};

// "45.6", "5.46E-04", "infinite".
report::Cell StepCell(double step) {
  if (std::isinf(step)) return TextCell("infinite");
  return NumberCell(
      step, step < 0.01 ? Scientific(step) : absl::StrFormat("%.3g", step));
}

// "0.548", "46,000".
report::Cell RatesCell(double step) {
  const double rates = step / kFactsRate;
  if (std::isinf(rates)) return TextCell("infinite");
  return NumberCell(rates, rates < 1000 ? absl::StrFormat("%.3g", rates)
                                        : FormatCount(std::llround(rates)));
}

report::Cell SmallCell(double value) {
  return NumberCell(value, Scientific(value));
}

// Four in each power of two, and both sides of where the second moment of
// binary16 stops being 0; all are numbers of both types.
std::vector<double> SteadyGradients() {
  std::vector<double> gradients;
  for (double power = 0x1p-23; power < 1; power *= 2) {
    for (double part : {1.0, 1.25, 1.5, 1.75}) {
      gradients.push_back(RoundToType(power * part, DType::kF16));
    }
  }
  gradients.push_back(LargestGradientWhileZero(DType::kF16));
  gradients.push_back(SmallestGradientOfSecondMoment(DType::kF16));
  absl::c_sort(gradients);
  return gradients;
}

void AddSteadySteps(DType type, std::string_view policy, double gradient,
                    report::Dataset* data) {
  const Moments moments = SteadyMoments(gradient, type);
  for (double epsilon : kEpsilons) {
    const double step = AdamStep(moments, kFactsRate, epsilon, type);
    if (step == 0) continue;  // has no place on a logarithmic axis
    AddRecord({ChartText(policy), ChartText(PowerText(epsilon)),
               ChartNumber(gradient), ChartNumber(step)},
              data);
  }
}

}  // namespace

report::Table EpsilonTable() {
  report::Table table;
  table.set_title("What epsilon is in binary16");
  table.set_caption(absl::StrCat(
      "Exact arithmetic, nothing measured; learning rate ",
      PowerText(kFactsRate),
      ". While a second moment is 0, Adam divides by epsilon alone, and "
      "RMSProp, whose epsilon stands under the root, by its root. Adam's steps "
      "are then multiples of the smallest one, 2^-24 / epsilon, where they "
      "should be about one rate. 1e-8 is 0: a step is infinite, or 0 / 0, "
      "which is NaN."));
  AddColumns(
      {"epsilon", "stored as", "in 2^-24", "rounded by", "Adam, smallest step",
       "Adam, largest step", "in rates", "RMSProp, largest step", "in rates"},
      &table);
  std::vector<double> epsilons(std::begin(kEpsilons), std::end(kEpsilons));
  epsilons.push_back(1e-8);
  for (double epsilon : epsilons) {
    const DType half = DType::kF16;
    const double adam = LargestAdamStepWhileZero(kFactsRate, epsilon, half);
    const double rmsprop =
        LargestRmsPropStepWhileZero(kFactsRate, epsilon, half);
    const double stored = RoundToType(epsilon, half);
    const double change = stored / epsilon - 1;
    AddRow({TextCell(PowerText(epsilon)),
            NumberCell(stored, absl::StrFormat("%.6g", stored)),
            CountCell(std::llround(stored / SmallestPositive(half))),
            NumberCell(change, absl::StrFormat("%+.2f%%", 100 * change)),
            StepCell(SmallestAdamStepWhileZero(epsilon, half)), StepCell(adam),
            RatesCell(adam), StepCell(rmsprop), RatesCell(rmsprop)},
           &table);
  }
  return table;
}

report::Table MomentsTable() {
  report::Table table;
  table.set_title("Where a moment is 0");
  table.set_caption(
      "Exact arithmetic, nothing measured. A second moment of 0 stays 0 under "
      "smaller gradients than the one given; a first moment becomes other than "
      "0 from far smaller ones on. The smallest root is what divides once the "
      "second moment is not 0.");
  AddColumns(
      {"rule", "type", "1 - beta_2, or 1 - rho, as stored",
       "second moment from |g| =", "first moment from |g| =", "smallest root"},
      &table);
  for (DType type : {DType::kF16, DType::kF32}) {
    const std::string_view name =
        type == DType::kF16 ? "binary16 (FP16)" : "binary32 (FP32, MP)";
    const double root = std::sqrt(SmallestPositive(type));
    AddRow({TextCell("Adam"), TextCell(name),
            SmallCell(RoundToType(1 - kBeta2, type)),
            SmallCell(SmallestGradientOfSecondMoment(type)),
            SmallCell(SmallestGradientOfFirstMoment(type)), SmallCell(root)},
           &table);
    AddRow({TextCell("RMSProp"), TextCell(name),
            SmallCell(RoundToType(1 - kRho, type)),
            SmallCell(SmallestGradientOfMeanSquare(type)), TextCell("none"),
            SmallCell(root)},
           &table);
  }
  return table;
}

report::Figure SteadyStepFigure() {
  report::Figure figure;
  figure.set_name("steady");
  figure.set_title("The step on a weight whose gradient stays the same");
  figure.set_caption(absl::StrCat(
      "Adam's step over the gradient, learning rate ", PowerText(kFactsRate),
      ", computed exactly, nothing measured; steps that round to 0 are not "
      "drawn. The dashed line is the rate, which is the step that Adam is made "
      "for. In FP32 (right) the step is about the rate or under it at every "
      "epsilon. In FP16 (left) gradients under 0.0055 leave the second moment "
      "at 0, and the step grows to 0.05 at epsilon 1e-4, 0.5 at 1e-5 and 45 "
      "at 1e-7; just above, the second moment stops short of the square, and "
      "the step is still 20 rates."));
  figure.set_spec("steady.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("steady");
  for (const char* field : {"policy", "epsilon", "gradient", "step"}) {
    data->add_fields(field);
  }
  for (double gradient : SteadyGradients()) {
    AddSteadySteps(DType::kF16, "FP16", gradient, data);
    AddSteadySteps(DType::kF32, "FP32", gradient, data);
  }
  return figure;
}

}  // namespace repro16
