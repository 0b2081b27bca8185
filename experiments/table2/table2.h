// Table 2 of the paper: twelve networks on CIFAR-10, each in FP16, FP32 and
// mixed precision.
#ifndef REPRO16_EXPERIMENTS_TABLE2_TABLE2_H_
#define REPRO16_EXPERIMENTS_TABLE2_TABLE2_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Accuracies by network and precision beside the paper's, their differences
// with verdicts, parameters and planned memory. Cells that were not run say so.
absl::StatusOr<Analysis> AnalyseTable2(const AnalysisInputs& inputs,
                                       const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_TABLE2_H_
