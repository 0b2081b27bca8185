#include "experiments/lemma1/lemma1.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/answer.h"
#include "experiments/common/pair_statistics.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"
#include "experiments/lemma1/lattice.h"
#include "experiments/lemma1/network_report.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using report::Finding;

// Few classes with fine steps, more classes with coarser ones: a second's work.
std::vector<LatticeCounts> CountLattices() {
  return {CountPairs(2, 64), CountPairs(3, 16), CountPairs(4, 8)};
}

report::Table LatticeTable(const std::vector<LatticeCounts>& lattices) {
  report::Table table;
  table.set_title("All pairs of small probability vectors");
  table.set_caption(
      "Ordered pairs (p32, p16) of vectors whose entries have a common "
      "denominator up to the one given, in integer arithmetic. An argmax takes "
      "the lowest index.");
  AddColumns(
      {"classes", "denominator up to", "pairs", "Γ > 2δ", "classes differ",
       "Γ = 2δ", "classes differ", "without a tie", "Γ < 2δ", "classes differ"},
      &table);
  for (const LatticeCounts& c : lattices) {
    std::vector<report::Cell> cells;
    for (int64_t count :
         {int64_t{c.classes}, int64_t{c.max_denominator}, c.pairs, c.strict,
          c.strict_differ, c.boundary, c.boundary_differ, c.boundary_no_tie,
          c.unmet, c.unmet_differ}) {
      cells.push_back(CountCell(count));
    }
    AddRow(std::move(cells), &table);
  }
  return table;
}

report::Table CounterexampleTable(
    const std::vector<Counterexample>& counterexamples) {
  report::Table table;
  table.set_title("Smallest counterexamples at Γ = 2δ");
  table.set_caption(
      "Of two, three and four classes: least denominator, then first in order. "
      "Classes are counted from 0.");
  AddColumns({"p32", "p16", "class of p32", "class of p16"}, &table);
  for (const Counterexample& c : counterexamples) {
    AddRow({TextCell(ToString(c.p32)), TextCell(ToString(c.p16)),
            CountCell(c.verdict.class_32), CountCell(c.verdict.class_16)},
           &table);
  }
  return table;
}

absl::StatusOr<Measurement> MeasureLemma1(
    const Asked& asked, const std::vector<LatticeCounts>& lattices,
    const std::vector<PairStatistics>& pairs) {
  PremiseCounts strict, boundary, networks;
  int64_t without_tie = 0;
  for (const LatticeCounts& counts : lattices) {
    strict.samples += counts.strict;
    strict.differ += counts.strict_differ;
    boundary.samples += counts.boundary;
    boundary.differ += counts.boundary_differ;
    without_tie += counts.boundary_no_tie;
  }
  for (const PairStatistics& pair : pairs) {
    networks.samples += pair.strict.samples;
    networks.differ += pair.strict.differ;
  }
  const std::string& id = asked.statement.id();
  if (id == "strict_networks") return MeasureDiffering(networks, "differ");
  // The lattice is mathematics, and judged whatever the runs are.
  if (id == "strict_lattice") {
    Measurement measured = MeasureDiffering(strict, "differ");
    measured.fact = true;
    return measured;
  }
  if (id == "boundary_lattice") {
    Measurement measured = MeasureAtBoundary(boundary, without_tie);
    measured.fact = true;
    return measured;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("golden values of lemma1: statement \"", id,
                   "\" is not known; correct its id"));
}

void AddBoundaryFinding(const Counterexample& smallest,
                        report::Report* report) {
  AddFinding(
      Finding::UNSTATED, "At equality Lemma 1 needs a rule for ties",
      absl::StrCat(
          "Eq. 3 admits equality. With p32 = ", ToString(smallest.p32),
          " and p16 = ", ToString(smallest.p16),
          ", Γ = 2δ, yet p32 names class ", smallest.verdict.class_32,
          " and p16, by a tie that goes to the lowest index, class ",
          smallest.verdict.class_16,
          ". At Γ = 2δ the class of p32 is always among the largest of p16, so "
          "a tie is the only way to part; with Γ > 2δ, or a rule that breaks "
          "ties in favour of the other network's class, the lemma is right."),
      "section 3.2, lemma 1, Eq. 3", report);
}

// What a correct lattice and correct networks cannot show.
std::vector<std::string> FailedChecks(
    const std::vector<LatticeCounts>& lattices,
    const std::vector<PairStatistics>& pairs) {
  std::vector<std::string> failed;
  for (const LatticeCounts& counts : lattices) {
    if (counts.strict_differ == 0 && counts.boundary_no_tie == 0) continue;
    failed.push_back(absl::StrCat(
        "lattice of ", counts.classes, " classes: ", counts.strict_differ,
        " pairs with Γ > 2δ differ, and ", counts.boundary_no_tie,
        " with Γ = 2δ differ without a tie"));
  }
  for (const PairStatistics& pair : pairs) {
    for (const std::string& violation : pair.violations) {
      failed.push_back(violation);
    }
  }
  return failed;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseLemma1(const RunSet& runs,
                                       const Golden& golden) {
  const absl::StatusOr<std::vector<PairStatistics>> pairs =
      CompareEachPolicy(runs);
  if (!pairs.ok()) return pairs.status();
  const std::vector<LatticeCounts> lattices = CountLattices();
  std::vector<Counterexample> counterexamples;
  for (int classes : {2, 3, 4}) {
    std::optional<Counterexample> found = SmallestCounterexample(classes, 8);
    if (found) counterexamples.push_back(*std::move(found));
  }

  Analysis analysis;
  analysis.failed_checks = FailedChecks(lattices, *pairs);
  report::Report& report = analysis.report;
  report = StartReport("lemma1", runs);
  AddMnistReductions(runs, &report);
  report.set_title("Lemma 1: when two networks must name the same class");
  report.mutable_claim()->set_text(
      "But as long as [Eq. 3 holds], the two classifiers [...] must have the "
      "same classification result on [a sample].");
  report.mutable_claim()->set_place("section 3.2, lemma 1");
  report.add_summary(
      "The paper's Lemma 1 (section 3.2) in our words: if the classification "
      "tolerance Γ of the 32-bit network is at least twice the floating-point "
      "error δ (Eq. 3), both networks name the same class.");
  report.add_summary(
      "Lemma 1 on every pair of small probability vectors, in integers, and on "
      "every sample of the MNIST test set, in exact arithmetic on the stored "
      "probabilities.");
  const absl::StatusOr<Judgements> judgements =
      JudgeAll(golden, runs.scale(), runs.Judged(), [&](const Asked& asked) {
        return MeasureLemma1(asked, lattices, *pairs);
      });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(&report);
  AddAnswer({"strict_lattice", "strict_networks"}, &report);
  *report.add_tables() = LatticeTable(lattices);
  *report.add_tables() = CounterexampleTable(counterexamples);
  *report.add_tables() = NetworksTable(
      "MNIST networks",
      "Test samples of a 16-bit network against the FP32 network of the same "
      "seed. Guaranteed and alike are shares of all samples.",
      *pairs);
  if (!counterexamples.empty()) {
    AddBoundaryFinding(counterexamples.front(), &report);
  }
  return analysis;
}

}  // namespace repro16
