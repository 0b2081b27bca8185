// The kernels of the CUDA backend, run by the emulator or, with --backend=cuda,
// by a GPU, against the CPU: every operation in every policy, on ordinary
// numbers and on others, and what is counted on the way, to the last bit.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "engine/create_backend.h"
#include "engine/graph/builder.h"
#include "engine/graph/testing/case_run.h"
#include "engine/graph/testing/op_case.h"
#include "engine/graph/testing/values.h"
#include "engine/numerics/policy.h"
#include "tests/model_bits.h"

ABSL_FLAG(std::string, backend, "cuda_emulated", "What is compared.");

namespace repro16 {
namespace {

constexpr int64_t kBatch = 5;

std::unique_ptr<Backend> Cpu() {
  return *CreateBackend("cpu", {/*threads=*/1});
}
std::unique_ptr<Backend> Cuda() {
  return *CreateBackend(absl::GetFlag(FLAGS_backend));
}

// --- Operations

void ExpectSame(const std::vector<Bytes>& cuda, const std::vector<Bytes>& cpu,
                const std::string& what) {
  ASSERT_EQ(cuda.size(), cpu.size());
  for (size_t i = 0; i < cpu.size(); ++i) {
    ASSERT_EQ(cuda[i].size(), cpu[i].size());
    const auto [a, b] =
        std::mismatch(cuda[i].begin(), cuda[i].end(), cpu[i].begin());
    EXPECT_TRUE(a == cuda[i].end())
        << what << " " << i << " differs from byte " << a - cuda[i].begin()
        << " of " << cpu[i].size() << " on";
  }
}

void ExpectSame(const PassBytes& cuda, const PassBytes& cpu) {
  ExpectSame(cuda.tensors, cpu.tensors, "tensor");
  ExpectSame(cuda.gradients, cpu.gradients, "gradient of tensor");
  ExpectSame(cuda.parameter_gradients, cpu.parameter_gradients,
             "gradient of parameter");
  ExpectSame(cuda.parameters, cpu.parameters, "parameter");
}

using CaseParameters = std::tuple<size_t, std::string>;  // of OpCases(); policy

class CudaOpTest : public testing::TestWithParam<CaseParameters> {
 protected:
  const OpCase& op_case() const { return OpCases()[std::get<0>(GetParam())]; }
  PrecisionPolicy policy() const { return Policy(std::get<1>(GetParam())); }
};

TEST_P(CudaOpTest, BytesAreTheCpus) {
  const OpCase& c = op_case();
  const Graph graph = BuildGraph(c);
  for (const InputKind kind :
       {c.input_kind, InputKind::kExtreme, InputKind::kNonFinite}) {
    SCOPED_TRACE(absl::StrCat("kind of input ", static_cast<int>(kind)));
    const auto cpu_backend = Cpu();
    const auto cuda_backend = Cuda();
    const CaseRun cpu(*cpu_backend, graph, policy(), kBatch, c.scale, kind);
    const CaseRun cuda(*cuda_backend, graph, policy(), kBatch, c.scale, kind);
    for (const bool training : {false, true}) {
      SCOPED_TRACE(training ? "training" : "inference");
      ExpectSame(cuda.bytes(training), cpu.bytes(training));
    }
  }
}

// --- Whole steps: memory that is taken over, sums of gradients, updates,
// records

// Adam in turn with an evaluation, on noise that overflows and underflows.
struct StepsRun {
  std::vector<BatchRecord> records;
  std::vector<Bytes> state;  // parameters, slots
  Bytes probabilities;
};

class StepsRunner {
 public:
  StepsRunner(std::unique_ptr<Backend> backend, const Graph& graph,
              const PrecisionPolicy& policy)
      : backend_(std::move(backend)), graph_(graph), policy_(policy) {
    CompileOptions options;
    options.max_batch = kBatch;
    options.seed = 3;
    options.record_tensors = true;
    auto& adam = *options.optimizer.emplace().mutable_adam();
    adam.set_learning_rate(1e-3);
    adam.set_beta_1(0.9);
    adam.set_beta_2(0.99);
    adam.set_epsilon(1e-3);
    program_ = *backend_->Compile(graph_, policy_, options);
    WriteParameters();
    Upload();
  }

  StepsRun Run() {
    StepsRun run;
    const BatchSource source{images_.get(), labels_.get(), order_.get()};
    for (int64_t step = 0; step < 3; ++step) {
      // The last batch is smaller.
      const int64_t batch = step < 2 ? kBatch : kBatch - 2;
      EXPECT_TRUE(program_->TrainStep(source, step * kBatch, batch, step).ok());
      EXPECT_TRUE(
          program_->EvaluateBatch(source, step, batch, probabilities_.get())
              .ok());
    }
    run.records = *program_->TakeRecords();
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      const auto id = static_cast<ParameterId>(p);
      run.state.push_back(*program_->ReadParameter(id));
      for (int slot = 0; slot < program_->num_slots(); ++slot) {
        run.state.push_back(*program_->ReadSlot(id, slot));
      }
    }
    // Rows of examples that were not evaluated are anything.
    run.probabilities.resize(
        static_cast<size_t>((kBatch + 1) * Classes() *
                            static_cast<int64_t>(SizeOf(policy_.activation))));
    EXPECT_TRUE(
        backend_->Download(*probabilities_, absl::MakeSpan(run.probabilities))
            .ok());
    return run;
  }

 private:
  int64_t Classes() const {
    return graph_.tensors[graph_.output].shape.NumElements();
  }

  void WriteParameters() {
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      const auto id = static_cast<ParameterId>(p);
      std::vector<double> w = RandomValues(
          static_cast<size_t>(graph_.parameters[p].shape.NumElements()),
          static_cast<uint32_t>(p + 1), p % 3 == 0 ? 0.3 : 1e-3);
      if (graph_.parameters[p].role != ParameterRole::kWeight) {
        for (double& value : w) value = 1 + value;
      }
      EXPECT_TRUE(
          program_->WriteParameter(id, ToBytes(w, program_->ParameterType(id)))
              .ok());
    }
  }

  void Upload() {
    constexpr int64_t kExamples = 3 * kBatch;
    std::mt19937 random(7);
    Bytes pixels(static_cast<size_t>(
        kExamples * graph_.tensors[graph_.input].shape.NumElements()));
    for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
    Bytes labels(kExamples);
    for (uint8_t& label : labels) {
      label = static_cast<uint8_t>(random() % static_cast<size_t>(Classes()));
    }
    Bytes order;
    for (uint32_t i = 0; i < kExamples; ++i) {
      const uint32_t example = (i * 7 + 2) % kExamples;
      const auto* bytes = reinterpret_cast<const uint8_t*>(&example);
      order.insert(order.end(), bytes, bytes + sizeof(example));
    }
    images_ = Device(pixels);
    labels_ = Device(labels);
    order_ = Device(order);
    probabilities_ = *backend_->Allocate(kExamples * Classes() * 4);
    std::array<double, 256> table;
    const std::vector<double> draws = RandomValues(table.size(), 11, 2);
    std::copy(draws.begin(), draws.end(), table.begin());
    table[17] = 3000;  // overflows f16 in products
    table[18] = 1e-7;
    EXPECT_TRUE(program_->SetInputTable(table).ok());
  }

  std::unique_ptr<DeviceBuffer> Device(const Bytes& bytes) {
    auto buffer = *backend_->Allocate(static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(backend_->Upload(bytes, *buffer).ok());
    return buffer;
  }

  const std::unique_ptr<Backend> backend_;
  const Graph& graph_;
  const PrecisionPolicy policy_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<DeviceBuffer> images_, labels_, order_, probabilities_;
};

std::string Text(const StoreCounter& counter) {
  return absl::StrCat(counter.infinite, " infinite, ", counter.nan, " NaN, ",
                      counter.underflow, " underflow");
}

// A record as lines, so that a difference can be read.
std::vector<std::string> Lines(const BatchRecord& record) {
  uint32_t loss;
  std::memcpy(&loss, &record.loss, sizeof(loss));
  std::vector<std::string> lines = {absl::StrCat(
      "loss ", absl::Hex(loss), ", ", record.correct, " of ", record.examples,
      ", scale ", record.loss_scale, record.skipped ? ", skipped" : "",
      ", first ", record.first_non_finite)};
  for (int kind = 0; kind < RoundingTotals::kKinds; ++kind) {
    lines.push_back(absl::StrCat("kind ", kind, ": ",
                                 record.rounding.stored[kind], " stored, ",
                                 Text(record.rounding.counters[kind])));
  }
  for (const TensorRecord& tensor : record.tensors) {
    lines.push_back(absl::StrCat(tensor.tensor, ": ", tensor.stored,
                                 " stored, ", Text(tensor.counter)));
  }
  return lines;
}

void ExpectSameSteps(const Graph& graph, const PrecisionPolicy& policy) {
  const StepsRun cpu = StepsRunner(Cpu(), graph, policy).Run();
  const StepsRun cuda = StepsRunner(Cuda(), graph, policy).Run();
  ASSERT_EQ(cuda.records.size(), cpu.records.size());
  for (size_t i = 0; i < cpu.records.size(); ++i) {
    EXPECT_EQ(Lines(cuda.records[i]), Lines(cpu.records[i])) << "record " << i;
  }
  ExpectSame(cuda.state, cpu.state, "state");
  EXPECT_EQ(cuda.probabilities, cpu.probabilities);
}

TEST_P(CudaOpTest, RecordsAreTheCpus) {
  const OpCase& c = op_case();
  GraphBuilder b;
  const TensorId y = c.build(b, b.Input(c.input));
  absl::StatusOr<Graph> graph = std::move(b).Classifier(
      c.kind == OpKind::kSoftmaxCrossEntropy ? y : b.Dense(b.Flatten(y), 4));
  ASSERT_TRUE(graph.ok()) << graph.status();
  ExpectSameSteps(*graph, policy());
}

INSTANTIATE_TEST_SUITE_P(Cases, CudaOpTest,
                         testing::Combine(testing::Range(size_t{0},
                                                         OpCases().size()),
                                          testing::ValuesIn(PolicyNames())),
                         [](const auto& info) {
                           return absl::StrCat(
                               OpCases()[std::get<0>(info.param)].name, "_",
                               std::get<1>(info.param));
                         });

class CudaNetworkTest : public testing::TestWithParam<CaseParameters> {};

TEST_P(CudaNetworkTest, StepsAreTheCpus) {
  ExpectSameSteps(BuildGraph(NetworkCases()[std::get<0>(GetParam())]),
                  Policy(std::get<1>(GetParam())));
}

INSTANTIATE_TEST_SUITE_P(Networks, CudaNetworkTest,
                         testing::Combine(testing::Range(size_t{0},
                                                         NetworkCases().size()),
                                          testing::ValuesIn(PolicyNames())),
                         [](const auto& info) {
                           return absl::StrCat(
                               NetworkCases()[std::get<0>(info.param)].name,
                               "_", std::get<1>(info.param));
                         });

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
