#include "experiments/beyond/batch_norm/batch_norm.h"

#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/io/proto_file.h"
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

// Which average a statement sets the estimated one against.
const Average* AverageOf(std::string_view id,
                         const MovingAverageStudy::Epoch& epoch) {
  if (id == "own_average") return Find(epoch, "average", "F16");
  if (id == "f32_average") return Find(epoch, "average", "F32");
  if (id == "compensated_average") return Find(epoch, "compensated", "F16");
  return nullptr;
}

absl::StatusOr<Measurement> MeasureAverage(
    const Asked& asked, const MovingAverageStudy::Epoch& epoch,
    const MovingAverageStudy& study) {
  const Average* average = AverageOf(asked.statement.id(), epoch);
  const Average* estimated = Find(epoch, "estimated", "F64");
  if (average == nullptr || estimated == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat("the study has no average for ", asked.statement.id(),
                     "; make it again"));
  }
  Measurement measured;
  measured.networks = {
      {100 * (estimated->test_accuracy() - average->test_accuracy())}};
  measured.training.set_epochs(static_cast<int>(study.spec().epochs()));
  measured.training.set_train_accuracy(100 * epoch.train_accuracy());
  return measured;
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

report::Table AverageTable(const MovingAverageStudy::Epoch& epoch) {
  report::Table table;
  table.set_title(
      "One training, evaluated with statistics averaged in many "
      "ways");
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
  report.mutable_claim()->set_text(
      "We observe occasional performance drops in a few models due to "
      "numerical "
      "instability, particularly from overflow or underflow errors inherent "
      "to the limited dynamic range of 16-bit floats.");
  report.mutable_claim()->set_place("section 5");
  report.add_summary(
      "A training step normalises with its batch's statistics, evaluation with "
      "moving averages of them. In FP16 these are kept in 16 bits, where an "
      "average with a momentum near 1 stands still. Here the same weights, of "
      "one training, are evaluated with averages that are kept otherwise, and "
      "with statistics that are estimated from the training images "
      "afterwards. What 16 bits lack here is digits, not range.");
  report::Provenance& provenance = *report.mutable_provenance();
  provenance.add_policies(study.spec().policy());
  provenance.add_seeds(study.spec().seed());
  provenance.set_data(study.spec().data().dataset());
  provenance.set_data_digest(study.data_digest());
  provenance.set_made_up_data(study.made_up_data());
  provenance.set_numerics_version(study.numerics_version());
  provenance.set_backend(study.spec().backend());
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
                                       std::string_view scale,
                                       const Golden& golden) {
  if (study.epochs().empty()) {
    return absl::InvalidArgumentError(
        "the study has no epoch; train at least one");
  }
  const MovingAverageStudy::Epoch& last = *study.epochs().rbegin();
  const bool judged = scale != "smoke" && !study.made_up_data();
  const absl::StatusOr<Judgements> judgements = JudgeAll(
      golden, scale, judged,
      [&](const Asked& asked) { return MeasureAverage(asked, last, study); });
  if (!judgements.ok()) return judgements.status();
  Analysis analysis;
  analysis.report = StartReport(study, scale);
  judgements->AddTo(&analysis.report);
  *analysis.report.add_tables() = AverageTable(last);
  return analysis;
}

absl::StatusOr<Analysis> AnalyseBatchNorm(const AnalysisInputs& inputs,
                                          const Golden& golden) {
  if (inputs.files.size() != 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--inputs names ", inputs.files.size(), " files; give one study"));
  }
  MovingAverageStudy study;
  const absl::Status status = ReadTextProto(inputs.files[0], &study);
  if (!status.ok()) return status;
  return MakeBatchNorm(study, inputs.scale, golden);
}

}  // namespace repro16
