// Beyond the paper: what the moving average of batch normalisation alone costs
// a network that is trained in FP16 (programs/moving_average_study.h).
#ifndef REPRO16_EXPERIMENTS_BEYOND_BATCH_NORM_BATCH_NORM_H_
#define REPRO16_EXPERIMENTS_BEYOND_BATCH_NORM_BATCH_NORM_H_

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"
#include "programs/moving_average_study.pb.h"
#include "reports/golden.pb.h"

namespace repro16 {

// An average s that moves towards a constant x by (x - s) * (1 - momentum)
// stands still once that is under half the distance of neighbours at s. In a
// format of `digits` digits half that distance is s * h with h between
// 2^-(digits + 1) and 2^-digits, so an average that grows stalls at least at
//   s / x = 1 / (1 + h / (1 - momentum)),
// and one that falls at most at 1 / (1 - h / (1 - momentum)), infinite where
// the quotient is 1 or more. The widest of each: h = 2^-digits.
struct StallRange {
  double from_below;
  double from_above;
};
StallRange StallsAt(double momentum, int digits);

// `recorded`: of the paper's protocol, shown beside the study at every scale
// and judged at none.
absl::StatusOr<Analysis> MakeBatchNorm(const MovingAverageStudy& study,
                                       const MovingAverageStudy& recorded,
                                       std::string_view scale,
                                       const Golden& golden);

// The same from two files, the study and the recorded one: MovingAverageStudy,
// text form.
absl::StatusOr<Analysis> AnalyseBatchNorm(const AnalysisInputs& inputs,
                                          const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_BEYOND_BATCH_NORM_BATCH_NORM_H_
