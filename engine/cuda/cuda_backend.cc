#include "engine/cuda/cuda_backend.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/cuda/program/device_buffer.h"
#include "engine/cuda/program/program.h"
#include "engine/cuda/program/program_plan.h"

namespace repro16 {
namespace {

std::string VersionText(int version) {
  return absl::StrCat(version / 1000, ".", version % 1000 / 10);
}

class CudaBackend : public Backend {
 public:
  explicit CudaBackend(std::unique_ptr<Runtime> runtime)
      : runtime_(std::move(runtime)) {}

  std::string device() const override {
    const DeviceInfo& info = runtime_->info();
    return absl::StrCat(info.name, ", CUDA ", VersionText(info.runtime_version),
                        ", driver for ", VersionText(info.driver_version));
  }

  std::string variant() const override {
    const DeviceInfo& info = runtime_->info();
    return absl::StrCat("compute capability ", info.major, ".", info.minor);
  }

  // The best of some launches, the first of which also wakes the device up.
  double MultiplyAddCeiling() override {
    constexpr unsigned kBlocksPerMultiprocessor = 8;
    constexpr int kLaunches = 20;
    absl::StatusOr<std::unique_ptr<DeviceStream>> stream =
        runtime_->CreateStream();
    absl::StatusOr<DeviceMemory> sink =
        DeviceMemory::Allocate(*runtime_, sizeof(float));
    if (!stream.ok() || !sink.ok()) return 0;
    const unsigned blocks =
        kBlocksPerMultiprocessor *
        static_cast<unsigned>(std::max(1, runtime_->info().multiprocessors));
    const double flops = kCeilingFlops * kCeilingThreads * blocks;
    double best = 0;
    for (int i = 0; i < kLaunches; ++i) {
      const auto begin = std::chrono::steady_clock::now();
      runtime_->kernels().MultiplyAdds(
          {blocks, reinterpret_cast<float*>(sink->data())}, **stream);
      if (!(*stream)->Synchronize().ok()) return 0;
      const std::chrono::duration<double> took =
          std::chrono::steady_clock::now() - begin;
      best = std::max(best, flops / took.count());
    }
    return best;
  }

  int64_t available_bytes() const override {
    return runtime_->FreeBytes().value_or(0);
  }

  bool shares_host_memory() const override { return false; }

  absl::StatusOr<std::unique_ptr<DeviceBuffer>> Allocate(
      int64_t bytes) override {
    if (bytes < 0) {
      return absl::InvalidArgumentError("a buffer cannot have negative size");
    }
    absl::StatusOr<DeviceMemory> memory =
        DeviceMemory::Allocate(*runtime_, bytes);
    if (!memory.ok()) return memory.status();
    return std::make_unique<CudaDeviceBuffer>(runtime_.get(),
                                              *std::move(memory), bytes);
  }

  absl::Status Upload(absl::Span<const uint8_t> from,
                      DeviceBuffer& to) override {
    if (static_cast<int64_t>(from.size()) > to.bytes()) {
      return absl::OutOfRangeError(absl::StrCat(
          from.size(), " bytes do not fit a buffer of ", to.bytes()));
    }
    auto* buffer = dynamic_cast<CudaDeviceBuffer*>(&to);
    if (buffer == nullptr) return AnotherBackends();
    return buffer->Write(from);
  }

  absl::Status Download(const DeviceBuffer& from,
                        absl::Span<uint8_t> to) override {
    if (static_cast<int64_t>(to.size()) > from.bytes()) {
      return absl::OutOfRangeError(absl::StrCat(
          "a buffer of ", from.bytes(), " bytes cannot give ", to.size()));
    }
    const CudaDeviceBuffer* buffer = BufferOf(*runtime_, from);
    if (buffer == nullptr) return AnotherBackends();
    return runtime_->CopyOut(to.data(), buffer->data(),
                             static_cast<int64_t>(to.size()));
  }

  absl::StatusOr<ProgramMemory> Plan(const Graph& graph,
                                     const PrecisionPolicy& policy,
                                     const CompileOptions& options) override {
    absl::StatusOr<cuda::ProgramPlan> plan =
        cuda::PlanProgram(graph, policy, options);
    if (!plan.ok()) return plan.status();
    return plan->memory();
  }

  absl::StatusOr<std::unique_ptr<Program>> Compile(
      const Graph& graph, const PrecisionPolicy& policy,
      const CompileOptions& options) override {
    absl::StatusOr<cuda::ProgramPlan> plan =
        cuda::PlanProgram(graph, policy, options);
    if (!plan.ok()) return plan.status();
    return cuda::CudaProgram::Create(*std::move(plan), policy, options,
                                     runtime_.get());
  }

 private:
  static absl::Status AnotherBackends() {
    return absl::InvalidArgumentError("the buffer is another backend's");
  }

  const std::unique_ptr<Runtime> runtime_;
};

}  // namespace

std::unique_ptr<Backend> CreateCudaBackend(std::unique_ptr<Runtime> runtime) {
  return std::make_unique<CudaBackend>(std::move(runtime));
}

}  // namespace repro16
