#include "models/registry.h"

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/networks.h"

namespace repro16 {
namespace {

using Options = const ModelOptions&;

struct Entry {
  std::string_view name;
  absl::StatusOr<Graph> (*build)(Options);
};

constexpr Entry kModels[] = {
    {"alexnet", BuildAlexNet},
    {"vgg16", [](Options options) { return BuildVgg(16, options); }},
    {"vgg19", [](Options options) { return BuildVgg(19, options); }},
    {"resnet32", [](Options options) { return BuildResNetCifar(32, options); }},
    {"resnet56", [](Options options) { return BuildResNetCifar(56, options); }},
    {"resnet110",
     [](Options options) { return BuildResNetCifar(110, options); }},
    {"densenet121",
     [](Options options) { return BuildDenseNet(121, options); }},
    {"densenet169",
     [](Options options) { return BuildDenseNet(169, options); }},
    {"xception", BuildXception},
    {"mobilenet_v2", BuildMobileNetV2},
    {"vit8", [](Options options) { return BuildViT(8, options); }},
    {"vit12", [](Options options) { return BuildViT(12, options); }},
    {"resnet18",
     [](Options options) { return BuildResNetPreact(18, options); }},
    {"resnet34",
     [](Options options) { return BuildResNetPreact(34, options); }},
    {"mlp", BuildMlp},
};

absl::Status CheckOptions(const ModelOptions& options) {
  if (!(options.width > 0 && options.width <= ModelOptions::kMaxWidth)) {
    return absl::InvalidArgumentError(
        absl::StrCat("width: ", options.width, " is not in (0, ",
                     ModelOptions::kMaxWidth, "]; give e.g. 0.25"));
  }
  const double momentum = options.BatchNormMomentum();
  if (!(momentum >= 0 && momentum < 1)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "batch_norm_momentum: ", momentum, " is not in [0, 1); give e.g. 0.9"));
  }
  if (options.image.has_value() && options.image->rank() != 3) {
    return absl::InvalidArgumentError(
        absl::StrCat("image: ", options.image->ToString(),
                     " is not [height, width, "
                     "channels]"));
  }
  return absl::OkStatus();
}

}  // namespace

std::vector<std::string> ModelNames() {
  std::vector<std::string> names;
  for (const Entry& entry : kModels) names.emplace_back(entry.name);
  return names;
}

absl::StatusOr<Graph> BuildModel(std::string_view name,
                                 const ModelOptions& options) {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  for (const Entry& entry : kModels) {
    if (entry.name != name) continue;
    absl::StatusOr<Graph> graph = entry.build(options);
    if (graph.ok()) return graph;
    return absl::Status(
        graph.status().code(),
        absl::StrCat("model ", name, ": ", graph.status().message()));
  }
  return absl::NotFoundError(absl::StrCat("model: unknown name '",
                                          absl::CEscape(name), "'; use one of ",
                                          absl::StrJoin(ModelNames(), ", ")));
}

}  // namespace repro16
