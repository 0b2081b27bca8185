// What is to be told of table 2 beside its numbers.
#ifndef REPRO16_EXPERIMENTS_TABLE2_FINDINGS_H_
#define REPRO16_EXPERIMENTS_TABLE2_FINDINGS_H_

#include "absl/status/status.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// The table's own arithmetic (PublishedValues): each
// contradiction, and in one finding what follows.
absl::Status AddTableArithmetic(const Golden& published,
                                report::Report* report);

// What the paper says of its experiment in two ways, or leaves open.
void AddTable2Findings(report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_FINDINGS_H_
