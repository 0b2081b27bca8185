// Whole networks in training, as digests: what every backend, compiler and
// machine must equal (model_bits.golden).
#ifndef REPRO16_TESTS_MODEL_BITS_H_
#define REPRO16_TESTS_MODEL_BITS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/create_backend.h"
#include "engine/graph/backend.h"
#include "engine/graph/graph.h"

namespace repro16 {

// Steps of the committed digests, of kModelBitsBatch examples each.
inline constexpr int64_t kModelBitsSteps = 20;
inline constexpr int64_t kModelBitsBatch = 5;

struct ModelBitsOptions {
  std::string backend = "cpu";
  BackendOptions backend_options;
  bool fused = true;
};

// A network a quarter as wide, the same operations in seconds, and the noise it
// trains on.
class ModelBits {
 public:
  ModelBits(const std::string& model, std::string_view policy,
            const ModelBitsOptions& options);

  // Of the losses of `steps` more steps, then the parameters.
  std::string Digest(int64_t steps);

 private:
  std::unique_ptr<DeviceBuffer> Upload(const std::vector<uint8_t>& bytes);

  Graph graph_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<DeviceBuffer> images_;
  std::unique_ptr<DeviceBuffer> labels_;
};

// Of AllPolicies.
std::vector<std::string> PolicyNames();

// "mlp FP16".
std::string ModelBitsKey(std::string_view model, std::string_view policy);

// The committed digests by key; "numerics version" is one of the keys.
std::map<std::string, std::string> ReadModelBits(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_TESTS_MODEL_BITS_H_
