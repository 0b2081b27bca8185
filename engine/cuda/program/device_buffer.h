// Device memory of the CUDA backend.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_DEVICE_BUFFER_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_DEVICE_BUFFER_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/cuda/runtime/runtime.h"
#include "engine/graph/backend.h"

namespace repro16 {

class CudaDeviceBuffer : public DeviceBuffer {
 public:
  // The runtime outlives the buffer.
  CudaDeviceBuffer(Runtime* runtime, DeviceMemory memory, int64_t bytes)
      : runtime_(runtime), memory_(std::move(memory)), bytes_(bytes) {}

  int64_t bytes() const override { return bytes_; }
  uint8_t* data() const { return memory_.data(); }
  const Runtime* runtime() const { return runtime_; }

  absl::Status Write(absl::Span<const uint8_t> from) {
    copy_.reset();
    return runtime_->CopyIn(data(), from.data(),
                            static_cast<int64_t>(from.size()));
  }

  // All bytes, as they were last written by Write: labels and orders are
  // checked by the host before a step is enqueued. Waits once for each Write.
  absl::StatusOr<const uint8_t*> HostCopy() const {
    if (!copy_.has_value()) {
      std::vector<uint8_t> copy(static_cast<size_t>(bytes_));
      const absl::Status status =
          runtime_->CopyOut(copy.data(), data(), bytes_);
      if (!status.ok()) return status;
      copy_ = std::move(copy);
    }
    return copy_->data();
  }

 private:
  Runtime* const runtime_;
  const DeviceMemory memory_;
  const int64_t bytes_;
  mutable std::optional<std::vector<uint8_t>> copy_;
};

// Null if the buffer is another backend's, or of another one of this kind.
inline const CudaDeviceBuffer* BufferOf(const Runtime& runtime,
                                        const DeviceBuffer& buffer) {
  const auto* ours = dynamic_cast<const CudaDeviceBuffer*>(&buffer);
  return ours != nullptr && ours->runtime() == &runtime ? ours : nullptr;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_DEVICE_BUFFER_H_
