#include "experiments/table3/table3.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/answer.h"
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

report::Expectation* Find(std::string_view id, report::Report* report) {
  for (report::Expectation& e : *report->mutable_expectations()) {
    if (e.id() == id) return &e;
  }
  return nullptr;
}

// Says of each epsilon that is to collapse what its updates were.
void AddMechanismNotes(absl::Span<const Sweep> sweeps,
                       const Diagnoses& diagnoses, report::Report* report) {
  for (const PaperRow& row : kPaperRows) {
    const Sweep* sweep = FindSweep(sweeps, row.model, "Adam", row.rate);
    if (sweep == nullptr) continue;
    for (const SweepPoint& point : sweep->points) {
      report::Expectation* e =
          Find(CollapseId(row.model, row.rate, point.epsilon), report);
      const std::string words =
          MechanismInWords(*sweep, point.epsilon, diagnoses);
      if (e == nullptr || words.empty()) continue;
      e->set_note(absl::StrCat(e->note(), " ", words));
    }
  }
}

// The paper's "likely" reason: whether the updates are far beyond the rate
// where FP32's are not.
void AddReason(absl::Span<const Sweep> sweeps, const Diagnoses& diagnoses,
               report::Report* report) {
  constexpr double kDefault = 1e-7;
  std::vector<std::string> measured;
  bool holds = true;
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule != "Adam" || sweep.At(kDefault) == nullptr) continue;
    const RunSet& runs = *sweep.At(kDefault);
    const double fp16 = LargestUpdateOf(diagnoses.OfPolicy(runs, "FP16")).size;
    const double fp32 = LargestUpdateOf(diagnoses.OfPolicy(runs, "FP32")).size;
    if (fp16 == 0 || fp32 == 0) continue;
    holds = holds && fp16 >= 10 * sweep.rate && fp32 < 10 * sweep.rate;
    measured.push_back(absl::StrFormat(
        "%s: the largest update is %.3g in FP16 and %.3g in FP32.",
        sweep.Name(), fp16, fp32));
  }
  if (measured.empty()) return;
  AddFinding(holds ? Finding::AGREEMENT : Finding::CONTRADICTION,
             "The reason that the paper calls likely, instability in the "
             "denominator: consistent with it, no proof",
             absl::StrCat("At epsilon 1e-7. ", absl::StrJoin(measured, " "),
                          holds ? " FP16 takes steps of more than ten rates, "
                                  "FP32 does not."
                                : " Not in all of them FP16 alone takes steps "
                                  "of more than ten rates."),
             kSection, report);
}

// What of the mechanism is exact arithmetic, whatever the runs say.
void AddExactFindings(report::Report* report) {
  AddFinding(Finding::AGREEMENT, "Epsilon alone divides",
             "In binary16 (1 - beta_2) g^2 rounds to 0 for |g| under 0.00546, "
             "in binary32 under 8e-22. So second moments are 0 in FP16 "
             "whatever epsilon is; a small epsilon only makes it matter.",
             kSection, report);
  AddFinding(
      Finding::UNSTATED, "RMSProp's steps are bounded far lower",
      "The paper sees a similar concern, and shows no number. In Keras, "
      "RMSProp's epsilon stands "
      "under the root: while the mean square is 0, which takes |g| under "
      "0.00057, a step is at most 1.7 rates at 1e-7, where Adam's is 46,000. "
      "At 1e-8, which binary16 rounds to 0, both divide by 0.",
      kSection, report);
}

void AddUnstated(report::Report* report) {
  AddFinding(Finding::UNSTATED, "Batch normalisation in 16 or in 32 bits",
             "The paper's text keeps everything in FP16, as these runs do. "
             "Its framework keeps batch normalisation's moving statistics in "
             "32 bits, where a variance over 65504 stays a number: a network "
             "that such a variance alone breaks has accuracy 0 here, and what "
             "it is worth there. The training accuracy does not use them.",
             "section 4.1", report);
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

// "30.6, 33.6% at 1e-2, 1e-3": means over seeds, where the policy has runs.
std::string AccuraciesText(const Sweep& sweep, std::string_view policy) {
  std::vector<std::string> accuracies, epsilons;
  for (const SweepPoint& point : sweep.points) {
    const std::vector<double> of_seeds =
        ValuesOf(AccuracyOfSeed(*point.runs, policy));
    if (of_seeds.empty()) continue;
    accuracies.push_back(absl::StrFormat("%.1f", SampleOf(of_seeds).mean));
    epsilons.push_back(PowerText(point.epsilon));
  }
  if (accuracies.empty()) return "";
  return absl::StrCat(policy, " ", absl::StrJoin(accuracies, ", "), "% at ",
                      absl::StrJoin(epsilons, ", "));
}

// What Adam's test accuracy is by epsilon, a sentence for each network.
void AddAccuracyAnswer(absl::Span<const Sweep> sweeps, report::Report* report) {
  for (const Sweep& sweep : sweeps) {
    if (sweep.rule != "Adam") continue;
    std::vector<std::string> texts;
    for (std::string_view policy : {"FP16", "FP32"}) {
      std::string text = AccuraciesText(sweep, policy);
      if (!text.empty()) texts.push_back(std::move(text));
    }
    report->add_answer(absl::StrCat(
        sweep.Name(),
        ", test accuracy by epsilon: ", absl::StrJoin(texts, "; "), "."));
  }
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
  if (absl::Status status = AddExpectations(sweeps, golden, inputs.scale,
                                            Judged(inputs.sets), &report);
      !status.ok()) {
    return status;
  }
  AddMechanismNotes(sweeps, *diagnoses, &report);
  AddAccuracyAnswer(sweeps, &report);
  AddAnswer({"adam_collapse"}, &report);
  *report.add_tables() = PaperTable(sweeps, golden, report);
  *report.add_tables() = BesideTable(sweeps);
  *report.add_tables() = SgdTable(sweeps);
  AddExactFacts(&report);
  for (const Sweep& sweep : sweeps) {
    report::Table& table = *report.add_tables();
    table = MechanismTable(sweep, *diagnoses);
    // Once is enough.
    if (&sweep != &sweeps.front()) table.clear_caption();
  }
  *report.add_figures() = AccuracyFigure(sweeps, golden);
  *report.add_figures() = SteadyStepFigure();
  *report.add_figures() = LargestUpdateFigure(sweeps, *diagnoses);
  *report.add_figures() = ZeroFigure(sweeps, *diagnoses);
  *report.add_figures() = UpdateFigure(sweeps, *diagnoses);
  AddContradictions(&report);
  AddReason(sweeps, *diagnoses, &report);
  AddExactFindings(&report);
  AddShortTraining(inputs.sets, &report);
  AddUnstated(&report);
  return analysis;
}

}  // namespace repro16
