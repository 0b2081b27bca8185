#include "experiments/beyond/batch_norm/batch_norm.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/io/proto_file.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"

namespace repro16 {
namespace {

constexpr int kF16Digits = 11;

using Average = MovingAverageStudy::Average;

// The network's own momentum comes first, in each storage.
const Average* Find(const MovingAverageStudy::Epoch& epoch,
                    std::string_view rule, std::string_view storage) {
  for (const Average& average : epoch.averages()) {
    if (average.rule() == rule && average.storage() == storage) return &average;
  }
  return nullptr;
}

// Test accuracies in percent of one training, by how its statistics are kept.
struct Accuracies {
  double f16, compensated, f32, estimated;
};

absl::StatusOr<Accuracies> AccuraciesOf(const MovingAverageStudy& study) {
  if (study.epochs().empty()) {
    return absl::InvalidArgumentError(
        "the study has no epoch; train at least one");
  }
  const MovingAverageStudy::Epoch& last = *study.epochs().rbegin();
  Accuracies accuracies;
  for (const auto& [rule, storage, accuracy] :
       {std::tuple("average", "F16", &accuracies.f16),
        {"compensated", "F16", &accuracies.compensated},
        {"average", "F32", &accuracies.f32},
        {"estimated", "F64", &accuracies.estimated}}) {
    const Average* average = Find(last, rule, storage);
    if (average == nullptr) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the study has no ", rule, " of ", storage, "; make it again"));
    }
    *accuracy = 100 * average->test_accuracy();
  }
  return accuracies;
}

absl::StatusOr<Measurement> MeasureAverage(const Asked& asked,
                                           const MovingAverageStudy& study,
                                           const Accuracies& accuracies) {
  if (asked.statement.id() != "own_average") {
    return absl::InvalidArgumentError(absl::StrCat(
        "golden values of beyond/batch_norm: statement \"",
        asked.statement.id(), "\" is not about own_average; take it out"));
  }
  Measurement measured;
  measured.networks = {{accuracies.f32 - accuracies.f16}};
  measured.cases = 1;
  measured.training.set_epochs(static_cast<int>(study.spec().epochs()));
  measured.training.set_train_accuracy(
      100 * study.epochs().rbegin()->train_accuracy());
  return measured;
}

// "MobileNetV2 at width 0.25, 400 epochs: ..."
std::string AnswerText(const MovingAverageStudy& study,
                       const Accuracies& accuracies) {
  const double width = study.spec().model_options().width();
  return absl::StrFormat(
      "%s%s, %d epochs, seed %d, in FP16: the same weights end at %.1f%% of "
      "the "
      "test set with the network's own moving averages, kept in f16, at %.1f%% "
      "with the same averages kept in f32, at %.1f%% in f16 with what its "
      "roundings lose kept beside it, and at %.1f%% with statistics that are "
      "estimated afterwards; of the training set at %.1f%%.",
      NetworkName(study.spec().model()),
      width == 0 || width == 1 ? "" : absl::StrFormat(" at width %.3g", width),
      study.spec().epochs(), study.spec().seed(), accuracies.f16,
      accuracies.f32, accuracies.compensated, accuracies.estimated,
      100 * study.epochs().rbegin()->train_accuracy());
}

std::string StorageText(const Average& average) {
  if (average.rule() == "estimated") return "estimated afterwards";
  return absl::StrCat(average.storage(),
                      average.rule() == "compensated" ? ", compensated" : "");
}

std::string StallText(const Average& average) {
  if (average.rule() != "average" || average.storage() != "F16") return "–";
  const StallRange stall = StallsAt(average.momentum(), kF16Digits);
  return std::isinf(stall.from_above)
             ? absl::StrFormat("%.2f or more", stall.from_below)
             : absl::StrFormat("%.2f to %.2f", stall.from_below,
                               stall.from_above);
}

report::Table AverageTable(std::string title,
                           const MovingAverageStudy::Epoch& epoch) {
  report::Table table;
  table.set_title(std::move(title));
  table.set_caption(
      "The first three are of the network's own momentum. Variances: those of "
      "all channels over the estimated ones, in quantiles. Theory: where an "
      "f16 average of a constant can stand still.");
  AddColumns({"momentum", "average kept in", "test accuracy", "variances, 10%",
              "median", "90%", "theory"},
             &table);
  for (const Average& average : epoch.averages()) {
    const auto ratio = [](double value) {
      return NumberCell(value, absl::StrFormat("%.2f", value));
    };
    AddRow(
        {TextCell(average.momentum() > 0 ? absl::StrCat(average.momentum())
                                         : "–"),
         TextCell(StorageText(average)),
         NumberCell(100 * average.test_accuracy(),
                    absl::StrFormat("%.2f%%", 100 * average.test_accuracy())),
         ratio(average.ratio_10()), ratio(average.ratio_50()),
         ratio(average.ratio_90()), TextCell(StallText(average))},
        &table);
  }
  return table;
}

report::Report StartReport(const MovingAverageStudy& study,
                           std::string_view scale) {
  report::Report report =
      repro16::StartReport("beyond/batch_norm", scale, /*sets=*/{});
  report.set_title(
      "Beyond the paper: the moving average of batch "
      "normalisation");
  report.add_summary(
      "A training step normalises with its batch's statistics, evaluation with "
      "moving averages of them. In FP16 these are kept in 16 bits, where an "
      "average with a momentum near 1 stands still. Here the same weights, of "
      "one training, are evaluated with averages that are kept otherwise, and "
      "with statistics that are estimated from the training images "
      "afterwards. The paper names overflow and underflow for occasional drops "
      "(section 5); this speaks neither for nor against that: what 16 bits "
      "lack here is digits, not range.");
  report::Provenance& provenance = *report.mutable_provenance();
  provenance.add_policies(study.spec().policy());
  provenance.add_seeds(study.spec().seed());
  provenance.set_data(study.spec().data().dataset());
  provenance.set_data_digest(study.data_digest());
  provenance.set_made_up_data(study.made_up_data());
  provenance.set_numerics_version(study.numerics_version());
  provenance.set_backend(study.spec().backend());
  const double width = study.spec().model_options().width();
  if (width != 0) {
    provenance.add_reductions(
        absl::StrFormat("width of each layer: %g", width));
  }
  if (const int64_t images = study.spec().data().train_examples(); images > 0) {
    provenance.add_reductions(absl::StrCat("training examples: ", images));
  }
  if (const int64_t images = study.spec().data().test_examples(); images > 0) {
    provenance.add_reductions(absl::StrCat("test examples: ", images));
  }
  provenance.add_reductions("seeds: 1");
  return report;
}

}  // namespace

StallRange StallsAt(double momentum, int digits) {
  const double quotient = std::ldexp(1.0, -digits) / (1 - momentum);
  return {1 / (1 + quotient), quotient < 1
                                  ? 1 / (1 - quotient)
                                  : std::numeric_limits<double>::infinity()};
}

absl::StatusOr<Analysis> MakeBatchNorm(const MovingAverageStudy& study,
                                       const MovingAverageStudy& recorded,
                                       std::string_view scale,
                                       const Golden& golden) {
  const absl::StatusOr<Accuracies> ours = AccuraciesOf(study);
  if (!ours.ok()) return ours.status();
  const absl::StatusOr<Accuracies> papers = AccuraciesOf(recorded);
  if (!papers.ok()) return papers.status();
  const bool judged = scale != "smoke" && !study.made_up_data();
  const absl::StatusOr<Judgements> judgements = JudgeAll(
      golden, scale, judged,
      [&](const Asked& asked) { return MeasureAverage(asked, study, *ours); });
  if (!judgements.ok()) return judgements.status();
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport(study, scale);
  judgements->AddTo(&report);
  report.add_answer(absl::StrCat("By the paper's protocol, recorded once: ",
                                 AnswerText(recorded, *papers)));
  report.add_answer(absl::StrCat("Here: ", AnswerText(study, *ours)));
  *report.add_tables() = AverageTable(
      "Recorded: the paper's protocol, evaluated with statistics averaged in "
      "many ways",
      *recorded.epochs().rbegin());
  *report.add_tables() = AverageTable(
      "One training, evaluated with statistics averaged in many ways",
      *study.epochs().rbegin());
  return analysis;
}

absl::StatusOr<Analysis> AnalyseBatchNorm(const AnalysisInputs& inputs,
                                          const Golden& golden) {
  if (inputs.files.size() != 2) {
    return absl::InvalidArgumentError(
        absl::StrCat("--inputs names ", inputs.files.size(),
                     " files; give a study and the recorded one"));
  }
  MovingAverageStudy study, recorded;
  absl::Status status = ReadTextProto(inputs.files[0], &study);
  if (status.ok()) status = ReadTextProto(inputs.files[1], &recorded);
  if (!status.ok()) return status;
  return MakeBatchNorm(study, recorded, inputs.scale, golden);
}

}  // namespace repro16
