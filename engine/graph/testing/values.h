// Tensors as f64, and programs whose every tensor can be read: for tests.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_VALUES_H_
#define REPRO16_ENGINE_GRAPH_TESTING_VALUES_H_

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "engine/graph/backend.h"
#include "engine/graph/graph.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {

// Values rounded once to `type`, as bytes.
inline std::vector<uint8_t> ToBytes(const std::vector<double>& values,
                                    DType type) {
  std::vector<uint8_t> bytes(values.size() * SizeOf(type));
  for (size_t i = 0; i < values.size(); ++i) {
    StoreAsType(values[i], type, &bytes[i * SizeOf(type)]);
  }
  return bytes;
}

// The stored values, exactly.
inline std::vector<double> ToValues(const std::vector<uint8_t>& bytes,
                                    DType type) {
  std::vector<double> values(bytes.size() / SizeOf(type));
  for (size_t i = 0; i < values.size(); ++i) {
    float f32;
    uint16_t bits;
    if (type == DType::kF32) {
      std::memcpy(&f32, &bytes[i * 4], 4);
    } else {
      std::memcpy(&bits, &bytes[i * 2], 2);
      f32 = type == DType::kF16 ? ToFloat(Binary16{bits})
                                : ToFloat(BFloat16{bits});
    }
    values[i] = f32;
  }
  return values;
}

inline std::vector<double> Rounded(const std::vector<double>& values,
                                   DType type) {
  return ToValues(ToBytes(values, type), type);
}

inline std::vector<double> RandomValues(size_t n, uint32_t seed,
                                        double scale = 1) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> draw(-scale, scale);
  std::vector<double> values(n);
  for (double& value : values) value = draw(random);
  return values;
}

inline PrecisionPolicy Policy(std::string_view name) {
  absl::StatusOr<PrecisionPolicy> policy = FindPolicy(name);
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *policy;
}

// A program with every tensor readable and input gradients.
struct Compiled {
  Graph graph;
  std::unique_ptr<Backend> backend;
  std::unique_ptr<Program> program;
};

inline Compiled CompileForTest(std::unique_ptr<Backend> backend, Graph graph,
                               const PrecisionPolicy& policy,
                               int64_t max_batch) {
  Compiled compiled;
  compiled.graph = std::move(graph);
  compiled.backend = std::move(backend);
  CompileOptions options;
  options.max_batch = max_batch;
  options.seed = 5;
  options.keep_all_tensors = true;
  options.input_gradient = true;
  auto program = compiled.backend->Compile(compiled.graph, policy, options);
  EXPECT_TRUE(program.ok()) << program.status();
  compiled.program = *std::move(program);
  return compiled;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_VALUES_H_
