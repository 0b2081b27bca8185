#include "engine/create_backend.h"

#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cpu/cpu_backend.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/runtime/cuda_runtime.h"

namespace repro16 {
namespace {

struct Entry {
  std::string_view name;
  BackendFactory create;
};

absl::StatusOr<std::unique_ptr<Backend>> CreateCpu(
    const BackendOptions& options) {
  return CreateCpuBackend({options.threads, options.variant});
}

absl::StatusOr<std::unique_ptr<Backend>> CreateCuda(
    const BackendOptions& options) {
  if (options.variant != "auto") {
    return absl::InvalidArgumentError(
        absl::StrCat("backend \"cuda\" has no variant '",
                     absl::CEscape(options.variant), "'; leave it out"));
  }
  absl::StatusOr<std::unique_ptr<Runtime>> runtime = CreateCudaRuntime();
  if (!runtime.ok()) return runtime.status();
  return CreateCudaBackend(*std::move(runtime));
}

std::vector<Entry>& Backends() {
  static auto& backends =
      *new std::vector<Entry>{{"cpu", CreateCpu}, {"cuda", CreateCuda}};
  return backends;
}

const Entry* Find(std::string_view name) {
  if (name.empty()) name = kDefaultBackend;
  for (const Entry& entry : Backends()) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

}  // namespace

absl::Status CheckBackend(std::string_view name) {
  if (Find(name) != nullptr) return absl::OkStatus();
  const auto quoted = [](std::string* out, const Entry& entry) {
    absl::StrAppend(out, "\"", entry.name, "\"");
  };
  return absl::InvalidArgumentError(absl::StrCat(
      "unknown backend '", absl::CEscape(name), "'; use ",
      absl::StrJoin(Backends(), " or ", quoted), ", or leave it out"));
}

absl::StatusOr<std::unique_ptr<Backend>> CreateBackend(
    std::string_view name, const BackendOptions& options) {
  if (absl::Status status = CheckBackend(name); !status.ok()) return status;
  return Find(name)->create(options);
}

void AddTestBackend(std::string_view name, BackendFactory create) {
  Backends().push_back({name, create});
}

}  // namespace repro16
