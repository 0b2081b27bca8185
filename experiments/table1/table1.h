// Table 1 of the paper, which types each GPU architecture supports, beside the
// instructions that the assembler of a CUDA toolkit accepts.
#ifndef REPRO16_EXPERIMENTS_TABLE1_TABLE1_H_
#define REPRO16_EXPERIMENTS_TABLE1_TABLE1_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "experiments/common/analysis_main.h"
#include "experiments/table1/support.pb.h"
#include "reports/golden.pb.h"

namespace repro16 {

// An architecture supports a type when an instruction of that type is accepted
// for one of its targets. Where no target of an architecture was asked, its
// expectations read "not run". Failed checks: a target for which nonsense is
// accepted as well.
absl::StatusOr<Analysis> MakeTable1(const Support& support,
                                    std::string_view scale,
                                    const Golden& golden);

// The same from a file, the only input: Support, text form.
absl::StatusOr<Analysis> AnalyseTable1(const AnalysisInputs& inputs,
                                       const Golden& golden);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE1_TABLE1_H_
