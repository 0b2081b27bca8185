// Which SIMD instruction set the kernels run on. Results do not depend on it;
// speed does.
#ifndef REPRO16_ENGINE_NUMERICS_SIMD_TARGET_H_
#define REPRO16_ENGINE_NUMERICS_SIMD_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace repro16 {

// The targets that this program was compiled for, that this machine has and
// that have a fused multiply-add, best first. Names are Highway's: "AVX2",
// "AVX3" (AVX-512), "AVX3_ZEN4", "NEON", "NEON_WITHOUT_AES". Empty on a machine
// without fused multiply-add. Not affected by SelectSimdTarget.
std::vector<std::string> UsableSimdTargets();

// Makes every kernel run on the target of that name, or on the best one for
// "auto". Called before the first kernel; not while kernels run.
//
// InvalidArgument: the name is unknown or this machine lacks it; the message
// lists the usable ones. FailedPrecondition: this machine has no fused
// multiply-add, so it cannot give the bits of the numerics contract.
absl::Status SelectSimdTarget(std::string_view name);

// The target that kernels run on. Empty where UsableSimdTargets is.
std::string SelectedSimdTarget();

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_SIMD_TARGET_H_
