#include "engine/cuda/runtime/stand_in.h"

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

constexpr int kCount = 900;  // takes less than a page
constexpr int64_t kBytes = kCount * sizeof(uint32_t);

SIMT_KERNEL(kElementThreads, 1) AddOne(uint32_t* x, int n) {
  const int i = ElementIndex();
  if (i < n) x[i] += 1;
}

std::unique_ptr<Runtime> Create(const StandInOptions& options = {}) {
  absl::StatusOr<std::unique_ptr<Runtime>> runtime =
      CreateStandInRuntime(options);
  EXPECT_TRUE(runtime.ok()) << runtime.status();
  return *std::move(runtime);
}

std::string Refusal(const StandInOptions& options) {
  const absl::Status status = CreateStandInRuntime(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  return std::string(status.message());
}

// A stream and kCount numbers, which are 0 when the stream gets there.
struct Device {
  explicit Device(const StandInOptions& options = {})
      : runtime(Create(options)),
        stream(*runtime->CreateStream()),
        memory(*DeviceMemory::Allocate(*runtime, kBytes)),
        numbers(reinterpret_cast<uint32_t*>(memory.data())) {
    stream->Clear(numbers, kBytes);
  }

  void Add() {
    Launch(*stream, AddOne, ElementGrid(kCount), kElementThreads, 0, numbers,
           kCount);
  }

  std::vector<uint32_t> Read() const {
    std::vector<uint32_t> result(kCount);
    EXPECT_TRUE(runtime->CopyOut(result.data(), numbers, kBytes).ok());
    return result;
  }

  std::unique_ptr<Runtime> runtime;
  std::unique_ptr<DeviceStream> stream;
  DeviceMemory memory;
  uint32_t* numbers;
};

TEST(StandInTest, HasAName) {
  const std::unique_ptr<Runtime> runtime = Create({.memory_bytes = 12345678});
  EXPECT_EQ(runtime->info().name, "emulated GPU");
  EXPECT_EQ(runtime->info().memory_bytes, 12345678);
  EXPECT_EQ(*runtime->FreeBytes(), 12345678);
  EXPECT_EQ(&runtime->kernels(), &EmulatedKernels());
}

TEST(StandInTest, WorkIsDoneInOrder) {
  Device device;
  device.Add();
  device.Add();
  EXPECT_THAT(device.Read(), Each(2u));
  device.stream->Clear(device.numbers, kBytes);
  device.Add();
  EXPECT_TRUE(device.stream->Synchronize().ok());
  EXPECT_THAT(device.Read(), Each(1u));
}

TEST(StandInTest, CopiesWithinTheDeviceAndFromTheHost) {
  Device device;
  const std::vector<uint32_t> host(kCount, 7);
  device.Add();
  ASSERT_TRUE(device.runtime->CopyIn(device.numbers, host.data(), kBytes).ok());
  const int64_t half = kBytes / 2;
  device.stream->Clear(device.numbers, half);
  device.stream->Copy(device.memory.data() + half, device.memory.data(), half);
  EXPECT_THAT(device.Read(), Each(0u));
}

TEST(StandInTest, NewMemoryIsAllOnes) {
  const std::unique_ptr<Runtime> runtime = Create();
  const absl::StatusOr<DeviceMemory> memory =
      DeviceMemory::Allocate(*runtime, 5000);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory->data()) % 256, 0u);
  std::vector<uint8_t> read(5000);
  ASSERT_TRUE(runtime->CopyOut(read.data(), memory->data(), 5000).ok());
  EXPECT_THAT(read, Each(0xff));
}

TEST(StandInTest, MemoryIsTakenAndGivenBack) {
  const std::unique_ptr<Runtime> runtime = Create({.memory_bytes = 4096});
  {
    absl::StatusOr<DeviceMemory> first = DeviceMemory::Allocate(*runtime, 1000);
    EXPECT_EQ(*runtime->FreeBytes(), 4096 - 1024);
    DeviceMemory second = *std::move(first);
    second = *DeviceMemory::Allocate(*runtime, 0);
    EXPECT_NE(second.data(), nullptr);
    EXPECT_EQ(*runtime->FreeBytes(), 4096 - 256);
    const absl::Status refused =
        DeviceMemory::Allocate(*runtime, 3841).status();
    EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_TRUE(DeviceMemory::Allocate(*runtime, 3840).ok());
  }
  EXPECT_EQ(*runtime->FreeBytes(), 4096);
}

TEST(StandInTest, RecordedWorkIsDoneAtEachReplay) {
  Device device;
  ASSERT_TRUE(device.stream->BeginRecording().ok());
  device.Add();
  device.Add();
  const absl::StatusOr<std::unique_ptr<RecordedWork>> work =
      device.stream->EndRecording();
  ASSERT_TRUE(work.ok()) << work.status();
  EXPECT_THAT(device.Read(), Each(0u));
  device.stream->Replay(**work);
  device.Add();
  device.stream->Replay(**work);
  EXPECT_THAT(device.Read(), Each(5u));
}

// --- Machines without a GPU that will do

TEST(StandInTest, RefusesWhatIsNotThereOrTooOld) {
  EXPECT_EQ(Refusal({.driver_version = 0}),
            "no GPU can be used: there is no NVIDIA driver; install one for "
            "CUDA 13.0 or use backend \"cpu\"");
  EXPECT_EQ(Refusal({.driver_version = 12080}),
            "no GPU can be used: the NVIDIA driver is for CUDA 12.8, this "
            "program is for CUDA 13.0; install a newer driver");
  EXPECT_THAT(Refusal({.device_count = 0}),
              HasSubstr("the NVIDIA driver sees none"));
  EXPECT_EQ(Refusal({.major = 7, .minor = 0}),
            "emulated GPU (compute capability 7.0) is too old; use a GPU from "
            "Turing on (7.5), which CUDA_VISIBLE_DEVICES may name, or backend "
            "\"cpu\"");
  Create({.driver_version = 13010, .major = 7, .minor = 5});
  Create({.major = 12, .minor = 0});
}

// --- Failures

TEST(StandInTest, RefusesAnAllocation) {
  const std::unique_ptr<Runtime> runtime =
      Create({.memory_bytes = 3 << 20, .refused_allocation = 2});
  const absl::StatusOr<DeviceMemory> first =
      DeviceMemory::Allocate(*runtime, 1 << 20);
  EXPECT_TRUE(first.ok());
  const absl::Status second =
      DeviceMemory::Allocate(*runtime, 1 << 20).status();
  EXPECT_EQ(second, absl::ResourceExhaustedError(
                        "GPU memory: 1.0 MiB wanted, 2.0 MiB free; end what "
                        "else uses the GPU, or take a smaller batch"));
  EXPECT_TRUE(DeviceMemory::Allocate(*runtime, 1 << 20).ok());
}

// That everything says the same failure from now on, and that nothing is done.
void ExpectLost(Device& device, const absl::Status& failure) {
  EXPECT_EQ(failure.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("the GPU failed ("));
  EXPECT_THAT(std::string(failure.message()),
              HasSubstr("run again, from a checkpoint with --resume"));
  device.Add();
  uint32_t number;
  Runtime& runtime = *device.runtime;
  EXPECT_EQ(device.stream->Synchronize(), failure);
  EXPECT_EQ(device.stream->BeginRecording(), failure);
  EXPECT_EQ(runtime.CopyOut(&number, device.numbers, 4), failure);
  EXPECT_EQ(runtime.CopyIn(device.numbers, &number, 4), failure);
  EXPECT_EQ(runtime.FreeBytes().status(), failure);
  EXPECT_EQ(runtime.Allocate(1).status(), failure);
  EXPECT_EQ(runtime.CreateStream().status(), failure);
}

TEST(StandInTest, ALaunchFails) {
  Device device({.failed_launch = 2});
  device.Add();
  EXPECT_TRUE(device.stream->Synchronize().ok());
  device.Add();
  device.Add();
  ExpectLost(device, device.stream->Synchronize());
}

TEST(StandInTest, ARecordingFails) {
  Device device({.failed_launch = 1});
  ASSERT_TRUE(device.stream->BeginRecording().ok());
  device.Add();
  ExpectLost(device, device.stream->EndRecording().status());
}

TEST(StandInTest, TheDeviceIsLostInALaunch) {
  Device device({.lost_in_launch = 3});
  ASSERT_TRUE(device.stream->BeginRecording().ok());
  device.Add();
  const absl::StatusOr<std::unique_ptr<RecordedWork>> work =
      device.stream->EndRecording();
  device.stream->Replay(**work);
  device.stream->Replay(**work);
  EXPECT_TRUE(device.stream->Synchronize().ok());
  device.stream->Replay(**work);
  ExpectLost(device, device.stream->Synchronize());
}

TEST(StandInTest, TheDeviceIsLostBeforeAWait) {
  Device device({.lost_at_wait = 2});
  device.Add();
  EXPECT_THAT(device.Read(), Each(1u));
  ExpectLost(device, device.stream->Synchronize());
}

TEST(StandInTest, ThereIsNoCode) {
  Device device({.major = 8, .minor = 6, .has_code = false});
  device.Add();
  EXPECT_EQ(device.stream->Synchronize(),
            absl::FailedPreconditionError(
                "emulated GPU (compute capability 8.6): this program has no "
                "code for it; build with --//engine/cuda:architectures=86"));
}

// --- Errors of the program

TEST(StandInDeathTest, TheHostTouchesTheDevicesMemory) {
  Device device;
  ASSERT_TRUE(device.stream->Synchronize().ok());
  EXPECT_DEATH(device.numbers[0] = 1, "");
  EXPECT_DEATH(device.numbers[0] += device.numbers[1], "");
}

TEST(StandInDeathTest, AKernelLeavesItsMemory) {
  Device device;
  const auto add = [&](uint32_t* x, int n) {
    Launch(*device.stream, AddOne, ElementGrid(n), kElementThreads, 0, x, n);
    (void)device.stream->Synchronize();
  };
#ifdef __SANITIZE_ADDRESS__
  EXPECT_DEATH(add(device.numbers, kCount + 1), "use-after-poison");
#else
  EXPECT_DEATH(add(device.numbers, kCount + 1), "just outside of the 3600");
  EXPECT_DEATH(add(device.numbers - 1, 1), "just outside of the 3600 bytes");
#endif
  EXPECT_DEATH(add(device.numbers, kCount + 60 + 1), "");
}

TEST(StandInDeathTest, ACopyLeavesItsMemory) {
  Device device;
  const std::vector<uint8_t> host(kBytes + 1);
  uint8_t* const data = device.memory.data();
  EXPECT_DEATH((void)device.runtime->CopyIn(data, host.data(), kBytes + 1),
               "CopyIn: .* not within an allocation");
  EXPECT_DEATH((void)device.runtime->CopyIn(data - 1, host.data(), 1), "");
  EXPECT_DEATH(device.stream->Clear(data + kBytes, 1),
               "1 bytes at .* not with");
  EXPECT_DEATH(device.stream->Copy(data, host.data(), 4), "4 bytes at .* not");
  EXPECT_DEATH(device.stream->Copy(data, data + 4, 8), "overlaps itself");
}

TEST(StandInDeathTest, FreedMemoryIsUsed) {
  Device device;
  void* const data = *device.runtime->Allocate(100);
  device.runtime->Free(data);
  EXPECT_DEATH(device.stream->Clear(data, 1), "not within an allocation");
  EXPECT_DEATH(Launch(*device.stream, AddOne, {1}, 1, 0,
                      static_cast<uint32_t*>(data), 1),
               "a kernel is given freed memory");
  EXPECT_DEATH(device.runtime->Free(data), "was not allocated");
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(StandInDeathTest, AKernelIsGivenMemoryOfTheHost) {
  Device device;
  auto number = std::make_unique<uint32_t>(0);
  EXPECT_DEATH(Launch(*device.stream, AddOne, {1}, 1, 0, number.get(), 1),
               "a kernel is given memory of the host");
}
#endif

TEST(StandInDeathTest, SomethingElseIsDoneWhileAStreamRecords) {
  Device device;
  const std::unique_ptr<DeviceStream> other = *device.runtime->CreateStream();
  EXPECT_DEATH((void)device.stream->EndRecording(), "was not begun");
  ASSERT_TRUE(device.stream->BeginRecording().ok());
  uint32_t number;
  EXPECT_DEATH((void)device.stream->Synchronize(), "Synchronize while");
  EXPECT_DEATH((void)device.runtime->Allocate(1), "Allocate while");
  EXPECT_DEATH((void)device.runtime->CopyOut(&number, device.numbers, 4),
               "CopyOut while a stream records");
  EXPECT_DEATH(other->Clear(device.numbers, 4), "work of another stream while");
  ASSERT_TRUE(device.stream->EndRecording().ok());
}

TEST(StandInDeathTest, RecordedWorkGoesBeforeItsReplay) {
  Device device;
  const std::unique_ptr<DeviceStream> other = *device.runtime->CreateStream();
  ASSERT_TRUE(device.stream->BeginRecording().ok());
  device.Add();
  std::unique_ptr<RecordedWork> work = *device.stream->EndRecording();
  EXPECT_DEATH(other->Replay(*work), "work of another stream");
  device.stream->Replay(*work);
  ASSERT_TRUE(device.stream->Synchronize().ok());
  const auto replay_late = [&] {
    device.stream->Replay(*work);
    work.reset();
    (void)device.stream->Synchronize();
  };
  EXPECT_DEATH(replay_late(), "recorded work went before its replay");
}

}  // namespace
}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
