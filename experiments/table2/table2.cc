#include "experiments/table2/table2.h"

#include <cmath>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "analysis/cost_model.pb.h"
#include "engine/io/proto_file.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/recorded/recorded.h"
#include "experiments/table2/findings.h"
#include "experiments/table2/image_by_image.h"
#include "experiments/table2/modelled_times.h"
#include "experiments/table2/published.h"
#include "experiments/table2/tables.h"
#include "reports/format.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

using Results = std::vector<NetworkResults>;

// Of the full networks, in the order of Table2Networks(); bytes are in the
// order of kPrecisions, for batches of kPaperBatch.
absl::StatusOr<std::vector<TrainingPlan>> PlanNetworks() {
  std::vector<TrainingPlan> plans;
  for (const Network& network : Table2Networks()) {
    absl::StatusOr<TrainingPlan> plan =
        PlanTraining(network.model, kPrecisions, kPaperBatch);
    if (!plan.ok()) return plan.status();
    plans.push_back(*std::move(plan));
  }
  return plans;
}

// ---- What statements are about ----------------------------------------------

// Seeds that diverge in `precision` and not in FP32, of all runs of both.
Measurement MeasureDivergence(const Results& results,
                              std::string_view precision) {
  Measurement measured;
  double diverged = 0;
  for (const NetworkResults& network : results) {
    if (network.runs() == nullptr) continue;
    const std::string_view policy = network.PolicyOf(precision);
    const std::vector<uint64_t> ours = DivergedSeeds(*network.runs(), policy);
    const std::vector<uint64_t> fp32 = DivergedSeeds(*network.runs(), "FP32");
    for (const RunSet::Pair& pair : network.runs()->Pairs(policy, "FP32")) {
      ++measured.cases;
      diverged += absl::c_linear_search(ours, pair.a->seed()) &&
                  !absl::c_linear_search(fp32, pair.a->seed());
    }
  }
  if (measured.cases > 0) measured.networks = {{diverged}};
  return measured;
}

// "FP16-FP32": differences of each network; "FP16": its accuracies, beside the
// published ones.
absl::StatusOr<Measurement> MeasureAccuracy(const Results& results,
                                            std::string_view column,
                                            const Golden& published) {
  Measurement measured;
  const std::pair<std::string, std::string> pair =
      absl::StrSplit(column, absl::MaxSplits('-', 1));
  for (const NetworkResults& network : results) {
    if (!pair.second.empty()) {
      measured.networks.push_back(network.Differences(pair.first, pair.second));
      continue;
    }
    const absl::StatusOr<PaperValue> paper = PaperValueOf(
        published,
        absl::StrCat(network.network().model, "/", PaperColumn(column)));
    if (!paper.ok()) return paper.status();
    measured.networks.push_back(network.Accuracies(column));
    measured.published.push_back({paper->value(), paper->sd(), paper->n()});
  }
  return measured;
}

// A mean over some of the networks is not the table's; "" for all of them.
std::string MissingNetworks(absl::Span<const std::vector<double>> networks) {
  const auto without = absl::c_count_if(
      networks, [](const std::vector<double>& n) { return n.empty(); });
  if (without == 0) return "";
  return absl::StrCat("it is about all ", networks.size(), " networks, and of ",
                      without, " there is no pair");
}

Measurement MeasureParameters(const TrainingPlan& plan,
                              const PublishedTable::Row& row) {
  Measurement measured;
  measured.fact = true;
  measured.networks = {{static_cast<double>(plan.parameters) / 1e6}};
  measured.printed = row.parameters();
  measured.text = FormatCount(plan.parameters);
  measured.note = row.parameters_note();
  return measured;
}

absl::StatusOr<Measurement> MeasureTable2(const Asked& asked,
                                          const Results& results,
                                          absl::Span<const TrainingPlan> plans,
                                          const Published& published) {
  const std::pair<std::string, std::string> id =
      absl::StrSplit(asked.statement.id(), absl::MaxSplits('/', 1));
  for (size_t i = 0; i < plans.size(); ++i) {
    if (asked.model == Table2Networks()[i].model) {
      return MeasureParameters(plans[i],
                               published.table.rows(static_cast<int>(i)));
    }
  }
  absl::StatusOr<Measurement> measured =
      id.first == "diverged"
          ? MeasureDivergence(results, id.second)
          : MeasureAccuracy(results, id.second, published.values);
  if (!measured.ok()) return measured;
  if (asked.statement.rule() == Statement::POOLED) {
    measured->lacking = MissingNetworks(measured->networks);
  }
  SetTraining(results, published.values, &*measured);
  return measured;
}

// ---- The report -------------------------------------------------------------

// What the mean over networks says to the paper's claim, in two sentences.
// `estimated`: by EvaluationSpec.estimated_epochs.
void AddAnswer(const Judgements& judgements, bool estimated,
               report::Report* report) {
  std::vector<std::string> columns, ours, verdicts, no_loss;
  const report::Expectation* first = nullptr;
  for (std::string_view column : {"FP16-FP32", "FP16_BN32-FP32"}) {
    const Judgement* mean = judgements.Find(absl::StrCat("mean/", column));
    if (mean == nullptr || !mean->expectation.has_difference()) continue;
    if (first == nullptr) first = &mean->expectation;
    columns.push_back(ColumnTitle(column));
    ours.push_back(absl::StrCat(columns.back(), " is ",
                                FormatDifference(mean->expectation)));
    verdicts.push_back(VerdictWord(mean->expectation.verdict()));
    if (mean->expectation.verdict() == report::VERDICT_INCONCLUSIVE &&
        mean->expectation.interval().low() > -mean->expectation.margin()) {
      no_loss.push_back(columns.back());
    }
  }
  if (first == nullptr) {
    report->add_answer("No run was made at this scale.");
    return;
  }
  report->add_answer(absl::StrCat(
      "Test accuracy, ",
      estimated ? "with statistics of batch normalisation that are "
                  "estimated after the training, "
                : "",
      "mean over ", first->ours().n(), " networks: ", absl::StrJoin(ours, "; "),
      "."));
  // What is the same of all is said once.
  const bool alike = absl::c_all_of(verdicts, [&](const std::string& verdict) {
    return verdict == verdicts.front();
  });
  if (!alike) {
    for (size_t i = 0; i < verdicts.size(); ++i) {
      verdicts[i] = absl::StrCat(verdicts[i], " (", columns[i], ")");
    }
  }
  report->add_answer(absl::StrCat(
      "That 16 bits differ by no more than ", FormatShortest(first->margin()),
      " points: ", alike ? verdicts.front() : absl::StrJoin(verdicts, ", "),
      no_loss.empty() ? "" : "; that they lose so much is refuted for ",
      absl::StrJoin(no_loss, " and "), ". The paper's mean difference is ",
      PaperText(*first), "."));
}

// "FP16 - FP32 by -0.123 points [-0.456, +0.210]"
std::string DifferenceText(std::string_view what, const Equivalence& e) {
  std::string text = absl::StrFormat("%s by %+.3f points", what, e.difference);
  if (std::isfinite(e.low)) {
    absl::StrAppendFormat(&text, " [%+.3f, %+.3f]", e.low, e.high);
  }
  return text;
}

// Percent of the test images that `precision` and FP32 give one class, the mean
// over networks of the mean over seeds.
std::string AlikeText(absl::Span<const Agreements> images,
                      std::string_view precision) {
  std::vector<double> means;
  for (const Agreements& agreements : images) {
    const auto mean = MeanOf(agreements, precision, &Agreement::alike);
    if (mean) means.push_back(*mean);
  }
  if (means.empty()) return "none";
  return absl::StrFormat("%.1f%%", SampleOf(means).mean);
}

// What of that is chaos, and whether these runs can tell at all.
void AddControl(const Table2Data& data, absl::Span<const Agreements> images,
                report::Report* report) {
  const auto control = MeanDifference(data, kControlDifference, kFinal);
  if (!control) return;
  std::string text = absl::StrCat(
      DifferenceText(
          "The control, FP32 with one bit flipped, differs from FP32",
          *control),
      control->verdict == Verdict::kMatch
          ? ""
          : ", which the same test does not confirm as nothing");
  report->add_answer(
      absl::StrCat(text, ". Image by image FP16 gives FP32's class to ",
                   AlikeText(images, "FP16"), " of the test set, FP16_BN32 to ",
                   AlikeText(images, "FP16_BN32"), ", the control to ",
                   AlikeText(images, kControl), "."));
}

// What a difference of BF16 from FP32 says of what these runs can see.
std::string CoarseText(const Equivalence& coarse, double margin) {
  if (coarse.high < 0) return "BF16 loses, so these runs do see rounding";
  if (coarse.low > 0) {
    return "BF16 is above FP32, so nothing shows that these runs would see a "
           "loss";
  }
  if (coarse.verdict == Verdict::kMatch) {
    return absl::StrCat("even that rounding costs less than ",
                        FormatShortest(margin),
                        " points here, so nothing shows that these runs would "
                        "see a loss");
  }
  return absl::StrFormat(
      "whether even that rounding loses is not seen; a loss of under %.2f "
      "would "
      "usually be missed",
      coarse.smallest_detectable);
}

// A rounding eight times as coarse as FP16's, and FP16 in the same networks.
void AddCoarse(const Table2Data& data, report::Report* report) {
  std::vector<NetworkResults> networks;
  absl::c_copy_if(data.results, std::back_inserter(networks),
                  [](const NetworkResults& network) {
                    return !network.Differences("BF16", "FP32").empty();
                  });
  Table2Data some = data;
  some.results = networks;
  const auto coarse = MeanDifference(some, kCoarseDifference, kFinal);
  const auto fp16 = MeanDifference(some, "FP16-FP32", kFinal);
  if (!coarse || !fp16 || !std::isfinite(coarse->low)) return;
  const Judgement& mean = *data.judgements.Find("mean/FP16-FP32");
  report->add_answer(absl::StrCat(
      "BF16, which rounds eight times as coarsely, was trained in ",
      networks.size(), " of the networks: there ",
      DifferenceText("BF16 differs from FP32", *coarse), ", ",
      DifferenceText("FP16", *fp16), ": ",
      CoarseText(*coarse, mean.expectation.margin()), "."));
}

// What a user sees who evaluates with the moving averages.
void AddMoving(const Table2Data& data, report::Report* report) {
  std::vector<std::string> texts, refuted;
  double margin = 0;
  for (std::string_view column : {"FP16-FP32", "FP16_BN32-FP32"}) {
    const auto moving = MeanDifference(data, column, kTest);
    const Judgement* mean = data.judgements.Find(absl::StrCat("mean/", column));
    if (!moving || mean == nullptr) continue;
    margin = mean->expectation.margin();
    texts.push_back(DifferenceText(ColumnTitle(column), *moving));
    if (moving->low > -margin) refuted.push_back(ColumnTitle(column));
  }
  if (texts.empty()) return;
  report->add_answer(absl::StrCat(
      "With the moving averages of this training's momentum, as a user would "
      "evaluate: ",
      absl::StrJoin(texts, ", "), "; that ", FormatShortest(margin),
      " points are lost is refuted for ",
      refuted.empty() ? "neither" : absl::StrJoin(refuted, " and "), "."));
}

void AddSummary(const Judgements& judgements, report::Report* report) {
  report->add_summary(
      "Twelve networks, each trained from the same seeds, with the same "
      "initial weights and order of samples, in four precisions: FP16, which "
      "rounds everything that is stored to 16 bits; FP16_BN32, which leaves "
      "batch normalisation in 32 bits as the paper's framework does; FP32; and "
      "mixed precision (MP).");
  std::vector<std::string> texts;
  for (std::string_view column : kDifferences) {
    const Judgement* mean = judgements.Find(absl::StrCat("mean/", column));
    if (mean == nullptr || !mean->expectation.has_difference()) continue;
    texts.push_back(absl::StrCat(ColumnTitle(column), " is ",
                                 FormatDifference(mean->expectation)));
  }
  if (texts.empty()) {
    report->add_summary("No run was made at this scale.");
    return;
  }
  report->add_summary(
      absl::StrCat("Mean over networks: ", absl::StrJoin(texts, "; "), "."));
}

// What stands beside our runs: the paper's table, the modelled times (a binary
// file; may be missing) and the recorded runs.
struct Files {
  Published published;
  std::optional<CostModelReport> modelled;
  RecordedRuns recorded;
};

absl::StatusOr<Files> ReadFiles(absl::Span<const std::string> paths) {
  Files files;
  std::vector<std::string> records;
  for (const std::string& path : paths) {
    if (absl::EndsWith(path, ".pb")) {
      absl::Status status = ReadBinaryProto(path, &files.modelled.emplace());
      if (!status.ok()) return status;
      continue;
    }
    records.push_back(path);
    if (!absl::EndsWith(path, "/published.textproto")) continue;
    absl::StatusOr<Published> published = ReadPublished(path);
    if (!published.ok()) return published.status();
    files.published = *std::move(published);
  }
  if (files.published.table.rows_size() <
      static_cast<int>(Table2Networks().size())) {
    return absl::InvalidArgumentError(
        "--inputs: published.textproto with a row for each network is missing; "
        "add it");
  }
  absl::StatusOr<RecordedRuns> recorded = LoadRecordedRuns(records);
  if (!recorded.ok()) return recorded.status();
  files.recorded = *std::move(recorded);
  return files;
}

report::Report Start(const AnalysisInputs& inputs) {
  report::Report report = StartReport("table2", inputs.scale, inputs.sets);
  AddCifar10Reductions(inputs.sets, &report);
  report.set_title("Twelve networks on CIFAR-10 in 16, 32 and mixed bits");
  report.mutable_claim()->set_text(
      "FP16 performs competitively, with only a 0.2% average decrease compared "
      "to FP32 and MP across 12 architectures.");
  report.mutable_claim()->set_place("section 4.3, table 2");
  return report;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseTable2(const AnalysisInputs& inputs,
                                       const Golden& golden) {
  const absl::StatusOr<std::vector<TrainingPlan>> plans = PlanNetworks();
  if (!plans.ok()) return plans.status();
  const absl::StatusOr<Results> results = Table2Results(inputs.sets);
  if (!results.ok()) return results.status();
  const absl::StatusOr<std::vector<Agreements>> images =
      AgreeImageByImage(*results);
  if (!images.ok()) return images.status();
  const absl::StatusOr<Files> files = ReadFiles(inputs.files);
  if (!files.ok()) return files.status();
  const Published& published = files->published;
  const bool judged = Judged(inputs.sets);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, inputs.scale, judged, [&](const Asked& asked) {
        return MeasureTable2(asked, *results, *plans, published);
      });
  if (!judgements.ok()) return judgements.status();

  Analysis analysis;
  report::Report& report = analysis.report;
  report = Start(inputs);
  if (judged) AddBaseline(*results, published.values, &report);
  const Table2Data data{*results, *plans, *judgements, published.values};
  const bool estimated = absl::c_any_of(inputs.sets, [](const RunSet& set) {
    return set.spec().evaluation().estimated_epochs() > 0;
  });
  AddAnswer(*judgements, estimated, &report);
  if (estimated) AddMoving(data, &report);
  AddControl(data, *images, &report);
  AddCoarse(data, &report);
  AddSummary(*judgements, &report);
  AddDiverged(inputs.sets, &report);
  judgements->AddTo(&report);
  *report.add_tables() = AccuracyTable(data);
  *report.add_tables() = DifferenceTable(data);
  if (absl::c_any_of(*images, [](const Agreements& a) { return !a.empty(); })) {
    *report.add_tables() = ImageTable(*results, *images);
  }
  if (estimated) *report.add_tables() = MovingAverageTable(data);
  *report.add_tables() = SizeTable(data);
  if (!inputs.sets.empty()) {
    *report.add_tables() = ProtocolTable(inputs.sets);
  }
  *report.add_figures() = DifferenceFigure(data);
  if (files->modelled) {
    *report.add_tables() = ModelledTimesTable(*files->modelled);
  }
  AddRecordedRuns(files->recorded, &report);
  AddContradictions(&report);
  AddTable2Findings(&report);
  AddShortTraining(inputs.sets, &report);
  absl::Status status = AddTableArithmetic(published.values, &report);
  if (!status.ok()) return status;
  return analysis;
}

}  // namespace repro16
