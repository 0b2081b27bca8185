#include "experiments/fig1/cifar10/fig1_cifar10.h"

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
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/fig1/cifar10/figures.h"
#include "experiments/fig1/cifar10/network_statistics.h"
#include "experiments/fig1/tables.h"
#include "reports/format.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

using report::Finding;
using Networks = std::vector<NetworkStatistics>;

constexpr std::string_view kPolicies[] = {"FP16", "FP16_BN32", "MP", kControl};
constexpr std::string_view kGuaranteed = "share_guaranteed";

// ---- Verdicts --------------------------------------------------------------

// One number a pair: "share_guaranteed/..." or "ratio/...". For a model, FP16
// of that network; for a reading, of all.
Measurement MeasureFigure1Cifar10(const Asked& asked,
                                  const Networks& networks) {
  const auto values = absl::StartsWith(asked.statement.id(), kGuaranteed)
                          ? &Comparison::guaranteed
                          : &Comparison::tolerance_ratio;
  Measurement measured;
  std::vector<NetworkResults> counted;
  for (const NetworkStatistics& network : networks) {
    const Network& who = network.results.network();
    if (!asked.model.empty() && asked.model != who.model) continue;
    const std::string_view precision =
        asked.reading.empty() ? "FP16" : std::string_view(asked.reading);
    measured.networks.push_back(
        network.Of(network.results.PolicyOf(precision)).*values);
    counted.push_back(network.results);
  }
  measured.training = TrainingOf(counted);
  return measured;
}

// ---- Tables ----------------------------------------------------------------

report::Cell PercentCell(const Comparison& comparison, double share) {
  return comparison.Empty() ? TextCell("–") : NumberCell(share, Percent(share));
}

report::Table SharesTable(const Networks& networks) {
  report::Table table;
  table.set_title("What Lemma 1 covers");
  table.set_caption(
      "Shares of the test samples of all seeds, against FP32 of the same seed; "
      "then FP32 with one bit flipped (the control), and in the last columns "
      "FP32 of the next seed. Alike: both "
      "networks name the same class. A network without batch normalisation "
      "has no FP16_BN32, which would be its FP16.");
  AddColumns({"network", "FP16 Γ ≥ 2δ", "alike", "FP16_BN32 Γ ≥ 2δ", "alike",
              "MP Γ ≥ 2δ", "alike", "control Γ ≥ 2δ", "alike",
              "next seed Γ ≥ 2δ", "alike"},
             &table);
  for (const NetworkStatistics& network : networks) {
    std::vector<report::Cell> cells = {TextCell(network.name)};
    const auto add = [&cells](const Comparison& comparison) {
      const PairStatistics& pooled = comparison.pooled;
      cells.push_back(PercentCell(comparison, pooled.Covered()));
      cells.push_back(PercentCell(comparison, pooled.Alike()));
    };
    for (std::string_view policy : kPolicies) add(network.Of(policy));
    add(network.seeds);
    AddRow(std::move(cells), &table);
  }
  return table;
}

// The mean error of `comparison` over that of a change of seed; 0 where there
// is no such quotient.
double ShareOfSeeds(const NetworkStatistics& network,
                    const Comparison& comparison) {
  const PairStatistics& seeds = network.seeds.pooled;
  if (!seeds.Finite() || !comparison.pooled.Finite()) return 0;
  if (!(seeds.error.mean > 0)) return 0;
  return comparison.pooled.error.mean / seeds.error.mean;
}

report::Table PrecisionTable(const Networks& networks) {
  report::Table table;
  table.set_title("How much of the error is precision");
  table.set_caption(
      "Mean δ between two FP32 networks of different seeds, which no "
      "difference of precision has made; and the mean δ of a 16-bit network, "
      "and of FP32 with one bit flipped (the control), against FP32 of the "
      "same seed, in percent of it.");
  AddColumns(
      {"network", "FP32 of two seeds", "FP16", "FP16_BN32", "MP", "control"},
      &table);
  for (const NetworkStatistics& network : networks) {
    const PairStatistics& seeds = network.seeds.pooled;
    std::vector<report::Cell> cells = {
        TextCell(network.name),
        seeds.Finite()
            ? NumberCell(seeds.error.mean, Scientific(seeds.error.mean))
            : TextCell("–")};
    for (std::string_view policy : kPolicies) {
      const double share = ShareOfSeeds(network, network.Of(policy));
      cells.push_back(
          share > 0 ? NumberCell(share, absl::StrFormat("%.3g%%", 100 * share))
                    : TextCell("–"));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

void AddMoments(const Networks& networks, report::Report* report) {
  const auto add = [&](std::string_view title, std::string_view caption,
                       auto comparison_of) {
    std::vector<PairStatistics> rows;
    for (const NetworkStatistics& network : networks) {
      const Comparison& comparison = comparison_of(network);
      if (!comparison.Empty()) rows.push_back(comparison.pooled);
    }
    if (!rows.empty())
      *report->add_tables() = MomentsTable(title, caption, rows);
  };
  for (std::string_view policy : kPolicies) {
    add(absl::StrCat("Error and tolerance, ", policy, " against FP32"),
        "Of the same seed; moments over the test samples of all seeds. On "
        "MNIST the paper finds a ratio of about 100.",
        [policy](const NetworkStatistics& network) -> const Comparison& {
          return network.Of(policy);
        });
  }
  add("Control: what a change of seed does",
      "FP32 against FP32 of the next seed: no difference of precision.",
      [](const NetworkStatistics& network) -> const Comparison& {
        return network.seeds;
      });
}

// ---- Findings --------------------------------------------------------------

// What a change of seed does, beside a change of precision.
void AddShareOfPrecision(const Networks& networks, report::Report* report) {
  std::vector<std::pair<double, std::string>> shares;
  for (const NetworkStatistics& network : networks) {
    const double share = ShareOfSeeds(network, network.Of("FP16"));
    if (share > 0) shares.emplace_back(share, network.name);
  }
  if (shares.empty()) return;
  absl::c_sort(shares);
  const auto text = [](const std::pair<double, std::string>& share) {
    return absl::StrFormat("%.3g%% (%s)", 100 * share.first, share.second);
  };
  const auto less = absl::c_count_if(
      shares, [](const auto& share) { return share.first < 1; });
  AddFinding(
      Finding::UNSTATED, "How much of the error is precision",
      absl::StrCat("The mean δ of FP16 and FP32 of the same seed is from ",
                   text(shares.front()), " to ", text(shares.back()),
                   " of that of two FP32 networks of different seeds; it is "
                   "smaller for ",
                   less, " of ", shares.size(),
                   " networks. δ compares two trained networks, and holds all "
                   "that training makes of a rounding error; the paper has no "
                   "such control."),
      "section 3.2, definition 1", report);
}

void AddNotFinite(const Networks& networks, report::Report* report) {
  std::vector<std::string> parts;
  for (const NetworkStatistics& network : networks) {
    for (const auto& [policy, comparison] : network.policies) {
      const PairStatistics& pooled = comparison.pooled;
      if (pooled.not_finite.samples == 0) continue;
      parts.push_back(absl::StrCat(network.name, " ", policy, ": ",
                                   FormatCount(pooled.not_finite.samples),
                                   " of ", FormatCount(pooled.samples())));
    }
  }
  if (parts.empty()) return;
  AddFinding(Finding::UNSTATED, "Samples without finite probabilities",
             absl::StrCat("Of these samples one of the two networks has an "
                          "infinity or a NaN among its probabilities: ",
                          absl::StrJoin(parts, "; "),
                          ". They satisfy nothing, count in every share, and "
                          "are in no moment."),
             "section 3.2", report);
}

void AddFindings(const Networks& networks, report::Report* report) {
  AddContradictions(report);
  AddNotFinite(networks, report);
  // Made-up data and runs of tests say nothing about the paper.
  if (networks.empty() || !networks.front().results.runs()->Judged()) return;
  AddShareOfPrecision(networks, report);
  AddFinding(Finding::LIMITATION, "Γ and δ are those of the trained networks",
             "Probabilities are stored after the last epoch, so the page shows "
             "how far training guides them towards 1, not on which way. A "
             "longer training moves both Γ and δ: verdicts are on networks "
             "trained as the provenance says.",
             "section 3.3", report);
}

// In %: the least share that is a large majority by the statement's rule.
double LargeMajority(const Golden& golden) {
  const Statement* statement =
      FindStatement(golden, absl::StrCat(kGuaranteed, "/{fp16}"));
  return statement == nullptr ? 0 : statement->value() - statement->margin();
}

void Describe(report::Report* report) {
  report->set_title(
      "Floating-point error and classification tolerance on CIFAR-10");
  report->mutable_claim()->set_text(
      "Nevertheless, we cautiously believe that for complex neural networks, a "
      "large majority of data satisfies Eq. 3. This belief stems from the fact "
      "that the loss function [...] guides the probabilities towards 1 during "
      "training, thereby resulting in a larger error tolerance compared to the "
      "relatively smaller [δ].");
  report->mutable_claim()->set_place("section 3.3");
  report->add_summary(
      "The paper shows error and tolerance on MNIST only. This is the same for "
      "the networks of table 2: for each test sample, δ is the largest "
      "difference between the class probabilities of a 16-bit and the FP32 "
      "network of one seed, and Γ the largest minus the second-largest "
      "probability of the FP32 network; Eq. 3 is Γ ≥ 2δ.");
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFigure1Cifar10(const AnalysisInputs& inputs,
                                               const Golden& golden) {
  const absl::StatusOr<Networks> networks = CompareEachNetwork(inputs.sets);
  if (!networks.ok()) return networks.status();
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig1/cifar10", inputs.scale, inputs.sets);
  AddCifar10Reductions(inputs.sets, &report);
  Describe(&report);
  AddDiverged(inputs.sets, &report);
  const bool judged = Judged(inputs.sets);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, inputs.scale, judged, [&](const Asked& asked) {
        return MeasureFigure1Cifar10(asked, *networks);
      });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(&report);
  if (networks->empty()) {
    report.add_summary("No run of this experiment was made at this scale.");
    return analysis;
  }
  *report.add_tables() = SharesTable(*networks);
  *report.add_tables() = PrecisionTable(*networks);
  AddMoments(*networks, &report);
  *report.add_tables() = ProtocolTable(inputs.sets);
  *report.add_figures() = SpreadFigure(*networks);
  *report.add_figures() = GuaranteedFigure(*networks, LargeMajority(golden));
  AddFindings(*networks, &report);
  AddShortTraining(inputs.sets, &report);
  return analysis;
}

}  // namespace repro16
