#include "engine/cuda/runtime/stand_in.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/cuda/runtime/device_error.h"
#include "engine/cuda/runtime/stand_in_memory.h"
#include "engine/cuda/simt/emulator.h"
#include "engine/cuda/simt/work_queue.h"

namespace repro16 {
namespace {

// The CUDA runtime's numbers.
constexpr int kNoKernelImage = 209;
constexpr int kLaunchFailure = 719;
constexpr int kRuntimeVersion = 13000;

struct Item {
  emulator::Work work;
  bool is_launch;
};

class StandInStream;

class Recorded : public RecordedWork {
 public:
  Recorded(const StandInStream* stream, std::vector<Item> items)
      : stream_(stream),
        items_(std::make_shared<const std::vector<Item>>(std::move(items))) {}

  const StandInStream* stream() const { return stream_; }
  // Expires with this object.
  std::weak_ptr<const std::vector<Item>> items() const { return items_; }

 private:
  const StandInStream* const stream_;
  const std::shared_ptr<const std::vector<Item>> items_;
};

class StandInRuntime : public Runtime {
 public:
  StandInRuntime(const StandInOptions& options, DeviceInfo info)
      : options_(options),
        info_(std::move(info)),
        memory_(options.memory_bytes) {}
  ~StandInRuntime() override;

  const DeviceInfo& info() const override { return info_; }
  const Kernels& kernels() const override { return EmulatedKernels(); }
  absl::StatusOr<int64_t> FreeBytes() override;
  absl::StatusOr<void*> Allocate(int64_t bytes) override;
  void Free(void* memory) override;
  absl::Status CopyIn(void* to, const void* from, int64_t bytes) override;
  absl::Status CopyOut(void* to, const void* from, int64_t bytes) override;
  absl::StatusOr<std::unique_ptr<DeviceStream>> CreateStream() override;

  // --- For the streams.

  const StandInMemory& memory() const { return memory_; }
  // The error of the launch that is enqueued now, or 0.
  int CountLaunch();
  absl::Status Wait(StandInStream& stream);
  // Ends the process if a stream records, other than `own`.
  void CheckRecording(const char* what, const StandInStream* own) const;
  void set_recording(const StandInStream* stream) { recording_ = stream; }
  const absl::Status& failure() const { return failure_; }
  void Remove(StandInStream* stream);

 private:
  // CopyIn or CopyOut, `what`; `device` is the end of it on the device.
  absl::Status CopyNow(const char* what, void* to, const void* from,
                       int64_t bytes, const void* device);
  // Does what the streams hold, unless the device is lost.
  absl::Status Run(const std::vector<StandInStream*>& streams);
  void Do(const Item& item);
  absl::Status CountWait();
  void Lose();

  const StandInOptions options_;
  const DeviceInfo info_;
  StandInMemory memory_;
  std::vector<StandInStream*> streams_;
  const StandInStream* recording_ = nullptr;
  absl::Status failure_;
  int64_t allocations_ = 0;
  int64_t launches_enqueued_ = 0;
  int64_t launches_done_ = 0;
  int64_t waits_ = 0;
};

class StandInStream : public DeviceStream, public emulator::LaunchQueue {
 public:
  explicit StandInStream(StandInRuntime* runtime)
      : DeviceStream(static_cast<LaunchQueue*>(this)), runtime_(*runtime) {}
  ~StandInStream() override { runtime_.Remove(this); }

  void Clear(void* to, int64_t bytes) override;
  void Copy(void* to, const void* from, int64_t bytes) override;
  absl::Status Synchronize() override { return runtime_.Wait(*this); }
  absl::Status BeginRecording() override;
  absl::StatusOr<std::unique_ptr<RecordedWork>> EndRecording() override;
  void Replay(const RecordedWork& work) override;

  void CheckArgument(const void* argument, size_t bytes) const override;
  void Enqueue(emulator::Work launch) override;

  // Takes all that waits.
  std::vector<Item> Take() { return std::exchange(waiting_, {}); }

 private:
  void Add(Item item);
  // Now, and when the work is done.
  void CheckRange(const void* begin, int64_t bytes) const;

  StandInRuntime& runtime_;
  std::vector<Item> waiting_;
  std::vector<Item> recorded_;
  bool recording_ = false;
};

// --- Runtime

StandInRuntime::~StandInRuntime() {
  if (!streams_.empty()) {
    emulator::Die("a stream outlives its runtime");
  }
}

absl::StatusOr<int64_t> StandInRuntime::FreeBytes() {
  if (!failure_.ok()) return failure_;
  return memory_.free_bytes();
}

absl::StatusOr<void*> StandInRuntime::Allocate(int64_t bytes) {
  CheckRecording("Allocate", nullptr);
  if (!failure_.ok()) return failure_;
  if (bytes < 0) {
    emulator::Die("%lld bytes are allocated", static_cast<long long>(bytes));
  }
  const bool refused = ++allocations_ == options_.refused_allocation;
  if (refused || StandInMemory::TakenBytes(bytes) > memory_.free_bytes()) {
    return MemoryError(bytes, memory_.free_bytes());
  }
  return memory_.Allocate(bytes);
}

void StandInRuntime::Free(void* memory) {
  if (memory == nullptr) return;
  CheckRecording("Free", nullptr);
  (void)Run(streams_);
  memory_.Free(memory);
}

absl::Status StandInRuntime::CopyIn(void* to, const void* from, int64_t bytes) {
  return CopyNow("CopyIn", to, from, bytes, /*device=*/to);
}

absl::Status StandInRuntime::CopyOut(void* to, const void* from,
                                     int64_t bytes) {
  return CopyNow("CopyOut", to, from, bytes, /*device=*/from);
}

absl::Status StandInRuntime::CopyNow(const char* what, void* to,
                                     const void* from, int64_t bytes,
                                     const void* device) {
  CheckRecording(what, nullptr);
  if (!memory_.Contains(device, bytes)) {
    emulator::Die("%s: %p is not within an allocation", what, device);
  }
  if (absl::Status status = CountWait(); !status.ok()) return status;
  if (absl::Status status = Run(streams_); !status.ok()) return status;
  memory_.Open();
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
  memory_.Close();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<DeviceStream>> StandInRuntime::CreateStream() {
  CheckRecording("CreateStream", nullptr);
  if (!failure_.ok()) return failure_;
  auto stream = std::make_unique<StandInStream>(this);
  streams_.push_back(stream.get());
  return stream;
}

int StandInRuntime::CountLaunch() {
  if (!options_.has_code) return kNoKernelImage;
  return ++launches_enqueued_ == options_.failed_launch ? kLaunchFailure : 0;
}

absl::Status StandInRuntime::Wait(StandInStream& stream) {
  CheckRecording("Synchronize", nullptr);
  if (absl::Status status = CountWait(); !status.ok()) return status;
  return Run({&stream});
}

void StandInRuntime::CheckRecording(const char* what,
                                    const StandInStream* own) const {
  if (recording_ != nullptr && recording_ != own) {
    emulator::Die("%s while a stream records", what);
  }
}

void StandInRuntime::Remove(StandInStream* stream) {
  CheckRecording("~DeviceStream", nullptr);
  (void)Run({stream});
  streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
}

absl::Status StandInRuntime::Run(const std::vector<StandInStream*>& streams) {
  memory_.Open();
  for (StandInStream* stream : streams) {
    for (const Item& item : stream->Take()) Do(item);
    if (!failure_.ok() || stream->error() == 0) continue;
    failure_ = stream->error() == kNoKernelImage
                   ? NoCodeError(info_)
                   : DeviceFailedError("unspecified launch failure");
  }
  memory_.Close();
  return failure_;
}

void StandInRuntime::Do(const Item& item) {
  if (!failure_.ok()) return;
  if (item.is_launch && ++launches_done_ == options_.lost_in_launch) {
    Lose();
    return;
  }
  item.work();
}

absl::Status StandInRuntime::CountWait() {
  if (failure_.ok() && ++waits_ == options_.lost_at_wait) Lose();
  return failure_;
}

void StandInRuntime::Lose() {
  failure_ = DeviceFailedError("an illegal memory access was encountered");
}

// --- Streams

void StandInStream::Clear(void* to, int64_t bytes) {
  CheckRange(to, bytes);
  const auto work = [this, to, bytes] {
    CheckRange(to, bytes);
    if (bytes > 0) std::memset(to, 0, static_cast<size_t>(bytes));
  };
  Add({work, /*is_launch=*/false});
}

void StandInStream::Copy(void* to, const void* from, int64_t bytes) {
  CheckRange(to, bytes);
  CheckRange(from, bytes);
  const auto distance = static_cast<char*>(to) - static_cast<const char*>(from);
  if (std::abs(distance) < bytes) emulator::Die("a copy overlaps itself");
  const auto work = [this, to, from, bytes] {
    CheckRange(to, bytes);
    CheckRange(from, bytes);
    if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
  };
  Add({work, /*is_launch=*/false});
}

absl::Status StandInStream::BeginRecording() {
  runtime_.CheckRecording("BeginRecording", nullptr);
  if (!runtime_.failure().ok()) return runtime_.failure();
  runtime_.set_recording(this);
  recording_ = true;
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<RecordedWork>> StandInStream::EndRecording() {
  if (!recording_) emulator::Die("a recording ends that was not begun");
  runtime_.set_recording(nullptr);
  recording_ = false;
  std::unique_ptr<RecordedWork> recorded =
      std::make_unique<Recorded>(this, std::exchange(recorded_, {}));
  if (error() != 0) return runtime_.Wait(*this);
  return recorded;
}

void StandInStream::Replay(const RecordedWork& work) {
  const auto& recorded = static_cast<const Recorded&>(work);
  if (recorded.stream() != this) emulator::Die("work of another stream");
  if (recording_) emulator::Die("Replay while the stream records");
  const auto items = recorded.items();
  const auto held = items.lock();
  for (size_t i = 0; i < held->size(); ++i) {
    const auto replay = [items, i] {
      const auto at_work = items.lock();
      if (at_work == nullptr) {
        emulator::Die("recorded work went before its replay");
      }
      (*at_work)[i].work();
    };
    Add({replay, (*held)[i].is_launch});
  }
}

void StandInStream::CheckArgument(const void* argument, size_t bytes) const {
  for (size_t at = 0; at + sizeof(uintptr_t) <= bytes; at += alignof(void*)) {
    uintptr_t word;
    std::memcpy(&word, static_cast<const char*>(argument) + at, sizeof(word));
    const StandInMemory::Kind kind = runtime_.memory().KindOf(word);
    if (kind == StandInMemory::Kind::kFreed) {
      emulator::Die("a kernel is given freed memory, %#zx", word);
    }
    if (kind == StandInMemory::Kind::kHost) {
      emulator::Die("a kernel is given memory of the host, %#zx", word);
    }
  }
}

void StandInStream::Enqueue(emulator::Work launch) {
  const int error = runtime_.CountLaunch();
  if (error == 0) {
    Add({std::move(launch), /*is_launch=*/true});
  } else {
    Fail(error);
  }
}

void StandInStream::Add(Item item) {
  runtime_.CheckRecording("work of another stream", this);
  (recording_ ? recorded_ : waiting_).push_back(std::move(item));
}

void StandInStream::CheckRange(const void* begin, int64_t bytes) const {
  if (!runtime_.memory().Contains(begin, bytes)) {
    emulator::Die("%lld bytes at %p are not within an allocation",
                  static_cast<long long>(bytes), begin);
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> CreateStandInRuntime(
    const StandInOptions& options) {
  if (absl::Status status =
          CheckDriver(options.driver_version, kRuntimeVersion);
      !status.ok()) {
    return status;
  }
  if (options.device_count == 0) return NoDeviceError();
  DeviceInfo info = {"emulated GPU",       options.major,
                     options.minor,        options.driver_version,
                     kRuntimeVersion,      options.memory_bytes,
                     /*multiprocessors=*/4};
  if (absl::Status status = CheckDevice(info); !status.ok()) return status;
  return std::make_unique<StandInRuntime>(options, std::move(info));
}

}  // namespace repro16
