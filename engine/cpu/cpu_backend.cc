#include "engine/cpu/cpu_backend.h"

#include <cstring>
#include <fstream>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/cpu/machine/available_memory.h"
#include "engine/cpu/machine/fma_ceiling.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/machine/usable_processors.h"
#include "engine/cpu/program/device_buffer.h"
#include "engine/cpu/program/program.h"
#include "engine/cpu/program/program_plan.h"
#include "engine/numerics/fp_environment.h"
#include "engine/numerics/simd_target.h"

namespace repro16 {
namespace {

// More than any machine has; beyond it the system refuses to make threads.
constexpr int kMaxThreads = 1024;

// As the kernel reports it; "unknown processor" where it does not.
std::string ProcessorName() {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line)) {
    const size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown processor";
}

absl::Status AnotherBackends() {
  return absl::InvalidArgumentError("the buffer is another backend's");
}

class CpuBackend : public Backend {
 public:
  explicit CpuBackend(int threads) : pool_(threads) {}

  // The first worker whose floating-point mode is not that of the contract.
  absl::Status CheckWorkers() {
    std::vector<absl::Status> statuses(
        static_cast<size_t>(pool_.num_workers()));
    pool_.Run(pool_.num_workers(), [&](int64_t task, int /*worker*/) {
      statuses[static_cast<size_t>(task)] = CheckFpEnvironment();
    });
    for (const absl::Status& status : statuses) {
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  std::string device() const override {
    return absl::StrCat(ProcessorName(), ", ", pool_.num_workers(),
                        pool_.num_workers() == 1 ? " thread" : " threads");
  }

  std::string variant() const override { return SelectedSimdTarget(); }

  double MultiplyAddCeiling() override { return FmaCeiling(pool_); }

  int64_t available_bytes() const override { return AvailableMemory(); }

  bool shares_host_memory() const override { return true; }

  absl::StatusOr<std::unique_ptr<DeviceBuffer>> Allocate(
      int64_t bytes) override {
    if (bytes < 0) {
      return absl::InvalidArgumentError("a buffer cannot have negative size");
    }
    return std::make_unique<CpuDeviceBuffer>(bytes);
  }

  absl::Status Upload(absl::Span<const uint8_t> from,
                      DeviceBuffer& to) override {
    if (static_cast<int64_t>(from.size()) > to.bytes()) {
      return absl::OutOfRangeError(absl::StrCat(
          from.size(), " bytes do not fit a buffer of ", to.bytes()));
    }
    uint8_t* data = HostData(to);
    if (data == nullptr) return AnotherBackends();
    if (!from.empty()) std::memcpy(data, from.data(), from.size());
    return absl::OkStatus();
  }

  absl::Status Download(const DeviceBuffer& from,
                        absl::Span<uint8_t> to) override {
    if (static_cast<int64_t>(to.size()) > from.bytes()) {
      return absl::OutOfRangeError(absl::StrCat(
          "a buffer of ", from.bytes(), " bytes cannot give ", to.size()));
    }
    const uint8_t* data = HostData(from);
    if (data == nullptr) return AnotherBackends();
    if (!to.empty()) std::memcpy(to.data(), data, to.size());
    return absl::OkStatus();
  }

  absl::StatusOr<ProgramMemory> Plan(const Graph& graph,
                                     const PrecisionPolicy& policy,
                                     const CompileOptions& options) override {
    if (absl::Status status = CheckOptions(options); !status.ok()) {
      return status;
    }
    return PlanProgram(graph, policy, options).memory();
  }

  absl::StatusOr<std::unique_ptr<Program>> Compile(
      const Graph& graph, const PrecisionPolicy& policy,
      const CompileOptions& options) override {
    if (absl::Status status = CheckOptions(options); !status.ok()) {
      return status;
    }
    return std::make_unique<CpuProgram>(PlanProgram(graph, policy, options),
                                        policy, options, &pool_);
  }

 private:
  static absl::Status CheckOptions(const CompileOptions& options) {
    if (options.max_batch >= 1) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "max_batch is ", options.max_batch, "; at least 1 is needed"));
  }

  ThreadPool pool_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Backend>> CreateCpuBackend(
    const CpuOptions& options) {
  if (options.threads < 0 || options.threads > kMaxThreads) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads is ", options.threads,
                     "; give 0 for one per core, or 1 to ", kMaxThreads));
  }
  if (absl::Status status = SelectSimdTarget(options.simd_target);
      !status.ok()) {
    return status;
  }
  const int threads =
      options.threads > 0 ? options.threads : UsableProcessors();
  auto backend = std::make_unique<CpuBackend>(threads);
  if (absl::Status status = backend->CheckWorkers(); !status.ok()) {
    return status;
  }
  return backend;
}

}  // namespace repro16
