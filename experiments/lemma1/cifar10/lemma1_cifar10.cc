#include "experiments/lemma1/cifar10/lemma1_cifar10.h"

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/pair_statistics.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/lemma1/network_report.h"

namespace repro16 {
namespace {

using report::Finding;

// The pairs of one network's runs.
struct NetworkPairs {
  std::string network;                 // as the paper writes it
  std::vector<PairStatistics> pairs;   // "FP16 seed 1"
  std::vector<PairStatistics> pooled;  // of all seeds: "AlexNet FP16"
};

// Samples without the lemma's promise, and those of them with one class.
int64_t NotGuaranteed(const PairStatistics& pair) {
  return pair.samples() - pair.strict.samples;
}
int64_t AlikeAnyhow(const PairStatistics& pair) {
  return pair.alike() - (pair.strict.samples - pair.strict.differ);
}

absl::StatusOr<std::vector<NetworkPairs>> ComparePairsOf(
    absl::Span<const RunSet> sets) {
  std::vector<NetworkPairs> networks;
  for (const RunSet& set : sets) {
    absl::StatusOr<std::vector<PairStatistics>> pairs = CompareEachPolicy(set);
    if (!pairs.ok()) return pairs.status();
    NetworkPairs network;
    network.network = NetworkName(set.spec().model());
    network.pairs = *std::move(pairs);
    for (const std::string& policy : set.Policies()) {
      std::vector<PairStatistics> of_policy;
      for (const PairStatistics& pair : network.pairs) {
        if (pair.policy == policy) of_policy.push_back(pair);
      }
      if (of_policy.empty()) continue;
      network.pooled.push_back(
          Pool(absl::StrCat(network.network, " ", policy), of_policy));
    }
    networks.push_back(std::move(network));
  }
  return networks;
}

std::vector<PairStatistics> AllPooled(
    const std::vector<NetworkPairs>& networks) {
  std::vector<PairStatistics> all;
  for (const NetworkPairs& network : networks) {
    all.insert(all.end(), network.pooled.begin(), network.pooled.end());
  }
  return all;
}

// ---- Statements ------------------------------------------------------------

Measurement MeasureLemma1Cifar10(const Asked& asked,
                                 const std::vector<NetworkPairs>& networks) {
  PremiseCounts strict, boundary, in_common;
  for (const NetworkPairs& network : networks) {
    for (const PairStatistics& pair : network.pairs) {
      strict.samples += pair.strict.samples;
      strict.differ += pair.strict.differ;
      boundary.samples += pair.boundary.samples;
      boundary.differ += pair.boundary.differ;
      ++in_common.samples;
      in_common.differ +=
          pair.alike() < pair.strict.samples + pair.boundary.samples;
    }
  }
  if (in_common.samples == 0) return {};
  const std::string& id = asked.statement.id();
  if (id == "strict_networks") return MeasureDiffering(strict, "differ");
  if (id == "in_common") return MeasureDiffering(in_common, "have fewer");
  // By the lemma's proof they differ by a tie only.
  return MeasureAtBoundary(boundary, 0);
}

// ---- Tables and figures ----------------------------------------------------

report::Table BoundTable(const std::vector<PairStatistics>& pairs) {
  report::Table table;
  table.set_title("How loose the bound is");
  table.set_caption(
      "Alike less guaranteed, in points: what the lemma cannot see. Alike "
      "anyhow: the share of the samples without its promise that are "
      "classified alike. The closest case is, of the samples to which two "
      "networks give different classes, that with the largest Γ / 2δ: the "
      "lemma says that it never is above 1, and it is sharp where 1 is "
      "reached.");
  AddColumns({"networks", "guaranteed", "alike", "points", "alike anyhow",
              "largest Γ / 2δ of two classes"},
             &table);
  for (const PairStatistics& p : pairs) {
    const double points = 100 * (p.Alike() - p.Guaranteed());
    const int64_t rest = NotGuaranteed(p);
    const double anyhow =
        rest == 0 ? 0 : static_cast<double>(AlikeAnyhow(p)) / rest;
    const ClosestCase& closest = p.closest;
    AddRow(
        {TextCell(p.name), NumberCell(p.Guaranteed(), Percent(p.Guaranteed())),
         NumberCell(p.Alike(), Percent(p.Alike())),
         NumberCell(points, absl::StrFormat("%.2f", points)),
         rest == 0 ? TextCell("–") : NumberCell(anyhow, Percent(anyhow)),
         closest.sample.empty()
             ? TextCell("–")
             : NumberCell(closest.Ratio(),
                          absl::StrFormat("%.4f", closest.Ratio()))},
        &table);
  }
  return table;
}

report::Figure AgreementFigure(const std::vector<NetworkPairs>& networks) {
  report::Figure figure;
  figure.set_name("agreement");
  figure.set_title("What Lemma 1 guarantees, and what is so");
  figure.set_caption(
      "Shares of the test samples, all seeds together, of a 16-bit network "
      "and FP32 of the same seed. The ring: samples with Γ > 2δ, for which the "
      "lemma guarantees the same class; the dot: samples that both networks "
      "classify alike. The line between them is what the lemma cannot see.");
  figure.set_spec("agreement.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("agreement");
  for (const char* field : {"network", "policy", "guaranteed", "alike"}) {
    data->add_fields(field);
  }
  for (const NetworkPairs& network : networks) {
    for (const PairStatistics& pair : network.pooled) {
      AddRecord({ChartText(network.network), ChartText(pair.policy),
                 ChartNumber(100 * pair.Guaranteed()),
                 ChartNumber(100 * pair.Alike())},
                data);
    }
  }
  return figure;
}

// ---- Findings --------------------------------------------------------------

std::string Range(const std::map<double, std::string>& values) {
  const auto text = [](const std::pair<const double, std::string>& value) {
    return absl::StrCat(Percent(value.first), " (", value.second, ")");
  };
  return absl::StrCat("from ", text(*values.begin()), " to ",
                      text(*values.rbegin()));
}

// The paper leaves p open.
void AddMeasuredShare(const std::vector<NetworkPairs>& networks,
                      report::Report* report) {
  std::map<double, std::string> guaranteed, alike;
  ClosestCase closest;
  for (const NetworkPairs& network : networks) {
    for (const PairStatistics& pair : network.pooled) {
      if (!pair.closest.sample.empty() &&
          (closest.sample.empty() || pair.closest.Ratio() > closest.Ratio())) {
        closest = pair.closest;
        closest.sample = absl::StrCat(network.network, " ", closest.sample);
      }
      if (pair.policy != "FP16") continue;
      guaranteed.emplace(pair.Guaranteed(), network.network);
      alike.emplace(pair.Alike(), network.network);
    }
  }
  if (guaranteed.empty()) return;
  std::string text = absl::StrCat(
      "The paper calls the exact percentage p of samples that satisfy Eq. 3 a "
      "challenge. For FP16 it is ",
      Range(guaranteed), ", and the share of samples that FP16 and FP32 ",
      "classify alike is ", Range(alike), ".");
  if (!closest.sample.empty()) {
    absl::StrAppendFormat(
        &text,
        " Of all samples with two classes, in any precision, the closest to "
        "what the lemma rules out has Γ = %.4f times 2δ (%s).",
        closest.Ratio(), closest.sample);
  }
  AddFinding(Finding::UNSTATED, "The percentage p", text, "section 3.3",
             report);
}

void AddNotFinite(const std::vector<PairStatistics>& pairs,
                  report::Report* report) {
  for (const PairStatistics& pair : pairs) {
    if (pair.not_finite.samples == 0) continue;
    AddFinding(Finding::UNSTATED,
               absl::StrCat(pair.name, ": probabilities that are not finite"),
               absl::StrCat(pair.not_finite.samples, " of ", pair.samples(),
                            " test samples have an infinity or a NaN among "
                            "the probabilities of either network. The lemma "
                            "says nothing of them; they count in every share."),
               "section 3.2, lemma 1", report);
  }
}

void Describe(report::Report* report) {
  report->set_title("Lemma 1 on CIFAR-10: how many classes it guarantees");
  report->mutable_claim()->set_text(
      "In theory, if a certain percentage, denoted by [p], of samples in a "
      "dataset satisfy Eq. 3, Lemma 1 guarantees that the 32-bit and 16-bit "
      "models will have at least [p] of their classification results in "
      "common. However, determining the exact [p] poses a challenge.");
  report->mutable_claim()->set_place("section 3.3");
  report->add_summary(
      "Lemma 1 as a check on every test sample of every pair of networks of "
      "table 2, in exact arithmetic on the stored probabilities: a sample with "
      "Γ > 2δ and two classes would fail this target. The shares tell how much "
      "of the agreement of two networks the lemma explains.");
}

}  // namespace

absl::StatusOr<Analysis> AnalyseLemma1Cifar10(const AnalysisInputs& inputs,
                                              const Golden& golden) {
  const absl::StatusOr<std::vector<NetworkPairs>> networks =
      ComparePairsOf(inputs.sets);
  if (!networks.ok()) return networks.status();
  Analysis analysis;
  for (const NetworkPairs& network : *networks) {
    for (const PairStatistics& pair : network.pairs) {
      for (const std::string& violation : pair.violations) {
        analysis.failed_checks.push_back(
            absl::StrCat(network.network, " ", violation));
      }
    }
  }
  report::Report& report = analysis.report;
  report = StartReport("lemma1/cifar10", inputs.scale, inputs.sets);
  AddCifar10Reductions(inputs.sets, &report);
  Describe(&report);
  AddDiverged(inputs.sets, &report);
  const bool judged = Judged(inputs.sets);
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, inputs.scale, judged, [&](const Asked& asked) {
        return MeasureLemma1Cifar10(asked, *networks);
      });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(&report);
  if (networks->empty()) {
    report.add_summary("No run of this experiment was made at this scale.");
    return analysis;
  }
  const std::vector<PairStatistics> pooled = AllPooled(*networks);
  *report.add_tables() = BoundTable(pooled);
  *report.add_tables() = NetworksTable(
      "Samples by premise",
      "Test samples of all seeds, of a 16-bit network against FP32 of the same "
      "seed. Guaranteed and alike are shares of all samples.",
      pooled);
  *report.add_tables() = ProtocolTable(inputs.sets);
  *report.add_figures() = AgreementFigure(*networks);
  AddContradictions(&report);
  AddNotFinite(pooled, &report);
  // Made-up data and runs of tests say nothing about the paper.
  if (judged) AddMeasuredShare(*networks, &report);
  return analysis;
}

}  // namespace repro16
