#include "experiments/beyond/formats/formats.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "reports/format.h"

namespace repro16 {
namespace {

constexpr std::string_view kPolicies[] = {"FP32", "FP16", "FP16_BN32",
                                          "MP",   "BF16", "FP16_ACC16"};
// Those that the paper does not have.
constexpr std::string_view kBeyond[] = {"BF16", "FP16_ACC16"};

using Results = std::vector<NetworkResults>;

// "mean/BF16", "every/BF16": differences from FP32, network by network.
Measurement MeasureFormats(const Asked& asked, const Results& results) {
  const std::pair<std::string, std::string> id =
      absl::StrSplit(asked.statement.id(), absl::MaxSplits('/', 1));
  Measurement measured;
  for (const NetworkResults& network : results) {
    measured.networks.push_back(network.Differences(id.second, "FP32"));
  }
  measured.training = TrainingOf(results);
  return measured;
}

report::Table AccuracyTable(const Results& results) {
  report::Table table;
  table.set_title("Test accuracy after the last epoch");
  table.set_caption("Mean ± standard deviation (seeds), in percent.");
  AddColumns(
      {"network", "FP32", "FP16", "FP16_BN32", "MP", "BF16", "FP16_ACC16"},
      &table);
  for (const NetworkResults& network : results) {
    std::vector<report::Cell> cells = {TextCell(network.network().name)};
    for (std::string_view policy : kPolicies) {
      cells.push_back(network.PolicyOf(policy) == policy
                          ? EstimateCell(network.Accuracies(policy))
                          : TextCell("-"));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

// "[-0.40, +0.16]", and the verdict.
report::Cell IntervalCell(const std::optional<Equivalence>& test,
                          report::Verdict verdict) {
  report::Cell cell = TextCell("-");
  if (test && test->low > -std::numeric_limits<double>::infinity()) {
    report::Interval interval;
    interval.set_low(test->low);
    interval.set_high(test->high);
    cell.set_text(FormatInterval(interval));
  }
  cell.set_verdict(verdict);
  return cell;
}

report::Table DifferenceTable(const Results& results,
                              const Judgements& judgements) {
  report::Table table;
  table.set_title("Differences from FP32, network by network");
  table.set_caption(
      "In points of test accuracy, paired by seed: mean ± standard deviation "
      "(seeds), and the 90% interval, with the verdict on the network. "
      "Verdicts are adjusted for the number of networks (Holm).");
  AddColumns({"network", "BF16 - FP32", "90% interval", "FP16_ACC16 - FP32",
              "90% interval"},
             &table);
  for (size_t i = 0; i < results.size(); ++i) {
    std::vector<report::Cell> cells = {TextCell(results[i].network().name)};
    for (std::string_view policy : kBeyond) {
      const Judgement* every = judgements.Find(absl::StrCat("every/", policy));
      cells.push_back(
          EstimateCell(results[i].Differences(policy, "FP32"), true));
      cells.push_back(every == nullptr
                          ? TextCell("-")
                          : IntervalCell(every->tests[i], every->verdicts[i]));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

// ---- Rounding ---------------------------------------------------------------

// What rounding did to one kind of tensor in all runs of a policy.
struct Stores {
  uint64_t stored = 0;
  uint64_t not_finite = 0;
  uint64_t underflow = 0;

  void Add(const StoreCounts& counts) {
    stored += counts.stored();
    not_finite += counts.infinite() + counts.nan();
    underflow += counts.underflow();
  }
};

// "0.12%" of what was stored; "0" where none was lost.
report::Cell UnderflowCell(const Stores& stores) {
  if (stores.stored == 0) return TextCell("-");
  const double share = static_cast<double>(stores.underflow) /
                       static_cast<double>(stores.stored);
  return NumberCell(
      share,
      share == 0 ? "0" : absl::StrCat(FormatNumber(100 * share, 2), "%"));
}

report::Table RoundingTable(absl::Span<const RunSet> sets) {
  report::Table table;
  table.set_title("Rounding, network by network");
  table.set_caption(
      "Over all steps of all seeds. Not finite: infinities and NaNs stored; "
      "MP's loss scaling skips such steps. "
      "Underflow: results that were not 0 and were stored as 0, as a share of "
      "what was stored. What FP16_ACC16 loses inside a sum, term by term, is "
      "in no count: only results are stored.");
  AddColumns({"network", "policy", "runs", "diverged", "not finite",
              "skipped steps", "underflow, activations", "their gradients",
              "weight gradients", "parameters"},
             &table);
  for (const RunSet& set : sets) {
    for (const std::string& policy : set.Policies()) {
      Stores activations, gradients, weight_gradients, parameters;
      int64_t skipped = 0;
      for (const TrainedRun* run : set.OfPolicy(policy)) {
        for (const EpochResult& epoch : run->result.epochs()) {
          activations.Add(epoch.rounding().activations());
          gradients.Add(epoch.rounding().activation_gradients());
          weight_gradients.Add(epoch.rounding().weight_gradients());
          parameters.Add(epoch.rounding().parameters());
        }
        for (const StepResult& step : run->result.steps()) {
          skipped += step.skipped();
        }
      }
      AddRow({TextCell(NetworkName(set.spec().model())), TextCell(policy),
              CountCell(set.OfPolicy(policy).size()),
              CountCell(DivergedSeeds(set, policy).size()),
              CountCell(activations.not_finite + gradients.not_finite +
                        weight_gradients.not_finite + parameters.not_finite),
              CountCell(skipped), UnderflowCell(activations),
              UnderflowCell(gradients), UnderflowCell(weight_gradients),
              UnderflowCell(parameters)},
             &table);
    }
  }
  return table;
}

report::Figure DifferenceFigure(const Results& results) {
  report::Figure figure;
  figure.set_name("difference");
  figure.set_title("Differences from FP32, seed by seed");
  figure.set_caption(
      "A panel for each network: test accuracy after the last epoch less that "
      "of FP32 with the same seed, in points. A ring is a seed, the bar their "
      "mean.");
  figure.set_spec("difference.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("difference");
  for (const char* field : {"network", "policy", "seed", "points"}) {
    data->add_fields(field);
  }
  for (const NetworkResults& network : results) {
    const RunSet& set = *network.runs();
    for (const std::string& policy : set.Policies()) {
      if (policy == "FP32") continue;
      const std::vector<RunSet::Pair> pairs = set.Pairs(policy, "FP32");
      const std::vector<double> points = network.Differences(policy, "FP32");
      for (size_t i = 0; i < pairs.size(); ++i) {
        AddRecord({ChartText(network.network().name), ChartText(policy),
                   ChartNumber(pairs[i].a->seed()), ChartNumber(points[i])},
                  data);
      }
    }
  }
  return figure;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFormats(const AnalysisInputs& inputs,
                                        const Golden& golden) {
  const std::vector<RunSet>& sets = inputs.sets;
  const Results results = ResultsOf(sets);
  const absl::StatusOr<Judgements> judgements = JudgeAll(
      golden, inputs.scale, Judged(sets),
      [&](const Asked& asked) { return MeasureFormats(asked, results); });
  if (!judgements.ok()) return judgements.status();
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("beyond/formats", inputs.scale, sets);
  AddCifar10Reductions(sets, &report);
  report.set_title("Beyond the paper: bfloat16 and 16-bit accumulators");
  report.mutable_claim()->set_text(
      "This work focuses on IEEE binary16 due to its wider accessibility "
      "compared to Google Brain's bfloat16.");
  report.mutable_claim()->set_place("section 1");
  report.add_summary(
      "What the paper leaves out, on those networks of table 2 whose runs are "
      "short. BF16 "
      "stores bfloat16 where FP16 stores binary16: fewer digits, the range of "
      "32 bits. FP16_ACC16 also rounds every sum of a dot product to binary16, "
      "term by term, which FP16 does not: there sums are kept in 32 bits, as "
      "tensor cores do.");
  AddDiverged(sets, &report);
  judgements->AddTo(&report);
  if (!sets.empty()) {
    *report.add_tables() = AccuracyTable(results);
    *report.add_tables() = DifferenceTable(results, *judgements);
    *report.add_tables() = RoundingTable(sets);
    *report.add_tables() = ProtocolTable(sets);
  }
  *report.add_figures() = DifferenceFigure(results);
  return analysis;
}

}  // namespace repro16
