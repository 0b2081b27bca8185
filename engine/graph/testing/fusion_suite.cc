// Fused operations and memory that is taken over change no bit.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/graph/builder.h"
#include "engine/graph/testing/backend_under_test.h"
#include "engine/graph/testing/op_case.h"
#include "engine/graph/testing/values.h"

namespace repro16 {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr int64_t kBatch = 13;

// What some steps of training and an evaluation left behind.
struct Outcome {
  std::vector<Bytes> parameters;
  std::vector<BatchRecord> records;
  Bytes probabilities;
  int64_t arena_bytes;
};

Bytes RandomBytes(size_t n, uint32_t seed, uint32_t values) {
  std::mt19937 random(seed);
  Bytes bytes(n);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random() % values);
  return bytes;
}

std::unique_ptr<DeviceBuffer> Upload(Backend& backend, const Bytes& bytes) {
  auto buffer = *backend.Allocate(static_cast<int64_t>(bytes.size()));
  EXPECT_TRUE(backend.Upload(bytes, *buffer).ok());
  return buffer;
}

void WriteParameters(const Graph& graph, Program& program) {
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    const auto id = static_cast<ParameterId>(i);
    const Parameter& parameter = graph.parameters[i];
    std::vector<double> w =
        RandomValues(static_cast<size_t>(parameter.shape.NumElements()),
                     static_cast<uint32_t>(i), 0.5);
    if (parameter.role != ParameterRole::kWeight) {
      for (double& value : w) value += 0.75;
    }
    EXPECT_TRUE(
        program.WriteParameter(id, ToBytes(w, program.ParameterType(id))).ok());
  }
}

// Steps of SGD with momentum on noise, whose pixels reach up to `brightest`.
Outcome Train(const Graph& graph, const PrecisionPolicy& policy,
              double brightest, bool keep_all_tensors) {
  const auto backend = CreateBackendUnderTest();
  CompileOptions options;
  options.max_batch = kBatch;
  options.keep_all_tensors = keep_all_tensors;
  options.record_tensors = true;
  auto& sgd = *options.optimizer.emplace().mutable_sgd();
  sgd.set_learning_rate(0.05);
  sgd.set_momentum(0.9);
  auto program = *backend->Compile(graph, policy, options);
  const auto pixels = static_cast<size_t>(
      kBatch * graph.tensors[graph.input].shape.NumElements());
  const auto images = Upload(*backend, RandomBytes(pixels, 1, 256));
  const auto labels = Upload(*backend, RandomBytes(kBatch, 2, 10));
  std::array<double, 256> table;
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = brightest * (static_cast<double>(i) - 128) / 128;
  }
  EXPECT_TRUE(program->SetInputTable(table).ok());
  WriteParameters(graph, *program);

  const BatchSource source{images.get(), labels.get()};
  for (int64_t step = 0; step < 4; ++step) {
    EXPECT_TRUE(program->TrainStep(source, 0, kBatch, step).ok());
  }
  const int64_t bytes = kBatch * 10 * SizeOf(policy.activation);
  auto probabilities = *backend->Allocate(bytes);
  EXPECT_TRUE(
      program->EvaluateBatch(source, 0, kBatch, probabilities.get()).ok());
  Outcome outcome;
  outcome.records = *program->TakeRecords();
  outcome.probabilities.resize(static_cast<size_t>(bytes));
  EXPECT_TRUE(
      backend->Download(*probabilities, absl::MakeSpan(outcome.probabilities))
          .ok());
  for (size_t i = 0; i < graph.parameters.size(); ++i) {
    outcome.parameters.push_back(
        *program->ReadParameter(static_cast<ParameterId>(i)));
  }
  outcome.arena_bytes = program->memory().arena;
  return outcome;
}

std::string Describe(const StoreCounter& counter, uint64_t stored) {
  return absl::StrCat(counter.infinite, " infinite, ", counter.nan, " NaN, ",
                      counter.underflow, " underflow of ", stored);
}

// Everything in a record, as text: the loss by its bits.
std::vector<std::string> Describe(const BatchRecord& record) {
  uint32_t loss;
  std::memcpy(&loss, &record.loss, sizeof(loss));
  std::vector<std::string> lines = {
      absl::StrCat("loss ", loss, ", correct ", record.correct, ", scale ",
                   record.loss_scale, ", skipped ", record.skipped,
                   ", first non-finite ", record.first_non_finite)};
  for (int kind = 0; kind < RoundingTotals::kKinds; ++kind) {
    lines.push_back(
        Describe(record.rounding.counters[kind], record.rounding.stored[kind]));
  }
  for (const TensorRecord& tensor : record.tensors) {
    lines.push_back(absl::StrCat(tensor.tensor, ": ",
                                 Describe(tensor.counter, tensor.stored)));
  }
  return lines;
}

void ExpectSame(const Outcome& a, const Outcome& b, const Graph& graph) {
  ASSERT_EQ(a.records.size(), b.records.size());
  for (size_t i = 0; i < a.records.size(); ++i) {
    EXPECT_EQ(Describe(a.records[i]), Describe(b.records[i])) << "record " << i;
  }
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    EXPECT_TRUE(a.parameters[i] == b.parameters[i]) << graph.parameters[i].name;
  }
  EXPECT_TRUE(a.probabilities == b.probabilities);
}

using NetworkAndPolicy = std::tuple<size_t, std::string>;

class NetworkTest : public testing::TestWithParam<NetworkAndPolicy> {
 protected:
  const NetworkCase& network() const {
    return NetworkCases()[std::get<0>(GetParam())];
  }
  PrecisionPolicy policy() const { return Policy(std::get<1>(GetParam())); }
};

// Unfused with memory for every tensor, against fused with shared memory.
TEST_P(NetworkTest, FusedAndSharedGiveTheSameBits) {
  const Graph graph = BuildGraph(network());
  const Outcome plain = Train(graph, policy(), 1, /*keep_all_tensors=*/true);
  const Outcome fused = Train(graph, policy(), 1, /*keep_all_tensors=*/false);
  ExpectSame(plain, fused, graph);
  EXPECT_LT(fused.arena_bytes, plain.arena_bytes);
  // A test of numbers, not of NaN.
  EXPECT_EQ(plain.records.back().first_non_finite, "");
}

// Numbers so large that infinities and NaN appear, at the first layer or in
// later steps.
TEST_P(NetworkTest, SameBitsWithInfinitiesAndNan) {
  const Graph graph = BuildGraph(network());
  const double brightest =
      policy().activation == DType::kF16 ? 60000 : 0x1.8p127;
  const Outcome plain =
      Train(graph, policy(), brightest, /*keep_all_tensors=*/true);
  const Outcome fused =
      Train(graph, policy(), brightest, /*keep_all_tensors=*/false);
  ExpectSame(plain, fused, graph);
  EXPECT_NE(plain.records.front().first_non_finite, "");
}

INSTANTIATE_TEST_SUITE_P(
    Networks, NetworkTest,
    testing::Combine(testing::Range(size_t{0}, NetworkCases().size()),
                     testing::Values("FP32", "FP16", "FP16_BN32", "MP", "BF16",
                                     "FP16_ACC16")),
    [](const auto& info) {
      return NetworkCases()[std::get<0>(info.param)].name + "_" +
             std::get<1>(info.param);
    });

}  // namespace
}  // namespace repro16
