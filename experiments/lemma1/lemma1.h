// Lemma 1 of the paper, on all small probability vectors and on trained
// networks.
#ifndef REPRO16_EXPERIMENTS_LEMMA1_LEMMA1_H_
#define REPRO16_EXPERIMENTS_LEMMA1_LEMMA1_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// Each 16-bit policy is compared with FP32, seed by seed. Failed checks: a pair
// of the lattice, or a test sample, with gamma > 2 delta and two classes.
absl::StatusOr<Analysis> AnalyseLemma1(const RunSet& runs,
                                       const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_LEMMA1_LEMMA1_H_
