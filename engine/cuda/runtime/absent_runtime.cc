#include "absl/status/status.h"
#include "engine/cuda/runtime/cuda_runtime.h"

namespace repro16 {

absl::StatusOr<std::unique_ptr<Runtime>> CreateCudaRuntime() {
  return absl::FailedPreconditionError(
      "this program was built without a CUDA toolkit; build it where one is "
      "installed, or with --config=cuda, or use backend \"cpu\"");
}

}  // namespace repro16
