// The tables of recorded runs.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_TABLES_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_TABLES_H_

#include "experiments/recorded/recorded.h"
#include "reports/report.pb.h"

namespace repro16 {

// Adds "Recorded runs", the differences from FP32, our FP32 beside another
// framework's, and where the runs were made; of these those that have a row.
void AddRecordedTables(const RecordedRuns& recorded, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_TABLES_H_
