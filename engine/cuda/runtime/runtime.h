// The few things that a program needs of a CUDA runtime: memory, streams and
// recorded work. cuda_runtime.h is the GPU's, stand_in.h the emulator's.
//
// An error is one line that says what is wrong and, where somebody can do
// something about it, what:
//
//   FailedPrecondition  no driver, a driver that is too old, no GPU, a GPU that
//                       the program has no code for
//   ResourceExhausted   memory that does not fit
//   Unavailable         the GPU failed; from then on every call says so, and
//                       what is in its memory is lost
//
// A runtime and all that comes from it are used by one thread at a time.
#ifndef REPRO16_ENGINE_CUDA_RUNTIME_RUNTIME_H_
#define REPRO16_ENGINE_CUDA_RUNTIME_RUNTIME_H_

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/cuda/kernels.h"
#include "engine/cuda/simt/stream.h"

namespace repro16 {

struct DeviceInfo {
  std::string name;
  int major = 0;  // compute capability
  int minor = 0;
  // As CUDA numbers them: 13000 is 13.0. Of the driver the newest that it
  // understands.
  int driver_version = 0;
  int runtime_version = 0;
  int64_t memory_bytes = 0;
  int multiprocessors = 0;
};

// What was enqueued between BeginRecording and EndRecording, with its pointers
// and sizes. Lives until the stream has been waited for after the last replay,
// and not longer than its stream.
class RecordedWork {
 public:
  virtual ~RecordedWork() = default;
};

// Work is done in the order in which it is enqueued, some time before
// Synchronize returns. Nothing that is enqueued waits, and none of it reads or
// writes the host's memory.
class DeviceStream : public Stream {
 public:
  using Stream::Stream;

  // Enqueues zeros.
  virtual void Clear(void* to, int64_t bytes) = 0;

  // Enqueues a copy within the device's memory. The ranges do not overlap.
  virtual void Copy(void* to, const void* from, int64_t bytes) = 0;

  // Waits for all that was enqueued; its first error.
  virtual absl::Status Synchronize() = 0;

  // What is enqueued from here to EndRecording is recorded, and not done. Until
  // then nothing waits, nothing is allocated or freed, and only this stream is
  // used.
  virtual absl::Status BeginRecording() = 0;
  virtual absl::StatusOr<std::unique_ptr<RecordedWork>> EndRecording() = 0;

  // Enqueues recorded work of this stream.
  virtual void Replay(const RecordedWork& work) = 0;
};

class Runtime {
 public:
  virtual ~Runtime() = default;

  virtual const DeviceInfo& info() const = 0;

  // In the form that its streams run.
  virtual const Kernels& kernels() const = 0;

  virtual absl::StatusOr<int64_t> FreeBytes() = 0;

  // Aligned to 256, not null even of 0 bytes; what is in it is undefined.
  virtual absl::StatusOr<void*> Allocate(int64_t bytes) = 0;

  // Of Allocate; null does nothing. Waits for all streams first.
  virtual void Free(void* memory) = 0;

  // Between the host's memory and the device's. Both wait for all that was
  // enqueued on the runtime's streams, and are complete on return.
  virtual absl::Status CopyIn(void* to, const void* from, int64_t bytes) = 0;
  virtual absl::Status CopyOut(void* to, const void* from, int64_t bytes) = 0;

  // Ends before the runtime does.
  virtual absl::StatusOr<std::unique_ptr<DeviceStream>> CreateStream() = 0;
};

// Memory of the device, freed at the end of its life, before the runtime's.
class DeviceMemory {
 public:
  static absl::StatusOr<DeviceMemory> Allocate(Runtime& runtime,
                                               int64_t bytes) {
    absl::StatusOr<void*> data = runtime.Allocate(bytes);
    if (!data.ok()) return data.status();
    return DeviceMemory(&runtime, static_cast<uint8_t*>(*data), bytes);
  }

  DeviceMemory() = default;
  ~DeviceMemory() {
    if (data_ != nullptr) runtime_->Free(data_);
  }
  DeviceMemory(DeviceMemory&& other) noexcept { swap(other); }
  DeviceMemory& operator=(DeviceMemory&& other) noexcept {
    DeviceMemory(std::move(other)).swap(*this);
    return *this;
  }

  // Null where there is none.
  uint8_t* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

 private:
  DeviceMemory(Runtime* runtime, uint8_t* data, int64_t bytes)
      : runtime_(runtime), data_(data), bytes_(bytes) {}

  void swap(DeviceMemory& other) noexcept {
    std::swap(runtime_, other.runtime_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  Runtime* runtime_ = nullptr;
  uint8_t* data_ = nullptr;
  int64_t bytes_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_RUNTIME_RUNTIME_H_
