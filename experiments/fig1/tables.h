// Tables of error and tolerance.
#ifndef REPRO16_EXPERIMENTS_FIG1_TABLES_H_
#define REPRO16_EXPERIMENTS_FIG1_TABLES_H_

#include <string_view>

#include "absl/types/span.h"
#include "experiments/common/pair_statistics.h"
#include "reports/report.pb.h"

namespace repro16 {

// Moments of delta and gamma, and their ratio: a row for each of `pairs`.
report::Table MomentsTable(std::string_view title, std::string_view caption,
                           absl::Span<const PairStatistics> pairs);

// Shares of samples that Lemma 1 covers, and that are classified alike.
report::Table LemmaTable(absl::Span<const PairStatistics> pairs);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_TABLES_H_
