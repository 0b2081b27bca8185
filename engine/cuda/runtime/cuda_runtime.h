// The runtime of a GPU: CUDA's, linked statically. Where the program was built
// without a CUDA toolkit there is none, and the error says so.
#ifndef REPRO16_ENGINE_CUDA_RUNTIME_CUDA_RUNTIME_H_
#define REPRO16_ENGINE_CUDA_RUNTIME_CUDA_RUNTIME_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/cuda/runtime/runtime.h"

namespace repro16 {

// Of the first GPU that CUDA_VISIBLE_DEVICES leaves.
absl::StatusOr<std::unique_ptr<Runtime>> CreateCudaRuntime();

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_RUNTIME_CUDA_RUNTIME_H_
