// Writes a network's reference case (tools/reference/case.h) for other
// frameworks: every parameter under its name in the graph, in the graph's
// order, then "images" (f32, [N, H, W, C], normalised) and "labels".
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "engine/io/flags.h"
#include "engine/io/safetensors.h"
#include "engine/io/terminal.h"
#include "tools/reference/case.h"

ABSL_FLAG(std::string, model, "", "A name of models/registry.h.");
ABSL_FLAG(std::string, output, "", "Safetensors file to write.");

namespace repro16 {
namespace {

template <typename T>
SafetensorsTensor ToTensor(std::string name, SafetensorsType type, Shape shape,
                           const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return {std::move(name), type, std::move(shape), std::move(bytes)};
}

absl::Status Export(const std::string& model, const std::string& output) {
  if (output.empty()) {
    return absl::InvalidArgumentError("--output: name the file to write");
  }
  const absl::StatusOr<ReferenceCase> reference = MakeReferenceCase(model);
  if (!reference.ok()) return reference.status();
  const Graph& graph = reference->graph;

  Safetensors file;
  file.metadata["model"] = model;
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    file.tensors.push_back(
        ToTensor(graph.parameters[i].name, SafetensorsType::kF32,
                 graph.parameters[i].shape, reference->parameters[i]));
  }
  std::vector<float> images;
  for (uint8_t pixel : reference->images) {
    images.push_back(static_cast<float>(reference->table[pixel]));
  }
  std::vector<int64_t> dims = graph.tensors[graph.input].shape.dims();
  dims.insert(dims.begin(), kReferenceBatch);
  file.tensors.push_back(
      ToTensor("images", SafetensorsType::kF32, Shape(dims), images));
  file.tensors.push_back(
      ToTensor("labels", SafetensorsType::kI64, Shape({kReferenceBatch}),
               std::vector<int64_t>(reference->labels.begin(),
                                    reference->labels.end())));
  return WriteSafetensors(output, file);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv,
                      "Writes the parameters and the batch with which a "
                      "network is compared with other frameworks.");
  const absl::Status status =
      repro16::Export(absl::GetFlag(FLAGS_model), absl::GetFlag(FLAGS_output));
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "export_model: %s\n", status.message());
  return 2;
}
