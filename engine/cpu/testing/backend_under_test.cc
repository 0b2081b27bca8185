// The suites of //engine/graph/testing run on the CPU backend.
#include "engine/graph/testing/backend_under_test.h"

#include "engine/cpu/cpu_backend.h"

namespace repro16 {

std::unique_ptr<Backend> CreateBackendUnderTest() {
  return *CreateCpuBackend({/*threads=*/2, "auto"});
}

}  // namespace repro16
