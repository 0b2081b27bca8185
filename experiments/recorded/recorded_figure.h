// The figure of recorded runs.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_FIGURE_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_FIGURE_H_

#include "experiments/recorded/recorded.h"
#include "reports/report.pb.h"

namespace repro16 {

// "recorded", drawn by recorded.vl.json: accuracy by epoch, of the runs, of
// other frameworks, and the published accuracy of FP32 with its deviation.
report::Figure RecordedFigure(const RecordedRuns& recorded);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_FIGURE_H_
