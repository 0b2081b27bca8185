// What the paper says in section 5 and table 3, held against the runs; the
// rules stand in golden.textproto.
#ifndef REPRO16_EXPERIMENTS_TABLE3_VERDICTS_H_
#define REPRO16_EXPERIMENTS_TABLE3_VERDICTS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "experiments/table3/sweep.h"
#include "reports/golden.pb.h"
#include "reports/report.pb.h"

namespace repro16 {

// The epsilons of table 3's columns, and the first of those that collapse.
inline constexpr double kTable3Epsilons[] = {1e-2, 1e-3, 1e-4,
                                             1e-5, 1e-6, 1e-7};
inline constexpr double kCollapsesFrom = 1e-5;
// Of Adam and RMSProp: Keras' default, which stands for the paper's, and the
// one beside it.
inline constexpr double kRate = 1e-3;
inline constexpr double kOtherRate = 1e-2;
// Of SGD, section 4.2.
inline constexpr double kSgdRate = 1e-2;

// The id of "FP16 collapses at this epsilon": "collapse_resnet18_1e-5", with
// "_rate_1e-2" where the rate is not kRate.
std::string CollapseId(std::string_view model, double rate, double epsilon);
// The id of the paper's accuracy: "accuracy_resnet18_1e-5".
std::string AccuracyId(std::string_view model, double epsilon);

// Adds an expectation for each statement; without its runs it is "not run".
// `judged` as RunSet::Judged.
absl::Status AddExpectations(absl::Span<const Sweep> sweeps,
                             const Golden& golden, std::string_view scale,
                             bool judged, report::Report* report);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_TABLE3_VERDICTS_H_
