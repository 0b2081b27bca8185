// Why it collapses: what the optimizer's second moments and updates did in the
// runs, as parts of a report.
#ifndef REPRO16_EXPERIMENTS_TABLE3_MECHANISM_H_
#define REPRO16_EXPERIMENTS_TABLE3_MECHANISM_H_

#include <string>

#include "absl/types/span.h"
#include "experiments/table3/diagnoses.h"
#include "experiments/table3/sweep.h"
#include "reports/report.pb.h"

namespace repro16 {

// One sweep: for each precision and epsilon the second moments that are 0, the
// largest update, and the first value that was not finite. What has no
// diagnosis reads "not measured".
report::Table MechanismTable(const Sweep& sweep, const Diagnoses& diagnoses);

// The share of second moments that are 0, kernel by kernel and epsilon by
// epsilon, FP16 beside FP32.
report::Figure ZeroFigure(absl::Span<const Sweep> sweeps,
                          const Diagnoses& diagnoses);

// The largest update of each kernel, likewise.
report::Figure UpdateFigure(absl::Span<const Sweep> sweeps,
                            const Diagnoses& diagnoses);

// The largest update of all over epsilon, beside the largest one that is
// possible while a second moment is 0 in binary16.
report::Figure LargestUpdateFigure(absl::Span<const Sweep> sweeps,
                                   const Diagnoses& diagnoses);

// In words: what was measured of Adam in FP16 at this epsilon, and what is
// possible; "" where nothing was measured.
std::string MechanismInWords(const Sweep& sweep, double epsilon,
                             const Diagnoses& diagnoses);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_MECHANISM_H_
