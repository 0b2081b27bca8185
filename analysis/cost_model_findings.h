// What a cost model's numbers say, in sentences.
#ifndef REPRO16_ANALYSIS_COST_MODEL_FINDINGS_H_
#define REPRO16_ANALYSIS_COST_MODEL_FINDINGS_H_

#include "analysis/cost_model.pb.h"
#include "analysis/device.pb.h"

namespace repro16 {

// Fills `findings` from the rest of the report. Each sentence holds only what
// the numbers show; where they do not show it, it says that.
void AddFindings(const Device& device, CostModelReport& report);

}  // namespace repro16

#endif  // REPRO16_ANALYSIS_COST_MODEL_FINDINGS_H_
