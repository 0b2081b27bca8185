// What was published of the standard deviations in figure 4.
#ifndef REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_
#define REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_

#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// Whether "lower standard deviation in most models" holds of the published
// deviations (PublishedValues, experiments/table2/published.h), FP16 against
// FP32 and against MP, as a finding. It agrees or contradicts only where sign
// tests over the networks decide both comparisons; printed with one digit, the
// deviations may leave them open.
void AddPublishedDeviations(const Golden& published, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_FIG4_PUBLISHED_H_
