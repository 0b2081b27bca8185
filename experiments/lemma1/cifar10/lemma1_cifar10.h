// Lemma 1 on the networks of table 2.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_CIFAR10_LEMMA1_CIFAR10_H_
#define REPRO16_EXPERIMENTS_LEMMA1_CIFAR10_LEMMA1_CIFAR10_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Each 16-bit policy is compared with FP32, seed by seed and sample by sample:
// how many samples Lemma 1 covers, how many are classified alike, and how close
// the others come to refuting it. Failed checks: a test sample with gamma > 2
// delta and two classes.
absl::StatusOr<Analysis> AnalyseLemma1Cifar10(const AnalysisInputs& inputs,
                                              const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_CIFAR10_LEMMA1_CIFAR10_H_
