#include "experiments/fig4/statements.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "analysis/statistics.h"
#include "experiments/common/cifar10.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr size_t kFewestForABox = 5;

// What is read as the paper's FP16.
struct Reading {
  std::string_view suffix;  // of golden values' ids
  std::string_view name;
  std::string_view (*policy_of)(const RunSet&);
};

constexpr Reading kReadings[] = {
    {"", "FP16", [](const RunSet&) { return std::string_view("FP16"); }},
    {"_bn32", "FP16_BN32", FrameworkFp16},
};

// Final test accuracies of one network, in percent.
struct Accuracies {
  std::vector<double> fp16, fp32, mp;
};

std::vector<Accuracies> AccuraciesOf(absl::Span<const RunSet> sets,
                                     const Reading& reading) {
  std::vector<Accuracies> networks;
  for (const RunSet& set : sets) {
    networks.push_back({FinalTestAccuracies(set, reading.policy_of(set)),
                        FinalTestAccuracies(set, "FP32"),
                        FinalTestAccuracies(set, "MP")});
  }
  return networks;
}

// A count over networks.
struct Count {
  int64_t holds = 0;
  int64_t networks = 0;  // that hold or do not
  int64_t equal = 0;     // beside them
  int64_t too_few = 0;   // beside them: too few seeds to tell
};

report::Verdict VerdictOnMost(const Count& count) {
  switch (SignTest(count.holds, count.networks)) {
    case SignVerdict::kMost:
      return report::VERDICT_MATCH;
    case SignVerdict::kFewest:
      return report::VERDICT_DIFFER;
    case SignVerdict::kUndecided:
      break;
  }
  return report::VERDICT_INCONCLUSIVE;
}

// The smallest and the largest of the numbers seen.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = 0;

  void Add(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
  bool Seen() const { return low <= high; }
  std::string ToString() const {
    if (low == high) return absl::StrFormat("%.1f", low);
    return absl::StrFormat("%.1f to %.1f", low, high);
  }
};

absl::StatusOr<PaperValue> FindPaper(const Golden& golden,
                                     const std::string& id) {
  for (const PaperValue& paper : golden.paper()) {
    if (paper.id() == id) return paper;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("golden values of fig4: paper value \"", id,
                   "\" is missing; add what the paper says"));
}

// The expectation `id` with what was counted, and the verdict if it is judged.
absl::StatusOr<report::Expectation> Counted(const Golden& golden,
                                            const std::string& id,
                                            std::string_view what,
                                            const Count& count, bool judged,
                                            report::Verdict verdict,
                                            std::string_view note) {
  const absl::StatusOr<PaperValue> paper = FindPaper(golden, id);
  if (!paper.ok()) return paper.status();
  absl::StatusOr<report::Expectation> expectation =
      ExpectationFromPaper(golden, id, what);
  if (!expectation.ok()) return expectation.status();
  report::Expectation& e = *expectation;
  e.set_note(absl::StrCat(paper->note(), note.empty() ? "" : " ", note));
  if (count.networks + count.equal + count.too_few == 0) {
    e.set_verdict(report::VERDICT_NOT_RUN);
    return expectation;
  }
  e.mutable_ours()->set_mean(static_cast<double>(count.holds));
  e.mutable_ours()->set_n(count.networks);
  std::string text =
      absl::StrCat(count.holds, " of ", count.networks,
                   count.networks == 1 ? " network" : " networks");
  if (count.equal > 0) absl::StrAppend(&text, ", ", count.equal, " equal");
  if (count.too_few > 0) {
    absl::StrAppend(&text, ", ", count.too_few, " with too few seeds");
  }
  e.set_ours_text(text);
  e.set_verdict(judged ? verdict : report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  return expectation;
}

// `other` is a member of Accuracies, of the policy that FP16 is held against.
absl::StatusOr<report::Expectation> JudgeMedian(
    absl::Span<const Accuracies> networks, const Golden& golden,
    const std::string& id, std::string_view what, bool judged,
    std::vector<double> Accuracies::*other) {
  const absl::StatusOr<PaperValue> paper = FindPaper(golden, id);
  if (!paper.ok()) return paper.status();
  if (!paper->has_margin()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "golden values of fig4: paper value \"", id,
        "\" has no margin; give how much less is similar, in points"));
  }
  Count count;
  Range resolved;
  for (const Accuracies& network : networks) {
    const std::vector<double>& theirs = network.*other;
    if (network.fp16.empty() || theirs.empty()) continue;
    ++count.networks;
    count.holds += BoxPlotOf(network.fp16).median >=
                   BoxPlotOf(theirs).median - paper->margin();
    const double smallest = WelchEquivalence(SampleOf(network.fp16),
                                             SampleOf(theirs), paper->margin())
                                .smallest_detectable;
    if (smallest < std::numeric_limits<double>::infinity()) {
      resolved.Add(smallest);
    }
  }
  return Counted(
      golden, id, what, count, judged, VerdictOnMost(count),
      resolved.Seen()
          ? absl::StrCat("In one network these seeds could show differences "
                         "from ",
                         resolved.ToString(), " points.")
          : "");
}

absl::StatusOr<report::Expectation> JudgeDeviation(
    absl::Span<const Accuracies> networks, const Golden& golden,
    const std::string& id, std::string_view what, bool judged,
    std::vector<double> Accuracies::*other) {
  Count count;
  Range ratios;
  for (const Accuracies& network : networks) {
    const Sample ours = SampleOf(network.fp16);
    const Sample theirs = SampleOf(network.*other);
    if (ours.n == 0 || theirs.n == 0) continue;
    if (ours.n < 2 || theirs.n < 2) {
      ++count.too_few;
      continue;
    }
    ratios.Add(SmallestDetectableRatio(std::min(ours.n, theirs.n)));
    if (ours.sd == theirs.sd) {
      ++count.equal;
      continue;
    }
    ++count.networks;
    count.holds += ours.sd < theirs.sd;
  }
  return Counted(
      golden, id, what, count, judged, VerdictOnMost(count),
      ratios.Seen()
          ? absl::StrCat("In one network these seeds could show a deviation "
                         "only that is ",
                         ratios.ToString(), " times the other.")
          : "");
}

// Every network of table 2 with the paper's number of seeds.
constexpr int64_t kPaperNetworks = 12;
constexpr size_t kPaperSeeds = 50;
constexpr int64_t kNetworksInFigure = 7;

bool HasOutlierBelowAll(const Accuracies& network) {
  const std::vector<double> outliers = BoxPlotOf(network.fp16).outliers;
  if (outliers.empty()) return false;
  const double lowest = outliers.front();
  const auto is_above = [lowest](double value) { return value > lowest; };
  return lowest < BoxPlotOf(network.fp16).lower_quartile &&
         std::all_of(network.fp32.begin(), network.fp32.end(), is_above) &&
         std::all_of(network.mp.begin(), network.mp.end(), is_above);
}

absl::StatusOr<report::Expectation> JudgeOutliers(
    absl::Span<const Accuracies> networks, const Golden& golden,
    const std::string& id, std::string_view what, bool judged) {
  const absl::StatusOr<PaperValue> paper = FindPaper(golden, id);
  if (!paper.ok()) return paper.status();
  Count count;
  size_t fewest_seeds = kPaperSeeds;
  for (const Accuracies& network : networks) {
    const size_t seeds =
        std::min({network.fp16.size(), network.fp32.size(), network.mp.size()});
    if (seeds == 0) continue;
    if (seeds < kFewestForABox) {
      ++count.too_few;
      continue;
    }
    fewest_seeds = std::min(fewest_seeds, seeds);
    ++count.networks;
    count.holds += HasOutlierBelowAll(network);
  }
  report::Verdict verdict = report::VERDICT_INCONCLUSIVE;
  if (count.networks == kPaperNetworks && fewest_seeds >= kPaperSeeds) {
    // The figure's networks are among ours: the others may count, or not.
    const double most = paper->value() + kPaperNetworks - kNetworksInFigure;
    const auto holds = static_cast<double>(count.holds);
    verdict = holds >= paper->value() && holds <= most ? report::VERDICT_MATCH
                                                       : report::VERDICT_DIFFER;
  }
  return Counted(golden, id, what, count, judged, verdict,
                 "Networks under 5 seeds have too few to tell.");
}

}  // namespace

bool HasBox(const std::vector<double>& values) {
  return values.size() >= kFewestForABox;
}

absl::Status AddStatements(absl::Span<const RunSet> sets, const Golden& golden,
                           report::Report* report) {
  const bool judged = Judged(sets);
  absl::Status status;
  const auto add = [&](absl::StatusOr<report::Expectation> expectation) {
    status.Update(expectation.status());
    if (expectation.ok()) {
      *report->add_expectations() = *std::move(expectation);
    }
  };
  for (const Reading& reading : kReadings) {
    const std::vector<Accuracies> networks = AccuraciesOf(sets, reading);
    const auto id = [&](std::string_view statement, std::string_view other) {
      return absl::StrCat(statement, reading.suffix, other);
    };
    const auto what = [&](std::string_view statement, std::string_view other) {
      return absl::StrCat(statement, ", ", reading.name, " against ", other);
    };
    add(JudgeMedian(networks, golden, id("median", "_fp32"),
                    what("Similar or better median", "FP32"), judged,
                    &Accuracies::fp32));
    add(JudgeMedian(networks, golden, id("median", "_mp"),
                    what("Similar or better median", "MP"), judged,
                    &Accuracies::mp));
    add(JudgeDeviation(networks, golden, id("deviation", "_fp32"),
                       what("Lower deviation", "FP32"), judged,
                       &Accuracies::fp32));
    add(JudgeDeviation(networks, golden, id("deviation", "_mp"),
                       what("Lower deviation", "MP"), judged, &Accuracies::mp));
    add(JudgeOutliers(networks, golden, id("outliers", ""),
                      what("Outliers below", "FP32 and MP"), judged));
  }
  return status;
}

}  // namespace repro16
