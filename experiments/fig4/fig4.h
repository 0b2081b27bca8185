// Figure 4 of the paper: test accuracy on CIFAR-10 over seeds, as box plots.
#ifndef REPRO16_EXPERIMENTS_FIG4_FIG4_H_
#define REPRO16_EXPERIMENTS_FIG4_FIG4_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Medians, deviations and outliers of the test accuracy after the last epoch by
// network and policy, with the paper's statements on them, each counted over
// networks; and what the published deviations say of these statements. Under 5
// seeds a network has points instead of boxes, and no outliers.
absl::StatusOr<Analysis> AnalyseFigure4(const AnalysisInputs& inputs,
                                        const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG4_FIG4_H_
