#include "engine/cuda/runtime/cuda_runtime.h"

#include <cuda_runtime_api.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/cuda/runtime/device_error.h"

namespace repro16 {
namespace {

std::string Words(cudaError_t error) {
  return absl::StrCat(cudaGetErrorName(error), ": ", cudaGetErrorString(error));
}

class CudaStream;

class Recorded : public RecordedWork {
 public:
  explicit Recorded(cudaGraphExec_t graph) : graph_(graph) {}
  ~Recorded() override { (void)cudaGraphExecDestroy(graph_); }

  cudaGraphExec_t graph() const { return graph_; }

 private:
  const cudaGraphExec_t graph_;
};

class CudaRuntime : public Runtime {
 public:
  CudaRuntime(DeviceInfo info, cudaStream_t copies)
      : info_(std::move(info)), copies_(copies) {}
  ~CudaRuntime() override { (void)cudaStreamDestroy(copies_); }

  const DeviceInfo& info() const override { return info_; }
  const Kernels& kernels() const override { return DeviceKernels(); }
  absl::StatusOr<int64_t> FreeBytes() override;
  absl::StatusOr<void*> Allocate(int64_t bytes) override;
  void Free(void* memory) override;
  absl::Status CopyIn(void* to, const void* from, int64_t bytes) override {
    return CopyNow(to, from, bytes, cudaMemcpyHostToDevice);
  }
  absl::Status CopyOut(void* to, const void* from, int64_t bytes) override {
    return CopyNow(to, from, bytes, cudaMemcpyDeviceToHost);
  }
  absl::StatusOr<std::unique_ptr<DeviceStream>> CreateStream() override;

  // Notes an error of the device, after which it is not used any more. The
  // first one.
  absl::Status Check(cudaError_t error);
  void Remove(const CudaStream* stream);

 private:
  // Waits for all streams.
  absl::Status Wait();
  absl::Status CopyNow(void* to, const void* from, int64_t bytes,
                       cudaMemcpyKind kind);

  const DeviceInfo info_;
  const cudaStream_t copies_;
  std::vector<const CudaStream*> streams_;
  absl::Status failure_;
};

class CudaStream : public DeviceStream {
 public:
  CudaStream(CudaRuntime* runtime, cudaStream_t stream)
      : DeviceStream(stream), runtime_(*runtime) {}
  ~CudaStream() override {
    (void)cudaStreamSynchronize(stream());
    (void)cudaStreamDestroy(stream());
    runtime_.Remove(this);
  }

  void Clear(void* to, int64_t bytes) override {
    Fail(cudaMemsetAsync(to, 0, static_cast<size_t>(bytes), stream()));
  }
  void Copy(void* to, const void* from, int64_t bytes) override {
    Fail(cudaMemcpyAsync(to, from, static_cast<size_t>(bytes),
                         cudaMemcpyDeviceToDevice, stream()));
  }
  absl::Status Synchronize() override;
  absl::Status BeginRecording() override;
  absl::StatusOr<std::unique_ptr<RecordedWork>> EndRecording() override;
  void Replay(const RecordedWork& work) override {
    Fail(cudaGraphLaunch(static_cast<const Recorded&>(work).graph(), stream()));
  }

 private:
  cudaStream_t stream() const { return static_cast<cudaStream_t>(handle()); }
  // The first error of what was enqueued.
  absl::Status Enqueued() {
    return runtime_.Check(static_cast<cudaError_t>(error()));
  }

  CudaRuntime& runtime_;
};

// --- Runtime

absl::StatusOr<int64_t> CudaRuntime::FreeBytes() {
  size_t free = 0, total = 0;
  if (absl::Status status = Check(cudaMemGetInfo(&free, &total));
      !status.ok()) {
    return status;
  }
  return static_cast<int64_t>(free);
}

absl::StatusOr<void*> CudaRuntime::Allocate(int64_t bytes) {
  if (!failure_.ok()) return failure_;
  void* memory = nullptr;
  const cudaError_t error =
      cudaMalloc(&memory, static_cast<size_t>(std::max<int64_t>(bytes, 1)));
  if (error != cudaErrorMemoryAllocation) {
    if (absl::Status status = Check(error); !status.ok()) return status;
    return memory;
  }
  (void)cudaGetLastError();  // which a launch would take for its own
  const absl::StatusOr<int64_t> free = FreeBytes();
  if (!free.ok()) return free.status();
  return MemoryError(bytes, *free);
}

void CudaRuntime::Free(void* memory) {
  if (memory == nullptr) return;
  (void)Wait();
  (void)Check(cudaFree(memory));
}

absl::StatusOr<std::unique_ptr<DeviceStream>> CudaRuntime::CreateStream() {
  cudaStream_t handle = nullptr;
  if (absl::Status status =
          Check(cudaStreamCreateWithFlags(&handle, cudaStreamNonBlocking));
      !status.ok()) {
    return status;
  }
  auto stream = std::make_unique<CudaStream>(this, handle);
  streams_.push_back(stream.get());
  return stream;
}

absl::Status CudaRuntime::Check(cudaError_t error) {
  if (error == cudaSuccess || !failure_.ok()) return failure_;
  switch (error) {
    case cudaErrorNoKernelImageForDevice:
    case cudaErrorInvalidKernelImage:
    case cudaErrorUnsupportedPtxVersion:
    case cudaErrorJitCompilerNotFound:
    case cudaErrorJitCompilationDisabled:
      failure_ = NoCodeError(info_);
      break;
    default:
      failure_ = DeviceFailedError(Words(error));
  }
  return failure_;
}

void CudaRuntime::Remove(const CudaStream* stream) {
  streams_.erase(std::find(streams_.begin(), streams_.end(), stream));
}

absl::Status CudaRuntime::Wait() {
  for (const CudaStream* stream : streams_) {
    (void)Check(static_cast<cudaError_t>(stream->error()));
  }
  return Check(cudaDeviceSynchronize());
}

// On a stream of its own that is then waited for: cudaMemcpy may return before
// the device has what it was given.
absl::Status CudaRuntime::CopyNow(void* to, const void* from, int64_t bytes,
                                  cudaMemcpyKind kind) {
  if (absl::Status status = Wait(); !status.ok()) return status;
  if (absl::Status status = Check(
          cudaMemcpyAsync(to, from, static_cast<size_t>(bytes), kind, copies_));
      !status.ok()) {
    return status;
  }
  return Check(cudaStreamSynchronize(copies_));
}

// --- Streams

absl::Status CudaStream::Synchronize() {
  if (absl::Status status = Enqueued(); !status.ok()) return status;
  return runtime_.Check(cudaStreamSynchronize(stream()));
}

absl::Status CudaStream::BeginRecording() {
  if (absl::Status status = Enqueued(); !status.ok()) return status;
  return runtime_.Check(
      cudaStreamBeginCapture(stream(), cudaStreamCaptureModeThreadLocal));
}

absl::StatusOr<std::unique_ptr<RecordedWork>> CudaStream::EndRecording() {
  cudaGraph_t graph = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream(), &graph);
  absl::Status status = Enqueued();
  status.Update(runtime_.Check(ended));
  cudaGraphExec_t executable = nullptr;
  if (status.ok()) {
    status = runtime_.Check(
        cudaGraphInstantiateWithFlags(&executable, graph, /*flags=*/0));
  }
  if (graph != nullptr) (void)cudaGraphDestroy(graph);
  if (!status.ok()) return status;
  return std::make_unique<Recorded>(executable);
}

// --- Creation

absl::Status CannotBeUsed(cudaError_t error) {
  return absl::FailedPreconditionError(
      absl::StrCat("no GPU can be used: ", Words(error)));
}

absl::StatusOr<DeviceInfo> FindDevice() {
  DeviceInfo info;
  cudaError_t error = cudaDriverGetVersion(&info.driver_version);
  if (error == cudaSuccess) {
    error = cudaRuntimeGetVersion(&info.runtime_version);
  }
  if (error != cudaSuccess) return CannotBeUsed(error);
  if (absl::Status status =
          CheckDriver(info.driver_version, info.runtime_version);
      !status.ok()) {
    return status;
  }
  int count = 0;
  error = cudaGetDeviceCount(&count);
  if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0)) {
    return NoDeviceError();
  }
  if (error == cudaErrorInsufficientDriver) {
    return DriverTooOldError(info.driver_version, info.runtime_version);
  }
  cudaDeviceProp properties;
  if (error == cudaSuccess) {
    error = cudaGetDeviceProperties(&properties, /*device=*/0);
  }
  if (error != cudaSuccess) return CannotBeUsed(error);
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.memory_bytes = static_cast<int64_t>(properties.totalGlobalMem);
  info.multiprocessors = properties.multiProcessorCount;
  if (absl::Status status = CheckDevice(info); !status.ok()) return status;
  return info;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Runtime>> CreateCudaRuntime() {
  // All kernels at once, as nothing can be loaded while a stream records.
  (void)setenv("CUDA_MODULE_LOADING", "EAGER", /*overwrite=*/0);
  absl::StatusOr<DeviceInfo> info = FindDevice();
  if (!info.ok()) return info.status();
  cudaError_t error = cudaSetDevice(0);
  cudaStream_t copies = nullptr;
  if (error == cudaSuccess) {
    error = cudaStreamCreateWithFlags(&copies, cudaStreamNonBlocking);
  }
  if (error == cudaErrorNoKernelImageForDevice) return NoCodeError(*info);
  if (error != cudaSuccess) return CannotBeUsed(error);
  return std::make_unique<CudaRuntime>(*std::move(info), copies);
}

}  // namespace repro16
