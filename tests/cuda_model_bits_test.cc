// Networks in training on the CUDA backend, run by the emulator or, with
// --backend=cuda, by a GPU: the digests that the CPU is held to
// (model_bits.golden).
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/strings/str_cat.h"
#include "models/registry.h"
#include "tests/model_bits.h"

ABSL_FLAG(std::string, golden, "tests/model_bits.golden", "Digests to hold.");
ABSL_FLAG(std::string, backend, "cuda_emulated", "Where the networks train.");

namespace repro16 {
namespace {

class CudaModelBitsTest
    : public testing::TestWithParam<std::tuple<std::string, std::string>> {};

TEST_P(CudaModelBitsTest, AreTheCpus) {
  const auto& [model, policy] = GetParam();
  const auto golden = ReadModelBits(absl::GetFlag(FLAGS_golden));
  const auto held = golden.find(ModelBitsKey(model, policy));
  ASSERT_NE(held, golden.end());
  ModelBitsOptions options;
  options.backend = absl::GetFlag(FLAGS_backend);
  EXPECT_EQ(ModelBits(model, policy, options).Digest(kModelBitsSteps),
            held->second);
}

INSTANTIATE_TEST_SUITE_P(Networks, CudaModelBitsTest,
                         testing::Combine(testing::ValuesIn(ModelNames()),
                                          testing::ValuesIn(PolicyNames())),
                         [](const auto& info) {
                           return absl::StrCat(std::get<0>(info.param), "_",
                                               std::get<1>(info.param));
                         });

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  absl::ParseCommandLine(argc, argv);
  return RUN_ALL_TESTS();
}
