// The training step of a network that is compared with other implementations:
// its initial parameters, a batch of made-up images, and their labels.
#ifndef REPRO16_TOOLS_REFERENCE_CASE_H_
#define REPRO16_TOOLS_REFERENCE_CASE_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/graph/graph.h"

namespace repro16 {

inline constexpr int64_t kReferenceBatch = 4;
inline constexpr uint64_t kReferenceSeed = 1;

struct ReferenceCase {
  // The network of models/registry.h with every dropout rate 0, since no two
  // implementations draw the same masks.
  Graph graph;
  // Row-major values of each parameter. Weights are drawn as for training
  // (engine/training/initialize.h). What training starts from a constant is
  // spread around it, so that a factor or term that is left out shows:
  // uniform noise on offsets in [-0.1, 0.1), gamma in [0.75, 1.25), moving
  // means in [-0.2, 0.2), moving variances in [0.5, 1.5).
  std::vector<std::vector<float>> parameters;
  // [N, H, W, C]: squares of 8 x 8 pixels, each of a colour of its own, under
  // noise.
  std::vector<uint8_t> images;
  // What pixel value i stands for: 4 * i / 255 - 2.
  std::array<double, 256> table;
  std::vector<uint8_t> labels;  // 3 n + 1 for image n
};

// NotFound for a name that the registry does not know.
absl::StatusOr<ReferenceCase> MakeReferenceCase(std::string_view model);

}  // namespace repro16

#endif  // REPRO16_TOOLS_REFERENCE_CASE_H_
