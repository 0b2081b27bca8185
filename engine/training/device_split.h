// A split of a data set in the memory of a device.
#ifndef REPRO16_ENGINE_TRAINING_DEVICE_SPLIT_H_
#define REPRO16_ENGINE_TRAINING_DEVICE_SPLIT_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/graph/backend.h"

namespace repro16 {

struct DeviceSplit {
  std::unique_ptr<DeviceBuffer> images;
  std::unique_ptr<DeviceBuffer> labels;

  // `order` may be null: BatchSource.
  BatchSource InOrder(const DeviceBuffer* order) const {
    return {images.get(), labels.get(), order};
  }
};

absl::StatusOr<DeviceSplit> UploadSplit(const Split& split, Backend& backend);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_DEVICE_SPLIT_H_
