#include "tools/reference/case.h"

#include <utility>
#include <variant>

#include "absl/strings/match.h"
#include "engine/training/initialize.h"
#include "models/registry.h"

namespace repro16 {
namespace {

// Uniform noise in [0, 1): the finaliser of MurmurHash3 over a counter.
double Noise(uint32_t stream, uint32_t i) {
  uint32_t h = stream * 0x9e3779b9u + i;
  h = (h ^ (h >> 16)) * 0x85ebca6bu;
  h = (h ^ (h >> 13)) * 0xc2b2ae35u;
  return static_cast<double>(h ^ (h >> 16)) / 4294967296.0;
}

// Values lowest + width * noise.
std::vector<float> Spread(const Parameter& parameter, uint32_t stream,
                          double lowest, double width) {
  std::vector<float> values(parameter.shape.NumElements());
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(
        lowest + width * Noise(stream, static_cast<uint32_t>(i)));
  }
  return values;
}

std::vector<float> ParameterValues(const Parameter& parameter, ParameterId id) {
  const auto stream = static_cast<uint32_t>(id + 1);
  const auto ends_with = [&](std::string_view suffix) {
    return absl::EndsWith(parameter.name, suffix);
  };
  if (ends_with("/moving_mean")) return Spread(parameter, stream, -0.2, 0.4);
  if (ends_with("/moving_variance")) return Spread(parameter, stream, 0.5, 1);
  if (ends_with("/gamma")) return Spread(parameter, stream, 0.75, 0.5);
  if (ends_with("/beta") || ends_with("/bias")) {
    return Spread(parameter, stream, -0.1, 0.2);
  }
  return InitialValues(parameter, id, kReferenceSeed);
}

std::vector<uint8_t> Images(const Shape& shape) {
  constexpr int64_t kSquare = 8;
  std::vector<uint8_t> images;
  for (int64_t n = 0; n < kReferenceBatch; ++n) {
    for (int64_t h = 0; h < shape[0]; ++h) {
      for (int64_t w = 0; w < shape[1]; ++w) {
        for (int64_t c = 0; c < shape[2]; ++c) {
          const int64_t square =
              ((n * 64 + h / kSquare) * 64 + w / kSquare) * 64 + c;
          const double colour = Noise(0, static_cast<uint32_t>(square));
          const double noise =
              Noise(0x1000, static_cast<uint32_t>(images.size()));
          images.push_back(
              static_cast<uint8_t>(256 * (0.75 * colour + 0.25 * noise)));
        }
      }
    }
  }
  return images;
}

}  // namespace

absl::StatusOr<ReferenceCase> MakeReferenceCase(std::string_view model) {
  absl::StatusOr<Graph> graph = BuildModel(model);
  if (!graph.ok()) return graph.status();
  ReferenceCase result;
  result.graph = *std::move(graph);
  for (Op& op : result.graph.ops) {
    if (auto* dropout = std::get_if<DropoutAttributes>(&op.attributes)) {
      dropout->rate = 0;
    }
  }
  for (size_t i = 0; i < result.graph.parameters.size(); ++i) {
    result.parameters.push_back(ParameterValues(result.graph.parameters[i],
                                                static_cast<ParameterId>(i)));
  }
  result.images = Images(result.graph.tensors[result.graph.input].shape);
  for (size_t i = 0; i < result.table.size(); ++i) {
    result.table[i] = 4 * (static_cast<double>(i) / 255) - 2;
  }
  for (int64_t n = 0; n < kReferenceBatch; ++n) {
    result.labels.push_back(static_cast<uint8_t>((3 * n + 1) % 10));
  }
  return result;
}

}  // namespace repro16
