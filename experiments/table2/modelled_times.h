// What a model of a training step's time gives for the paper's card.
#ifndef REPRO16_EXPERIMENTS_TABLE2_MODELLED_TIMES_H_
#define REPRO16_EXPERIMENTS_TABLE2_MODELLED_TIMES_H_

#include "analysis/cost_model.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Predicted seconds and speed-ups beside the published ones. The title says
// that it is a model; the caption how far off it is.
report::Table ModelledTimesTable(const CostModelReport& modelled);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE2_MODELLED_TIMES_H_
