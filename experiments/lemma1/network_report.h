// What reports say of Lemma 1 on trained networks.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_
#define REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_

#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "experiments/lemma1/networks.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Samples by premise, and what share of them is guaranteed and alike: a row for
// each of `pairs`.
report::Table NetworksTable(std::string_view title, std::string_view caption,
                            absl::Span<const NetworkPair> pairs);

// Adds the expectation of golden value `id`, titled `what`: that none of
// counts.samples cases is one of counts.differ, shown as "0 of 12 differ" with
// `refuting` for "differ". "inconclusive" where there is no case.
absl::Status AddStatement(const Golden& golden, std::string_view id,
                          std::string_view what, bool judged,
                          const PremiseCounts& counts,
                          std::string_view refuting, std::string_view note,
                          report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_
