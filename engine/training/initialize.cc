#include "engine/training/initialize.h"

#include <cmath>

#include "engine/numerics/random_stream.h"
#include "engine/numerics/round_to_type.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace {

// The deviation of a standard normal that is truncated at two deviations:
// dividing by it restores the intended one.
constexpr double kTruncatedNormalDeviation = 0.87962566103423978;

std::vector<uint8_t> Rounded(const std::vector<float>& values, DType type) {
  std::vector<uint8_t> bytes(values.size() * SizeOf(type));
  for (size_t i = 0; i < values.size(); ++i) {
    StoreAsType(values[i], type, &bytes[i * SizeOf(type)]);
  }
  return bytes;
}

}  // namespace

std::vector<float> InitialValues(const Parameter& parameter, ParameterId index,
                                 uint64_t seed) {
  std::vector<float> values(static_cast<size_t>(parameter.shape.NumElements()),
                            0.0f);
  const RandomStream stream(seed, RandomPurpose::kInit, /*step=*/0,
                            static_cast<uint32_t>(index));
  const auto fan_in = static_cast<double>(parameter.fan_in);
  const auto fan_out = static_cast<double>(parameter.fan_out);
  switch (parameter.initializer) {
    case Initializer::kZeros:
      break;
    case Initializer::kOnes:
      for (float& value : values) value = 1;
      break;
    case Initializer::kGlorotUniform: {
      const auto limit =
          static_cast<float>(std::sqrt(6.0 / (fan_in + fan_out)));
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = (2 * stream.Uniform(i) - 1) * limit;
      }
      break;
    }
    case Initializer::kUniform:
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = (2 * stream.Uniform(i) - 1) * 0.05f;
      }
      break;
    case Initializer::kHeNormal: {
      const auto deviation = static_cast<float>(std::sqrt(2.0 / fan_in) /
                                                kTruncatedNormalDeviation);
      for (size_t i = 0; i < values.size(); ++i) {
        values[i] = stream.TruncatedNormal(i) * deviation;
      }
      break;
    }
  }
  return values;
}

absl::Status InitializeParameters(const Graph& graph, uint64_t seed,
                                  Program& program, bool flip_last_bit) {
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const std::vector<float> values =
        InitialValues(graph.parameters[i], id, seed);
    std::vector<uint8_t> bytes = Rounded(values, program.ParameterType(id));
    if (flip_last_bit && i == 0) bytes[0] ^= 1;  // little-endian
    const absl::Status status = program.WriteParameter(id, bytes);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace repro16
