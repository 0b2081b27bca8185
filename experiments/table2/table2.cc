#include "experiments/table2/table2.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "analysis/cost_model.pb.h"
#include "engine/io/proto_file.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/judge.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded.h"
#include "experiments/table2/comparisons.h"
#include "experiments/table2/findings.h"
#include "experiments/table2/modelled_times.h"
#include "experiments/table2/networks.h"
#include "experiments/table2/tables.h"
#include "reports/format.h"

namespace repro16 {
namespace {

// Adds an expectation, unless it is an error: that is returned.
absl::Status Add(absl::StatusOr<report::Expectation> expectation,
                 std::vector<report::Expectation>* expectations) {
  if (!expectation.ok()) return expectation.status();
  expectations->push_back(*std::move(expectation));
  return absl::OkStatus();
}

// Of the mean over networks of each difference.
absl::StatusOr<std::vector<report::Expectation>> ExpectMeans(
    bool judged, absl::Span<const Comparison> differences,
    const Golden& golden) {
  std::vector<report::Expectation> means;
  for (const Comparison& difference : differences) {
    absl::StatusOr<report::Expectation> mean = JudgePooled(
        judged, golden, absl::StrCat("mean/", difference.paper_id),
        absl::StrCat("Mean difference over networks, ", difference.title),
        difference.values, Claim::kEqual);
    if (!mean.ok()) return mean.status();
    mean->set_id(absl::StrCat("mean/", difference.id));
    if (mean->verdict() != report::VERDICT_NOT_RUN) {
      mean->set_note(absl::StrCat(
          mean->note(), " Pooled: each network is a block of its own, ",
          mean->ours().n(), mean->ours().n() == 1 ? " network." : " networks.",
          " Judged as no difference, within the margin."));
    }
    means.push_back(*std::move(mean));
  }
  return means;
}

absl::StatusOr<std::vector<report::Expectation>> ExpectAllParameters(
    absl::Span<const NetworkRuns> rows, const Golden& golden) {
  std::vector<report::Expectation> parameters;
  for (const NetworkRuns& row : rows) {
    absl::Status status = Add(ExpectParameters(row, golden), &parameters);
    if (!status.ok()) return status;
  }
  return parameters;
}

absl::StatusOr<std::vector<report::Expectation>> ExpectNetworks(
    absl::Span<const Comparison> differences,
    absl::Span<const Comparison> published, const Golden& golden) {
  std::vector<report::Expectation> networks;
  for (const Comparison& difference : differences) {
    absl::Status status = Add(
        ExpectEvery(
            difference, golden,
            absl::StrCat("No network beyond 0.9 points, ", difference.title)),
        &networks);
    if (!status.ok()) return status;
  }
  for (const Comparison& precision : published) {
    absl::Status status =
        Add(ExpectEvery(
                precision, golden,
                absl::StrCat("Accuracy of every network, ", precision.title)),
            &networks);
    if (!status.ok()) return status;
  }
  return networks;
}

// "FP16 - FP32 is +0.12 points, 90% interval [-0.10, +0.30]".
std::string MeanText(std::string_view title, const report::Expectation& mean) {
  std::string text = absl::StrCat(
      title, " is ", FormatSigned(mean.difference(), 3), " points");
  if (mean.has_interval()) {
    absl::StrAppend(&text, ", 90% interval ", FormatInterval(mean.interval()));
  }
  return text;
}

void AddSummary(absl::Span<const Comparison> differences,
                absl::Span<const report::Expectation> means,
                report::Report* report) {
  report->add_summary(
      "Twelve networks, each trained from the same seeds, with the same "
      "initial "
      "weights and order of samples, in four precisions: FP16, which rounds "
      "everything that is stored to 16 bits; FP16_BN32, which leaves batch "
      "normalisation in 32 bits as the paper's framework does; FP32; and mixed "
      "precision (MP).");
  std::vector<std::string> texts;
  for (size_t i = 0; i < means.size(); ++i) {
    if (means[i].verdict() == report::VERDICT_NOT_RUN) continue;
    texts.push_back(MeanText(differences[i].title, means[i]));
  }
  if (texts.empty()) {
    report->add_summary("No run was made at this scale.");
    return;
  }
  report->add_summary(
      absl::StrCat("Mean over networks: ", absl::StrJoin(texts, "; "), "."));
}

// What is shown beside our runs: the modelled times (a binary file) and the
// recorded runs (text). Without such files nothing is.
absl::Status AddFiles(absl::Span<const std::string> files, const Golden& golden,
                      report::Report* report) {
  std::vector<std::string> records;
  for (const std::string& file : files) {
    if (!absl::EndsWith(file, ".pb")) {
      records.push_back(file);
      continue;
    }
    CostModelReport modelled;
    absl::Status status = ReadBinaryProto(file, &modelled);
    if (!status.ok()) return status;
    *report->add_tables() = ModelledTimesTable(modelled);
  }
  absl::StatusOr<RecordedRuns> recorded = LoadRecordedRuns(records);
  if (!recorded.ok()) return recorded.status();
  recorded->table2 = golden;
  AddRecordedRuns(*recorded, report);
  return absl::OkStatus();
}

absl::StatusOr<Analysis> MakeTable2(const AnalysisInputs& inputs,
                                    absl::Span<const NetworkRuns> rows,
                                    const Golden& golden) {
  const bool judged = Judged(inputs.sets);
  const auto differences = CompareDifferences(judged, rows, golden);
  if (!differences.ok()) return differences.status();
  const auto published =
      CompareWithPublished(judged && inputs.scale == "paper", rows, golden);
  if (!published.ok()) return published.status();
  const auto means = ExpectMeans(judged, *differences, golden);
  if (!means.ok()) return means.status();
  const auto networks = ExpectNetworks(*differences, *published, golden);
  if (!networks.ok()) return networks.status();
  const auto parameters = ExpectAllParameters(rows, golden);
  if (!parameters.ok()) return parameters.status();
  auto accuracy_table = AccuracyTable(rows, *published, golden);
  if (!accuracy_table.ok()) return accuracy_table.status();
  auto difference_table = DifferenceTable(rows, *differences, *means, golden);
  if (!difference_table.ok()) return difference_table.status();
  auto figure = DifferenceFigure(rows, *differences, golden);
  if (!figure.ok()) return figure.status();

  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("table2", inputs.scale, inputs.sets);
  AddCifar10Reductions(inputs.sets, &report);
  report.set_title("Twelve networks on CIFAR-10 in 16, 32 and mixed bits");
  report.mutable_claim()->set_text(
      "FP16 performs competitively, with only a 0.2% average decrease compared "
      "to FP32 and MP across 12 architectures.");
  report.mutable_claim()->set_place("section 4.3, table 2");
  AddSummary(*differences, *means, &report);
  AddDiverged(inputs.sets, &report);
  for (const auto* expectations : {&*means, &*networks, &*parameters}) {
    report.mutable_expectations()->Add(expectations->begin(),
                                       expectations->end());
  }
  *report.add_tables() = *std::move(accuracy_table);
  *report.add_tables() = *std::move(difference_table);
  *report.add_tables() = SizeTable(rows, *parameters);
  if (!inputs.sets.empty()) {
    *report.add_tables() = ProtocolTable(inputs.sets);
  }
  *report.add_figures() = *std::move(figure);
  absl::Status status = AddFiles(inputs.files, golden, &report);
  if (!status.ok()) return status;
  AddContradictions(&report);
  AddTable2Findings(&report);
  AddShortTraining(inputs.sets, &report);
  status = AddTableArithmetic(golden, &report);
  if (!status.ok()) return status;
  return analysis;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseTable2(const AnalysisInputs& inputs,
                                       const Golden& golden) {
  const absl::StatusOr<std::vector<TrainingPlan>> plans = PlanNetworks();
  if (!plans.ok()) return plans.status();
  const absl::StatusOr<std::vector<NetworkRuns>> rows =
      RowsOf(*plans, inputs.sets);
  if (!rows.ok()) return rows.status();
  return MakeTable2(inputs, *rows, golden);
}

}  // namespace repro16
