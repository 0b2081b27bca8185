// The suites of //engine/graph/testing run on the emulator.
#include "engine/graph/testing/backend_under_test.h"

#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/runtime/stand_in.h"

namespace repro16 {

std::unique_ptr<Backend> CreateBackendUnderTest() {
  return CreateCudaBackend(*CreateStandInRuntime());
}

}  // namespace repro16
