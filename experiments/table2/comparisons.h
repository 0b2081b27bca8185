// Precision against precision, and ours against the paper's, network by
// network.
#ifndef REPRO16_EXPERIMENTS_TABLE2_COMPARISONS_H_
#define REPRO16_EXPERIMENTS_TABLE2_COMPARISONS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "analysis/statistics.h"
#include "experiments/table2/networks.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// A difference of two precisions, or a precision beside the paper's, in every
// network.
struct Comparison {
  std::string id;        // e.g. "FP16-FP32", "FP16_BN32-MP", "FP16"
  std::string paper_id;  // the paper's: "FP16-FP32", "FP16-MP", "FP16"
  std::string title;     // e.g. "FP16 - FP32"
  // By network, in the order of the rows. A difference: of each seed, paired;
  // a precision: the accuracies of its seeds.
  std::vector<std::vector<double>> values;
  std::vector<std::optional<Equivalence>> tests;  // none: not run
  std::vector<report::Verdict> verdicts;          // JudgeFamily
};

// FP16 and FP16_BN32, each against FP32 and MP, paired by seed; margins are
// those of the golden values "<model>/<paper_id>".
absl::StatusOr<std::vector<Comparison>> CompareDifferences(
    bool judged, absl::Span<const NetworkRuns> rows, const Golden& golden);

// Each precision against the mean, standard deviation and number of seeds that
// were published (Welch); to be judged at scale paper only.
absl::StatusOr<std::vector<Comparison>> CompareWithPublished(
    bool judged, absl::Span<const NetworkRuns> rows, const Golden& golden);

// The expectation that a statement holds in every network, of golden value
// "every/<paper_id>": "match" when all networks match, "differ" when one of
// them differs, else "inconclusive".
absl::StatusOr<report::Expectation> ExpectEvery(const Comparison& comparison,
                                                const Golden& golden,
                                                std::string_view what);

// The paper's value, or an error that tells its id.
absl::StatusOr<PaperValue> PaperValueOf(const Golden& golden,
                                        std::string_view id);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_COMPARISONS_H_
