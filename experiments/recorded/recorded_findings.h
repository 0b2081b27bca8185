// What recorded runs say of the paper, one seed as it is.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_FINDINGS_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_FINDINGS_H_

#include "experiments/recorded/recorded.h"
#include "reports/report.pb.h"

namespace repro16 {

// Adds, of the runs that have ended:
//   whether FP32 of a network is the paper's (Reaches), and where another
//       framework stands by the same protocol;
//   each other precision's difference from it: for the paper where it is within
//       the margin of a network; beyond it against the paper where our FP32 is
//       the paper's, else told and not held against it.
// Then of all runs what they were warned about.
void AddRecordedFindings(const RecordedRuns& recorded, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_FINDINGS_H_
