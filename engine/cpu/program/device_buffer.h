// Device memory of the CPU backend: plain memory.
#ifndef REPRO16_ENGINE_CPU_PROGRAM_DEVICE_BUFFER_H_
#define REPRO16_ENGINE_CPU_PROGRAM_DEVICE_BUFFER_H_

#include <cstdint>

#include "engine/graph/backend.h"
#include "engine/tensor/buffer.h"

namespace repro16 {

class CpuDeviceBuffer : public DeviceBuffer {
 public:
  explicit CpuDeviceBuffer(int64_t bytes) : memory_(bytes) {}
  int64_t bytes() const override { return memory_.bytes(); }
  uint8_t* data() { return memory_.data(); }
  const uint8_t* data() const { return memory_.data(); }

 private:
  AlignedBuffer memory_;
};

// The bytes of a buffer; null if another backend allocated it.
inline const uint8_t* HostData(const DeviceBuffer& buffer) {
  const auto* ours = dynamic_cast<const CpuDeviceBuffer*>(&buffer);
  return ours == nullptr ? nullptr : ours->data();
}
inline uint8_t* HostData(DeviceBuffer& buffer) {
  auto* ours = dynamic_cast<CpuDeviceBuffer*>(&buffer);
  return ours == nullptr ? nullptr : ours->data();
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PROGRAM_DEVICE_BUFFER_H_
