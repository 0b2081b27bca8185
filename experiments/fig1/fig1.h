// Figure 1 of the paper: floating-point error and classification tolerance.
#ifndef REPRO16_EXPERIMENTS_FIG1_FIG1_H_
#define REPRO16_EXPERIMENTS_FIG1_FIG1_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"

namespace repro16 {

// delta and gamma (analysis/error_tolerance.h) of the FP16 and the FP32 network
// of each seed over the test set: moments, histograms, the share of samples
// that Lemma 1 covers, and the paper's statements on them. Needs FP16 and FP32.
absl::StatusOr<Analysis> AnalyseFigure1(const RunSet& runs,
                                        const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_FIG1_H_
