#include "tests/model_bits.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/numerics/policy.h"
#include "engine/training/initialize.h"
#include "models/registry.h"

namespace repro16 {
namespace {

constexpr double kWidth = 0.25;

std::vector<uint8_t> Noise(int64_t n) {
  std::vector<uint8_t> bytes(static_cast<size_t>(n));
  uint32_t state = 1;
  for (uint8_t& byte : bytes) {
    state = state * 1664525 + 1013904223;  // Numerical Recipes, section 7.1
    byte = static_cast<uint8_t>(state >> 24);
  }
  return bytes;
}

}  // namespace

ModelBits::ModelBits(const std::string& model, std::string_view policy,
                     const ModelBitsOptions& options) {
  ModelOptions network;
  network.width = kWidth;
  graph_ = *BuildModel(model, network);
  backend_ = *CreateBackend(options.backend, options.backend_options);
  CompileOptions compile;
  compile.max_batch = kModelBitsBatch;
  compile.seed = 7;
  compile.keep_all_tensors = !options.fused;
  compile.optimizer.emplace().mutable_sgd()->set_learning_rate(0.01);
  compile.optimizer->mutable_sgd()->set_momentum(0.9);
  program_ = *backend_->Compile(graph_, *FindPolicy(policy), compile);
  std::array<double, 256> table;
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = (static_cast<double>(i) - 127.5) / 64;
  }
  EXPECT_TRUE(program_->SetInputTable(table).ok());
  EXPECT_TRUE(InitializeParameters(graph_, /*seed=*/7, *program_).ok());
  constexpr int64_t kExamples = kModelBitsSteps * kModelBitsBatch;
  images_ = Upload(
      Noise(kExamples * graph_.tensors[graph_.input].shape.NumElements()));
  std::vector<uint8_t> labels = Noise(kExamples);
  for (uint8_t& label : labels) label %= 10;
  labels_ = Upload(labels);
}

std::string ModelBits::Digest(int64_t steps) {
  const BatchSource source{images_.get(), labels_.get()};
  for (int64_t step = 0; step < steps; ++step) {
    EXPECT_TRUE(
        program_
            ->TrainStep(source, step * kModelBitsBatch, kModelBitsBatch, step)
            .ok());
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

std::unique_ptr<DeviceBuffer> ModelBits::Upload(
    const std::vector<uint8_t>& bytes) {
  auto buffer = *backend_->Allocate(static_cast<int64_t>(bytes.size()));
  EXPECT_TRUE(backend_->Upload(bytes, *buffer).ok());
  return buffer;
}

std::vector<std::string> PolicyNames() {
  std::vector<std::string> names;
  for (const PrecisionPolicy& policy : AllPolicies()) {
    names.emplace_back(policy.name);
  }
  return names;
}

std::string ModelBitsKey(std::string_view model, std::string_view policy) {
  return absl::StrCat(model, " ", policy);
}

std::map<std::string, std::string> ReadModelBits(const std::string& path) {
  std::map<std::string, std::string> digests;
  const auto text = ReadFile(path);
  EXPECT_TRUE(text.ok()) << text.status();
  if (!text.ok()) return digests;
  for (const std::string_view line :
       absl::StrSplit(*text, '\n', absl::SkipEmpty())) {
    const size_t space = line.rfind(' ');
    digests.emplace(line.substr(0, space), line.substr(space + 1));
  }
  return digests;
}

}  // namespace repro16
