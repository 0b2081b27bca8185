// Figure 1's error and tolerance on the networks of table 2.
#ifndef REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIG1_CIFAR10_H_
#define REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIG1_CIFAR10_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// delta and gamma (analysis/error_tolerance.h) of each 16-bit precision against
// FP32 of the same seed, network by network: moments, the share of samples that
// Lemma 1 covers, and beside them what a change of seed does. What the paper
// believes of complex networks is judged for each and for all.
absl::StatusOr<Analysis> AnalyseFigure1Cifar10(const AnalysisInputs& inputs,
                                               const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_CIFAR10_FIG1_CIFAR10_H_
