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
#include "tests/model_bits.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/version.h"
#include "models/registry.h"

ABSL_FLAG(std::string, golden, "tests/model_bits.golden", "Digests to hold.");
ABSL_FLAG(std::string, write, "", "File to write new digests to.");

namespace repro16 {
namespace {

std::vector<ModelBitsOptions> Configurations() {
  std::vector<ModelBitsOptions> all;
  const std::vector<std::string> targets = UsableSimdTargets();
  for (int threads : {2, 3, 7}) {
    all.push_back({"cpu", {threads, targets.front()}});
  }
  for (size_t i = 1; i < targets.size(); ++i) {
    all.push_back({"cpu", {1, targets[i]}});
  }
  all.push_back({"cpu", {1, targets.front()}, /*fused=*/false});
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
      ModelBits(model, policy, {"cpu", {1, targets.front()}})
          .Digest(kModelBitsSteps);
  const auto golden = ReadModelBits(absl::GetFlag(FLAGS_golden));
  const auto held = golden.find(ModelBitsKey(model, policy));
  ASSERT_NE(held, golden.end())
      << "no digest of " << ModelBitsKey(model, policy);
  EXPECT_EQ(first, held->second) << ModelBitsKey(model, policy);
  for (const ModelBitsOptions& configuration : Configurations()) {
    EXPECT_EQ(ModelBits(model, policy, configuration).Digest(kModelBitsSteps),
              first)
        << configuration.backend_options.variant << ", "
        << configuration.backend_options.threads << " threads, "
        << (configuration.fused ? "fused" : "unfused");
  }
}

INSTANTIATE_TEST_SUITE_P(Networks, ModelBitsTest,
                         testing::Combine(testing::ValuesIn(ModelNames()),
                                          testing::ValuesIn(PolicyNames())),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

TEST(ModelBitsGoldenTest, IsOfThisVersionAndComplete) {
  const auto golden = ReadModelBits(absl::GetFlag(FLAGS_golden));
  EXPECT_EQ(golden.at("numerics version"), absl::StrCat(kNumericsVersion));
  EXPECT_EQ(golden.size(), 1 + ModelNames().size() * AllPolicies().size());
}

int WriteGolden(const std::string& path) {
  std::string text = absl::StrCat("numerics version ", kNumericsVersion, "\n");
  for (const std::string& model : ModelNames()) {
    for (const std::string& policy : PolicyNames()) {
      absl::StrAppend(&text, ModelBitsKey(model, policy), " ",
                      ModelBits(model, policy, {"cpu", {1, "auto"}})
                          .Digest(kModelBitsSteps),
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
