// What belongs together among recorded runs: their order, the FP32 run beside
// which each stands, and what the paper and another framework have of it.
#ifndef REPRO16_EXPERIMENTS_RECORDED_RECORDED_PAIRS_H_
#define REPRO16_EXPERIMENTS_RECORDED_RECORDED_PAIRS_H_

#include <string_view>

#include "absl/types/span.h"
#include "experiments/recorded/recorded.pb.h"
#include "experiments/recorded/reference_curve.pb.h"
#include "reports/golden.pb.h"

namespace repro16 {

inline constexpr std::string_view kBase = "FP32";  // what differences refer to

// By network (as table 2), policy, seed.
bool Before(const RecordedRun& a, const RecordedRun& b);

// The FP32 run beside which `run` stands; null for FP32 itself, and where the
// numerics are of another version.
const RecordedRun* FindBase(const RecordedRun& run,
                            absl::Span<const RecordedRun> runs);

// The curve of another framework of the same specification; null where there
// is none.
const ReferenceCurve* FindCurve(const RecordedRun& run,
                                absl::Span<const ReferenceCurve> curves);

// In percent, of table 2, which trains by SGD. Its FP16 column is held beside
// both readings of it, FP16 and FP16_BN32. Null where the paper has none.
const PaperValue* FindAccuracy(const RunSpec& spec, const Golden& table2);

// The test accuracy in percent.
double TestPercent(const EpochResult& epoch);

const EpochResult& LastEpoch(const RecordedRun& run);

// Whether it has all epochs of its specification.
bool Ended(const RecordedRun& run);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_RECORDED_PAIRS_H_
