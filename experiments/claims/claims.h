// Every checkable statement of the paper in one place, with what would confirm
// and what would refute it, and the verdict of the experiment it is about.
#ifndef REPRO16_EXPERIMENTS_CLAIMS_CLAIMS_H_
#define REPRO16_EXPERIMENTS_CLAIMS_CLAIMS_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "experiments/claims/claims.pb.h"
#include "experiments/claims/evidence.h"
#include "experiments/common/analysis_main.h"
#include "reports/golden.pb.h"

namespace repro16 {

// InvalidArgument unless every claim has an id of its own, subject, quote,
// place, and what confirms and refutes it, and there is at least one.
absl::Status CheckClaims(const PaperClaims& claims);

// The report: one expectation a claim, in order.
absl::StatusOr<Analysis> MakeClaims(const PaperClaims& claims,
                                    const Evidence& evidence);

// The same from files, told apart by their names: claims.textproto
// (PaperClaims), report.pb of each experiment (Report), published.textproto of
// table 2, whose arithmetic is checked, cost_model_*.pb
// (CostModelReport). Reports and cost model may be missing. `golden`, that of
// this experiment, holds verdicts only.
absl::StatusOr<Analysis> AnalyseClaims(const AnalysisInputs& inputs,
                                       const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_CLAIMS_CLAIMS_H_
