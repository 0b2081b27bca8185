// What table 1 leaves open, and what our way of asking cannot see.
#ifndef REPRO16_EXPERIMENTS_TABLE1_FINDINGS_H_
#define REPRO16_EXPERIMENTS_TABLE1_FINDINGS_H_

#include "experiments/table1/support.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// `support` has passed CheckSupport; without a toolkit the finding is how to
// get one.
void AddTable1Findings(const Support& support, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE1_FINDINGS_H_
