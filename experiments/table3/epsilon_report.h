// What Adam's and RMSProp's epsilon is in binary16, and what follows for an
// update: facts of the arithmetic, as parts of a report.
#ifndef REPRO16_EXPERIMENTS_TABLE3_EPSILON_REPORT_H_
#define REPRO16_EXPERIMENTS_TABLE3_EPSILON_REPORT_H_

#include "reports/report.pb.h"

namespace repro16 {

// The learning rate for which these facts are given.
inline constexpr double kFactsRate = 1e-3;

// Each epsilon of table 3, and 1e-8: as stored, and the steps that follow.
report::Table EpsilonTable();

// From which gradients on the moments are other than 0, in 16 and in 32 bits.
report::Table MomentsTable();

// The step on a weight whose gradient stays the same, over the gradient, a line
// for each epsilon, FP16 beside FP32.
report::Figure SteadyStepFigure();

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_EPSILON_REPORT_H_
