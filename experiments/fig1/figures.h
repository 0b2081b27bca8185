// The pictures of figure 1.
#ifndef REPRO16_EXPERIMENTS_FIG1_FIGURES_H_
#define REPRO16_EXPERIMENTS_FIG1_FIGURES_H_

#include <vector>

#include "experiments/common/pair_statistics.h"
#include "reports/report.pb.h"

namespace repro16 {

// Histograms of delta and gamma on one logarithmic axis, all pairs together.
report::Figure HistogramFigure(const std::vector<PairStatistics>& pairs);

// Samples by delta and gamma, with the line gamma = 2 delta.
report::Figure PlaneFigure(const std::vector<PairStatistics>& pairs);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG1_FIGURES_H_
