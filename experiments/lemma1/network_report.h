// What reports say of Lemma 1 on trained networks.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_
#define REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "experiments/common/pair_statistics.h"
#include "experiments/common/statements.h"
#include "reports/report.pb.h"

namespace repro16 {

// Samples by premise, and what share of them is guaranteed and alike: a row for
// each of `pairs`.
report::Table NetworksTable(std::string_view title, std::string_view caption,
                            absl::Span<const PairStatistics> pairs);

// That none of counts.samples cases is one of counts.differ, shown as "0 of 12
// differ" with `refuting` for "differ": for rule NO_COUNTEREXAMPLE.
Measurement MeasureDiffering(const PremiseCounts& counts,
                             std::string_view refuting);

// The same at gamma = 2 delta, where the class of p32 is among the largest of
// p16, so that only a tie in p16 can part them: for rule OWN. The paper does
// not say how ties are broken, so it is open where two differ; "differ" where
// `without_tie` of them do.
Measurement MeasureAtBoundary(const PremiseCounts& counts, int64_t without_tie);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_NETWORK_REPORT_H_
