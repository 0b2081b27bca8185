// Every network in every policy: twenty training steps give the same losses and
// parameters to the bit for every number of threads, on every SIMD target of
// the machine, fused and unfused, and, since the digests are committed
// (model_bits.golden), for every compiler and machine.
//
//   bazel test //tests:model_bits_test
//   bazel-bin/tests/model_bits_test --write=$PWD/tests/model_bits.golden
//
// writes new digests. A change of any of them is a change of the numerics:
// raise kNumericsVersion with it.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/create_backend.h"
#include "engine/graph/backend.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/version.h"
#include "engine/training/initialize.h"
#include "models/registry.h"

ABSL_FLAG(std::string, golden, "tests/model_bits.golden", "Digests to hold.");
ABSL_FLAG(std::string, write, "", "File to write new digests to.");

namespace repro16 {
namespace {

constexpr int64_t kBatch = 5;
constexpr int64_t kSteps = 20;
// Networks a quarter as wide: the same operations in seconds.
constexpr double kWidth = 0.25;

struct Configuration {
  BackendOptions cpu;
  bool fused = true;
};

// One program and the noise it trains on.
class Training {
 public:
  Training(const std::string& model, const std::string& policy,
           const Configuration& configuration) {
    ModelOptions options;
    options.width = kWidth;
    graph_ = *BuildModel(model, options);
    backend_ = *CreateBackend("cpu", configuration.cpu);
    CompileOptions compile;
    compile.max_batch = kBatch;
    compile.seed = 7;
    compile.keep_all_tensors = !configuration.fused;
    compile.optimizer.emplace().mutable_sgd()->set_learning_rate(0.01);
    compile.optimizer->mutable_sgd()->set_momentum(0.9);
    program_ = *backend_->Compile(graph_, *FindPolicy(policy), compile);
    std::array<double, 256> table;
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = (static_cast<double>(i) - 127.5) / 64;
    }
    EXPECT_TRUE(program_->SetInputTable(table).ok());
    EXPECT_TRUE(InitializeParameters(graph_, /*seed=*/7, *program_).ok());
    images_ = Upload(Noise(kSteps * kBatch *
                           graph_.tensors[graph_.input].shape.NumElements()));
    std::vector<uint8_t> labels = Noise(kSteps * kBatch);
    for (uint8_t& label : labels) label %= 10;
    labels_ = Upload(labels);
  }

  // Of the losses, then the parameters.
  std::string Digest(int64_t steps) {
    const BatchSource source{images_.get(), labels_.get()};
    for (int64_t step = 0; step < steps; ++step) {
      EXPECT_TRUE(
          program_->TrainStep(source, step * kBatch, kBatch, step).ok());
    }
    Sha256 sha;
    const auto records = program_->TakeRecords();
    EXPECT_TRUE(records.ok()) << records.status();
    for (const BatchRecord& record : *records) {
      EXPECT_TRUE(std::isfinite(record.loss)) << "NaNs alike hide differences";
      sha.Update(&record.loss, sizeof(record.loss));
    }
    for (size_t p = 0; p < graph_.parameters.size(); ++p) {
      const auto bytes = *program_->ReadParameter(static_cast<ParameterId>(p));
      sha.Update(bytes.data(), bytes.size());
    }
    return sha.HexDigest();
  }

 private:
  static std::vector<uint8_t> Noise(int64_t n) {
    std::vector<uint8_t> bytes(static_cast<size_t>(n));
    uint32_t state = 1;
    for (uint8_t& byte : bytes) {
      state = state * 1664525 + 1013904223;  // Numerical Recipes, section 7.1
      byte = static_cast<uint8_t>(state >> 24);
    }
    return bytes;
  }

  std::unique_ptr<DeviceBuffer> Upload(const std::vector<uint8_t>& bytes) {
    auto buffer = *backend_->Allocate(static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(backend_->Upload(bytes, *buffer).ok());
    return buffer;
  }

  Graph graph_;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<DeviceBuffer> images_;
  std::unique_ptr<DeviceBuffer> labels_;
};

std::string Key(const std::string& model, const std::string& policy) {
  return absl::StrCat(model, " ", policy);
}

// Lines "model policy digest"; the first one holds the version.
std::map<std::string, std::string> ReadGolden() {
  std::map<std::string, std::string> golden;
  const auto text = ReadFile(absl::GetFlag(FLAGS_golden));
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return golden;
  for (const std::string_view line :
       absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const size_t space = line.rfind(' ');
    golden.emplace(line.substr(0, space), line.substr(space + 1));
  }
  return golden;
}

std::vector<Configuration> Configurations() {
  std::vector<Configuration> all;
  const std::vector<std::string> targets = UsableSimdTargets();
  for (int threads : {2, 3, 7}) all.push_back({{threads, targets.front()}});
  for (size_t i = 1; i < targets.size(); ++i) all.push_back({{1, targets[i]}});
  all.push_back({{1, targets.front()}, /*fused=*/false});
  return all;
}

class ModelBitsTest
    : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(ModelBitsTest, SameEverywhere) {
  const auto& [model, policy] = GetParam();
  const std::vector<std::string> targets = UsableSimdTargets();
#if defined(__x86_64__)
  ASSERT_GE(targets.size(), 2u) << "one target alone proves little";
#endif
  const std::string first =
      Training(model, policy, {{1, targets.front()}}).Digest(kSteps);
  const auto golden = ReadGolden();
  const auto held = golden.find(Key(model, policy));
  ASSERT_NE(held, golden.end()) << "no digest of " << Key(model, policy);
  EXPECT_EQ(first, held->second) << Key(model, policy);
  for (const Configuration& configuration : Configurations()) {
    EXPECT_EQ(Training(model, policy, configuration).Digest(kSteps), first)
        << configuration.cpu.variant << ", " << configuration.cpu.threads
        << " threads, " << (configuration.fused ? "fused" : "unfused");
  }
}

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  for (const PrecisionPolicy& policy : AllPolicies()) {
    names.emplace_back(policy.name);
  }
  return names;
}

INSTANTIATE_TEST_SUITE_P(Networks, ModelBitsTest,
                         testing::Combine(testing::ValuesIn(ModelNames()),
                                          testing::ValuesIn(PolicyNames())),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

TEST(ModelBitsGoldenTest, IsOfThisVersionAndComplete) {
  const auto golden = ReadGolden();
  EXPECT_EQ(golden.at("numerics version"), absl::StrCat(kNumericsVersion));
  EXPECT_EQ(golden.size(), 1 + ModelNames().size() * AllPolicies().size());
}

int WriteGolden(const std::string& path) {
  std::string text = absl::StrCat("numerics version ", kNumericsVersion, "\n");
  for (const std::string& model : ModelNames()) {
    for (const std::string& policy : PolicyNames()) {
      absl::StrAppend(&text, Key(model, policy), " ",
                      Training(model, policy, {{1, "auto"}}).Digest(kSteps),
                      "\n");
    }
  }
  const absl::Status status = WriteFileAtomically(path, text);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 2;
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  const std::string write = absl::GetFlag(FLAGS_write);
  return write.empty() ? RUN_ALL_TESTS() : repro16::WriteGolden(write);
}
