// The CPU backend: needs nothing installed, and gives the same bits on every
// machine.
#ifndef REPRO16_ENGINE_CPU_CPU_BACKEND_H_
#define REPRO16_ENGINE_CPU_CPU_BACKEND_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/graph/backend.h"

namespace repro16 {

struct CpuOptions {
  // Workers, at most 1024; 0 takes one per processor that the process may use
  // (engine/cpu/machine/usable_processors.h). Never touches the bits.
  int threads = 0;
  // "auto", or a name of engine/numerics/simd_target.h. Never touches the bits.
  std::string simd_target = "auto";
};

// The SIMD target is the process's: a second backend's choice holds for the
// first one too.
//
// Fails on a machine without fused multiply-add, on an unknown SIMD target, and
// where the floating-point environment flushes subnormals or rounds other than
// to nearest.
absl::StatusOr<std::unique_ptr<Backend>> CreateCpuBackend(
    const CpuOptions& options);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CPU_BACKEND_H_
