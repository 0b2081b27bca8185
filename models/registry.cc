#include "models/registry.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/mlp.h"

namespace repro16 {
namespace {

struct Entry {
  std::string_view name;
  absl::StatusOr<Graph> (*build)();
};

constexpr Entry kModels[] = {
    {"mlp", BuildMlp},
};

}  // namespace

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kModels) names.emplace_back(entry.name);
  return names;
}

absl::StatusOr<Graph> BuildModel(std::string_view name) {
  for (const Entry& entry : kModels) {
    if (entry.name == name) return entry.build();
  }
  return absl::NotFoundError(absl::StrCat("model: unknown name '",
                                          absl::CEscape(name), "'; use one of ",
                                          absl::StrJoin(ModelNames(), ", ")));
}

}  // namespace repro16
