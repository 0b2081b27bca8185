// The floating-point mode of the calling thread.
#ifndef REPRO16_ENGINE_NUMERICS_FP_ENVIRONMENT_H_
#define REPRO16_ENGINE_NUMERICS_FP_ENVIRONMENT_H_

#include "absl/status/status.h"

namespace repro16 {

// OK where this thread rounds to nearest even and neither flushes subnormal
// results to zero nor reads subnormal operands as zero (x86: MXCSR; Arm: FPCR).
// FailedPrecondition says which of these does not hold. A library that was
// linked with -ffast-math can change the mode behind one's back, so each worker
// thread asks before its first kernel.
absl::Status CheckFpEnvironment();

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_FP_ENVIRONMENT_H_
