// Beyond the paper: bfloat16 and 16-bit accumulators on CIFAR-10.
#ifndef REPRO16_EXPERIMENTS_BEYOND_FORMATS_FORMATS_H_
#define REPRO16_EXPERIMENTS_BEYOND_FORMATS_FORMATS_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Test accuracies of BF16 and FP16_ACC16 beside those of the paper's
// precisions, their differences from FP32 paired by seed, and what rounding did
// in each; with a pooled verdict on BF16 and on FP16_ACC16.
absl::StatusOr<Analysis> AnalyseFormats(const AnalysisInputs& inputs,
                                        const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_BEYOND_FORMATS_FORMATS_H_
