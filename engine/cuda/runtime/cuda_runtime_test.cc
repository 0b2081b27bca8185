#include "engine/cuda/runtime/cuda_runtime.h"

#include <dlfcn.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

// Whether there is an NVIDIA driver.
bool HasDriver() {
  void* driver = dlopen("libcuda.so.1", RTLD_LAZY);
  if (driver != nullptr) dlclose(driver);
  return driver != nullptr;
}

TEST(CudaRuntimeTest, SaysWhatIsMissing) {
  if (HasDriver()) GTEST_SKIP() << "left out: this machine has a driver";
  const absl::Status status = CreateCudaRuntime().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("no GPU can be used: there is no NVIDIA driver"));
}

// --- Where there is a GPU

class CudaDeviceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<std::unique_ptr<Runtime> > runtime = CreateCudaRuntime();
    if (!runtime.ok()) GTEST_SKIP() << "left out: " << runtime.status();
    runtime_ = *std::move(runtime);
    stream_ = *runtime_->CreateStream();
    memory_ = *DeviceMemory::Allocate(*runtime_, kBytes);
  }

  std::vector<uint8_t> Read() {
    std::vector<uint8_t> result(kBytes);
    EXPECT_TRUE(runtime_->CopyOut(result.data(), memory_.data(), kBytes).ok());
    return result;
  }

  void Write(uint8_t value) {
    const std::vector<uint8_t> host(kBytes, value);
    EXPECT_TRUE(runtime_->CopyIn(memory_.data(), host.data(), kBytes).ok());
  }

  static constexpr int64_t kBytes = 100000;
  std::unique_ptr<Runtime> runtime_;
  std::unique_ptr<DeviceStream> stream_;
  DeviceMemory memory_;
};

TEST_F(CudaDeviceTest, CopiesAndClears) {
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory_.data()) % 256, 0u);
  EXPECT_EQ(&runtime_->kernels(), &DeviceKernels());
  EXPECT_GT(runtime_->info().memory_bytes, *runtime_->FreeBytes());
  Write(7);
  EXPECT_THAT(Read(), Each(7));
  stream_->Clear(memory_.data(), kBytes / 2);
  stream_->Copy(memory_.data() + kBytes / 2, memory_.data(), kBytes / 2);
  EXPECT_THAT(Read(), Each(0));
}

TEST_F(CudaDeviceTest, RecordedWorkIsDoneAtEachReplay) {
  Write(7);
  ASSERT_TRUE(stream_->BeginRecording().ok());
  stream_->Clear(memory_.data(), kBytes);
  const absl::StatusOr<std::unique_ptr<RecordedWork> > work =
      stream_->EndRecording();
  ASSERT_TRUE(work.ok()) << work.status();
  EXPECT_THAT(Read(), Each(7));
  for (int i = 0; i < 2; ++i) {
    Write(7);
    stream_->Replay(**work);
    EXPECT_TRUE(stream_->Synchronize().ok());
    EXPECT_THAT(Read(), Each(0));
  }
}

TEST_F(CudaDeviceTest, RefusesMemoryThatDoesNotFit) {
  EXPECT_EQ(runtime_->Allocate(int64_t{1} << 50).status().code(),
            absl::StatusCode::kResourceExhausted);
  stream_->Clear(memory_.data(), kBytes);
  EXPECT_TRUE(stream_->Synchronize().ok());
}

TEST_F(CudaDeviceTest, AFailureIsSaidFromThenOn) {
  stream_->Clear(nullptr, 1);
  const absl::Status failure = stream_->Synchronize();
  EXPECT_EQ(failure.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(failure.message()), HasSubstr("the GPU failed ("));
  EXPECT_EQ(runtime_->Allocate(1).status(), failure);
  EXPECT_EQ(stream_->Synchronize(), failure);
}

}  // namespace
}  // namespace repro16
