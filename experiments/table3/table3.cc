#include "experiments/table3/table3.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "experiments/table3/accuracy_report.h"
#include "experiments/table3/diagnoses.h"
#include "experiments/table3/epsilon_report.h"
#include "experiments/table3/mechanism.h"
#include "experiments/table3/sweep.h"
#include "experiments/table3/verdicts.h"

namespace repro16 {
namespace {

using report::Finding;

constexpr std::string_view kSection = "section 5";

void AddSummary(report::Report* report) {
  report->set_title("Accuracy by the epsilon of Adam");
  report->mutable_claim()->set_text(
      "The results show that FP16 suffers from significant accuracy "
      "degradation when [formula lost], likely due to instability in the "
      "denominator of the update rule. A similar concern applies to RMSProp. "
      "The default in TensorFlow, while suitable for FP32, may cause numerical "
      "issues in FP16. To address this, we adopted SGD, which exhibited stable "
      "performance without requiring tuning.");
  report->mutable_claim()->set_place("section 5, table 3");
  report->add_summary(
      "ResNet-18 and ResNet-34 in FP16 by Adam at six epsilons, as in the "
      "paper; beside them FP32 and mixed precision (MP), RMSProp, a second "
      "learning rate, and SGD as a control. To collapse is to end at half of "
      "the best accuracy of any epsilon, or less.");
  report->add_summary(
      "Adam divides by sqrt(v) + epsilon. In binary16 the second moment v of a "
      "weight stays exactly 0 as long as its gradients are under 0.0055, while "
      "its first moment moves from 3.6e-7 on: epsilon alone divides. The "
      "tables of exact arithmetic say what can come of it, those of the runs "
      "what did.");
}

void AddExactFacts(report::Report* report) {
  *report->add_tables() = EpsilonTable();
  *report->add_tables() = MomentsTable();
}

void AddMechanismFinding(absl::Span<const Sweep> sweeps,
                         const Diagnoses& diagnoses, report::Report* report) {
  std::vector<std::string> measured;
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule != "Adam" || sweep.rate != kRate) continue;
    for (double epsilon : {1e-4, 1e-5, 1e-7}) {
      const std::string text = MeasuredMechanism(sweep, epsilon, diagnoses);
      if (!text.empty()) measured.push_back(text);
    }
  }
  AddFinding(
      measured.empty() ? Finding::LIMITATION : Finding::AGREEMENT,
      "Instability in the denominator of the update rule",
      measured.empty()
          ? "The paper's reason was not measured: no run has a diagnosis."
          : absl::StrCat("The paper's reason, measured in FP16. ",
                         absl::StrJoin(measured, " ")),
      kSection, report);
}

void AddUnstated(report::Report* report) {
  AddFinding(Finding::UNSTATED, "Learning rate and moments of Adam",
             "The paper gives epsilon alone. Ours: rate 1e-3, the default of "
             "Keras, and for ResNet-18 also 0.01, the rate that section 4.2 "
             "gives for SGD; beta_1 0.9, beta_2 0.999.",
             "table 3", report);
  AddFinding(Finding::UNSTATED, "ResNet-18 and ResNet-34",
             "Neither is in table 2, and the paper describes neither. Ours: "
             "pre-activation networks (its reference for them is He et al., "
             "Identity Mappings) with a 3x3 stem of stride 1.",
             "table 3", report);
  AddFinding(Finding::UNSTATED, "What the time is of",
             "10.98 s and 23.61 s are read as seconds an epoch: for 100 epochs "
             "they would mean 455,000 images a second.",
             "table 3, column Time", report);
  AddFinding(
      Finding::UNSTATED, "From which epsilon on",
      "The formula after \"when\" is lost in the text that we have. The table "
      "falls between 1e-4 and 1e-5, so the statement is read as 1e-5 and "
      "under.",
      kSection, report);
}

}  // namespace

absl::StatusOr<Analysis> AnalyseTable3(const AnalysisInputs& inputs,
                                       const Golden& golden) {
  const std::vector<Sweep> sweeps = SweepsOf(inputs.sets);
  const absl::StatusOr<Diagnoses> diagnoses = Diagnoses::Load(inputs.sets);
  if (!diagnoses.ok()) return diagnoses.status();

  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("table3", inputs.scale, inputs.sets);
  AddCifar10Reductions(inputs.sets, &report);
  AddSummary(&report);
  if (absl::Status status = AddExpectations(sweeps, golden, &report);
      !status.ok()) {
    return status;
  }
  *report.add_tables() = PaperTable(sweeps, golden, report);
  *report.add_tables() = BesideTable(sweeps);
  *report.add_tables() = SgdTable(sweeps);
  AddExactFacts(&report);
  for (const Sweep& sweep : sweeps) {
    *report.add_tables() = MechanismTable(sweep, *diagnoses);
  }
  *report.add_figures() = AccuracyFigure(sweeps, golden);
  *report.add_figures() = SteadyStepFigure();
  *report.add_figures() = LargestUpdateFigure(sweeps, *diagnoses);
  *report.add_figures() = ZeroFigure(sweeps, *diagnoses);
  *report.add_figures() = UpdateFigure(sweeps, *diagnoses);
  AddContradictions(&report);
  AddMechanismFinding(sweeps, *diagnoses, &report);
  AddUnstated(&report);
  return analysis;
}

}  // namespace repro16
