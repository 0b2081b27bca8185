#include "engine/numerics/fp_environment.h"

#include <cfloat>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace repro16 {
namespace {

static_assert(FLT_EVAL_METHOD == 0,
              "float expressions must be evaluated in float");

// What the control register says.
struct Mode {
  bool nearest;
  bool flushes_results;
  bool flushes_operands;
};

#if defined(__x86_64__)

Mode CurrentMode() {
  const uint32_t mxcsr = _mm_getcsr();
  return {(mxcsr & 0x6000) == 0, (mxcsr & 0x8000) != 0, (mxcsr & 0x0040) != 0};
}

#elif defined(__aarch64__)

Mode CurrentMode() {
  uint64_t fpcr;
  asm volatile("mrs %0, fpcr" : "=r"(fpcr));
  // Bits 22-23: rounding; 24: FZ, which flushes both; 0: FIZ (FEAT_AFP).
  const bool flush = (fpcr >> 24 & 1) != 0;
  return {(fpcr >> 22 & 3) == 0, flush, flush || (fpcr & 1) != 0};
}

#else
#error "unknown architecture: say how to read the floating-point mode"
#endif

absl::Status Fault(const char* what) {
  return absl::FailedPreconditionError(
      absl::StrCat("floating-point environment: ", what,
                   "; do not link or load code compiled with -ffast-math, or "
                   "restore the mode with fesetenv(FE_DFL_ENV)"));
}

}  // namespace

absl::Status CheckFpEnvironment() {
  const Mode mode = CurrentMode();
  if (!mode.nearest) return Fault("does not round to nearest");
  if (mode.flushes_results) return Fault("flushes subnormal results to zero");
  if (mode.flushes_operands) return Fault("reads subnormal operands as zero");
  return absl::OkStatus();
}

}  // namespace repro16
