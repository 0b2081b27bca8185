#include "absl/status/status.h"
#include "engine/cuda/runtime/cuda_runtime.h"

namespace repro16 {

absl::StatusOr<std::unique_ptr<Runtime>> CreateCudaRuntime() {
  return absl::FailedPreconditionError(
      "this program has no code for GPUs; build it with --config=cuda, or use "
      "backend \"cpu\"");
}

}  // namespace repro16
