// The file of a run of another framework (reference_curve.proto).
#ifndef REPRO16_EXPERIMENTS_RECORDED_REFERENCE_CURVE_H_
#define REPRO16_EXPERIMENTS_RECORDED_REFERENCE_CURVE_H_

#include <string>

#include "absl/status/statusor.h"
#include "experiments/recorded/reference_curve.pb.h"

namespace repro16 {

// InvalidArgument, naming file and field, unless the curve says where it comes
// from and has points, by epoch, none beyond the epochs that were made.
absl::StatusOr<ReferenceCurve> ReadReferenceCurve(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_EXPERIMENTS_RECORDED_REFERENCE_CURVE_H_
