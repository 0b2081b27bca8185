// What a runtime says when it cannot go on: one line each. The codes are
// runtime.h's.
#ifndef REPRO16_ENGINE_CUDA_RUNTIME_DEVICE_ERROR_H_
#define REPRO16_ENGINE_CUDA_RUNTIME_DEVICE_ERROR_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "engine/cuda/runtime/runtime.h"

namespace repro16 {

// Versions are numbered as in DeviceInfo; driver 0 is no driver. An older
// driver of the same major version will do.
absl::Status CheckDriver(int driver_version, int runtime_version);

absl::Status DriverTooOldError(int driver_version, int runtime_version);

absl::Status NoDeviceError();

// That the GPU is not older than what the kernels are written for.
absl::Status CheckDevice(const DeviceInfo& info);

// The program has no code that the GPU, or its driver, could run.
absl::Status NoCodeError(const DeviceInfo& info);

absl::Status MemoryError(int64_t wanted_bytes, int64_t free_bytes);

// `what` is the runtime's own word.
absl::Status DeviceFailedError(std::string_view what);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_RUNTIME_DEVICE_ERROR_H_
