// The networks of the paper, by name.
#ifndef REPRO16_MODELS_REGISTRY_H_
#define REPRO16_MODELS_REGISTRY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace repro16 {

// The names that BuildModel knows, in the order of the paper.
std::vector<std::string> ModelNames();

// A new graph of that network. NotFound lists the known names.
absl::StatusOr<Graph> BuildModel(std::string_view name);

}  // namespace repro16

#endif  // REPRO16_MODELS_REGISTRY_H_
