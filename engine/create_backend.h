// The backends by name: the one place above them that knows which there are.
#ifndef REPRO16_ENGINE_CREATE_BACKEND_H_
#define REPRO16_ENGINE_CREATE_BACKEND_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/backend_names.h"
#include "engine/graph/backend.h"

namespace repro16 {

// What no bit of a result depends on.
struct BackendOptions {
  // Of the host, at most 1024; 0 takes one for each processor that the process
  // may use.
  int threads = 0;
  // Backend::variant; "auto" takes the best. On the CPU an instruction set
  // (engine/numerics/simd_target.h).
  std::string variant = "auto";
};

// InvalidArgument, with the known names, if there is no such backend. "" is the
// default one.
absl::Status CheckBackend(std::string_view name);

// Fails as CheckBackend does, and where the machine cannot run that backend, or
// not in that variant.
absl::StatusOr<std::unique_ptr<Backend>> CreateBackend(
    std::string_view name, const BackendOptions& options = {});

using BackendFactory =
    absl::StatusOr<std::unique_ptr<Backend>> (*)(const BackendOptions& options);

// For tests: a backend that is no part of the product, of that name from here
// on.
void AddTestBackend(std::string_view name, BackendFactory create);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CREATE_BACKEND_H_
