// Figure 2 of the paper: training and test accuracy on MNIST by epoch.
#ifndef REPRO16_EXPERIMENTS_FIG2_FIG2_H_
#define REPRO16_EXPERIMENTS_FIG2_FIG2_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Accuracies by epoch and policy, their differences FP16 - FP32 paired by seed,
// and the paper's two statements on them. Needs FP16 and FP32.
absl::StatusOr<Analysis> AnalyseFigure2(const RunSet& runs,
                                        const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG2_FIG2_H_
