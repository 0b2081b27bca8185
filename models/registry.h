// The networks of the paper, by name.
#ifndef REPRO16_MODELS_REGISTRY_H_
#define REPRO16_MODELS_REGISTRY_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"
#include "models/model_options.h"

namespace repro16 {

// The names that BuildModel knows, in the order of the paper.
std::vector<std::string> ModelNames();

// A new graph of that network. NotFound lists the known names; InvalidArgument
// names the option that is out of range, or the operations and shapes that do
// not fit the image.
absl::StatusOr<Graph> BuildModel(std::string_view name,
                                 const ModelOptions& options = {});

}  // namespace repro16

#endif  // REPRO16_MODELS_REGISTRY_H_
