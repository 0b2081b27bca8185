#include "engine/training/device_split.h"

#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace repro16 {

absl::StatusOr<DeviceSplit> UploadSplit(const Split& split, Backend& backend) {
  DeviceSplit device;
  for (auto [bytes, to] : {std::pair{&split.images, &device.images},
                           std::pair{&split.labels, &device.labels}}) {
    auto buffer = backend.Allocate(static_cast<int64_t>(bytes->size()));
    if (!buffer.ok()) return buffer.status();
    *to = *std::move(buffer);
    const absl::Status status = backend.Upload(*bytes, **to);
    if (!status.ok()) return status;
  }
  return device;
}

}  // namespace repro16
