// The CUDA backend: a GPU gives the bits of the contract
// (engine/numerics/README.md), those of the CPU.
#ifndef REPRO16_ENGINE_CUDA_CUDA_BACKEND_H_
#define REPRO16_ENGINE_CUDA_CUDA_BACKEND_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/cuda/runtime/runtime.h"
#include "engine/graph/backend.h"

namespace repro16 {

// On the runtime's device, a GPU's or the emulator's.
std::unique_ptr<Backend> CreateCudaBackend(std::unique_ptr<Runtime> runtime);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_CUDA_BACKEND_H_
