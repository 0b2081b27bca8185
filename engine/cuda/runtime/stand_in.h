// The emulator's runtime: the kernels run on the host (../simt/emulator.h), and
// a program that would fail on a GPU fails here.
//
// - The host cannot read or write the device's memory, except in a kernel or a
//   copy. Pages before and after an allocation cannot be touched at all.
//   Freed memory stays out of reach. New memory is all ones (NaN).
// - What is enqueued is done when somebody waits for it, not earlier.
// - A program's error ends the process with a line: a copy that is not within
//   an allocation, a kernel that is given an address of the host or of freed
//   memory, anything but enqueueing while a stream records, recorded work that
//   is gone when it is to be done.
// - The failures that StandInOptions name happen.
#ifndef REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_H_
#define REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_H_

#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "engine/cuda/runtime/runtime.h"

namespace repro16 {

struct StandInOptions {
  // What the machine has; versions as in DeviceInfo, driver 0 is none.
  int driver_version = 13000;
  int device_count = 1;
  int major = 9;
  int minor = 0;
  int64_t memory_bytes = int64_t{1} << 30;
  bool has_code = true;  // else each launch fails for want of it

  // What fails, counted from 1 since the runtime's creation; 0: none.
  int64_t refused_allocation = 0;  // though memory is free
  int64_t failed_launch = 0;       // of those that are enqueued or recorded
  // The GPU is lost in this launch of those that are done, or before this one
  // of the calls that wait: Synchronize, CopyIn, CopyOut.
  int64_t lost_in_launch = 0;
  int64_t lost_at_wait = 0;
};

// Named "emulated GPU".
absl::StatusOr<std::unique_ptr<Runtime>> CreateStandInRuntime(
    const StandInOptions& options = {});

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_RUNTIME_STAND_IN_H_
