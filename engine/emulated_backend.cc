// "cuda_emulated", for tests: the kernels of "cuda", run by the host. A program
// that is linked with this knows the name.
//
// What fails there is in the environment: REPRO16_STAND_IN="lost_in_launch=9
// memory_bytes=1000000", names and numbers of StandInOptions
// (engine/cuda/runtime/stand_in.h).
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/create_backend.h"
#include "engine/cuda/cuda_backend.h"
#include "engine/cuda/runtime/stand_in.h"

namespace repro16 {
namespace {

absl::Status Set(std::string_view name, int64_t value,
                 StandInOptions& options) {
  const std::pair<std::string_view, int*> small[] = {
      {"driver_version", &options.driver_version},
      {"device_count", &options.device_count},
      {"major", &options.major},
      {"minor", &options.minor}};
  const std::pair<std::string_view, int64_t*> large[] = {
      {"memory_bytes", &options.memory_bytes},
      {"refused_allocation", &options.refused_allocation},
      {"failed_launch", &options.failed_launch},
      {"lost_in_launch", &options.lost_in_launch},
      {"lost_at_wait", &options.lost_at_wait}};
  for (const auto& [known, field] : small) {
    if (known != name) continue;
    *field = static_cast<int>(value);
    return absl::OkStatus();
  }
  for (const auto& [known, field] : large) {
    if (known != name) continue;
    *field = value;
    return absl::OkStatus();
  }
  if (name == "has_code") {
    options.has_code = value != 0;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("REPRO16_STAND_IN: unknown name '", name, "'"));
}

absl::StatusOr<StandInOptions> OptionsOfEnvironment() {
  StandInOptions options;
  const char* text = std::getenv("REPRO16_STAND_IN");
  if (text == nullptr) return options;
  for (const std::string_view field :
       absl::StrSplit(text, ' ', absl::SkipEmpty())) {
    const std::pair<std::string, std::string> pair =
        absl::StrSplit(field, absl::MaxSplits('=', 1));
    int64_t value;
    if (!absl::SimpleAtoi(pair.second, &value)) {
      return absl::InvalidArgumentError(
          absl::StrCat("REPRO16_STAND_IN: '", field, "' is not NAME=NUMBER"));
    }
    absl::Status status = Set(pair.first, value, options);
    if (!status.ok()) return status;
  }
  return options;
}

absl::StatusOr<std::unique_ptr<Backend>> CreateEmulated(
    const BackendOptions& /*options*/) {
  const absl::StatusOr<StandInOptions> options = OptionsOfEnvironment();
  if (!options.ok()) return options.status();
  absl::StatusOr<std::unique_ptr<Runtime>> runtime =
      CreateStandInRuntime(*options);
  if (!runtime.ok()) return runtime.status();
  return CreateCudaBackend(*std::move(runtime));
}

[[maybe_unused]] const bool added =
    (AddTestBackend("cuda_emulated", CreateEmulated), true);

}  // namespace
}  // namespace repro16
