#include "engine/create_backend.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/cpu/cpu_backend.h"

namespace repro16 {
namespace {

using Create =
    absl::StatusOr<std::unique_ptr<Backend>> (*)(const BackendOptions& options);

struct Entry {
  std::string_view name;
  Create create;
};

absl::StatusOr<std::unique_ptr<Backend>> CreateCpu(
    const BackendOptions& options) {
  return CreateCpuBackend({options.threads, options.variant});
}

constexpr Entry kBackends[] = {{"cpu", CreateCpu}};

const Entry* Find(std::string_view name) {
  if (name.empty()) name = kDefaultBackend;
  for (const Entry& entry : kBackends) {
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
      absl::StrJoin(kBackends, " or ", quoted), ", or leave it out"));
}

absl::StatusOr<std::unique_ptr<Backend>> CreateBackend(
    std::string_view name, const BackendOptions& options) {
  if (absl::Status status = CheckBackend(name); !status.ok()) return status;
  return Find(name)->create(options);
}

}  // namespace repro16
