// Table 3 of the paper: accuracy on CIFAR-10 by the epsilon of Adam, and why
// small ones fail in 16 bits.
#ifndef REPRO16_EXPERIMENTS_TABLE3_TABLE3_H_
#define REPRO16_EXPERIMENTS_TABLE3_TABLE3_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"
#include "reports/golden.pb.h"

namespace repro16 {

// From the runs of experiments/runs/cifar10_optimizers.bzl. What was not run
// reads so; what needs a diagnosis that was not made reads "not measured".
absl::StatusOr<Analysis> AnalyseTable3(const AnalysisInputs& inputs,
                                       const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_TABLE3_H_
