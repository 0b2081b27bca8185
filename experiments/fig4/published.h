// What was published of the standard deviations in figure 4.
#ifndef REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_
#define REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_

#include <string_view>

#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// The golden value "<model>/<policy>": the published mean, deviation and number
// of runs; null where there is none.
const PaperValue* FindPublished(const Golden& golden, std::string_view model,
                                std::string_view policy);

// Whether "lower standard deviation in most models" holds of the published
// deviations, FP16 against FP32 and against MP, as a finding.
void AddPublishedDeviations(const Golden& golden, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_
