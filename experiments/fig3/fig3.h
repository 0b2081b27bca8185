// Figure 3 of the paper: test accuracy on CIFAR-10 by epoch.
#ifndef REPRO16_EXPERIMENTS_FIG3_FIG3_H_
#define REPRO16_EXPERIMENTS_FIG3_FIG3_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Test accuracy by epoch, network and policy, which precision is ahead, the
// differences from FP32 paired by seed, and the paper's statement that none
// wins consistently. A network counts where FP16, FP32 and MP have run.
absl::StatusOr<Analysis> AnalyseFigure3(const AnalysisInputs& inputs,
                                        const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG3_FIG3_H_
