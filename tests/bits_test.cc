// The same specification gives the same bits: for every number of threads, on
// every SIMD target of the machine, and, since the digests stand here, for
// every compiler and machine.
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "engine/cpu/cpu_backend.h"
#include "engine/data/dataset.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/version.h"
#include "engine/training/trainer.h"
#include "models/registry.h"

namespace repro16 {
namespace {

RunSpec Spec(const std::string& policy) {
  RunSpec spec;
  spec.set_model("mlp");
  spec.set_policy(policy);
  spec.set_backend("cpu");
  spec.set_seed(1);
  spec.set_epochs(2);
  spec.set_batch_size(128);
  spec.mutable_optimizer()->mutable_sgd()->set_learning_rate(0.01);
  spec.mutable_optimizer()->mutable_sgd()->set_momentum(0.9);
  spec.mutable_data()->set_dataset("synthetic_mnist");
  // The last batch of an epoch is a smaller one.
  spec.mutable_data()->set_train_examples(600);
  spec.mutable_data()->set_test_examples(200);
  spec.mutable_data()->set_normalization("unit");
  return spec;
}

RunOutput MustTrain(const RunSpec& spec, const Dataset& data,
                    const CpuOptions& options) {
  auto backend = CreateCpuBackend(options);
  EXPECT_TRUE(backend.ok()) << backend.status();
  auto graph = BuildModel(spec.model());
  Progress progress;
  auto output = Train(spec, *graph, data, **backend, progress);
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

// SHA-256 of the weights after ten steps. A change of any of them is a change
// of the numerics: raise kNumericsVersion with it.
const std::map<std::string, std::string>& GoldenWeights() {
  static const auto* const kGolden = new std::map<std::string, std::string>{
      {"FP32",
       "a3500e738f54442266f67c97788e78f8facf31475d15797ab06c64c6af53eafd"},
      {"FP16",
       "60a8799a1de774a70ba687a62a4a8f4899799f89c6de0a41de34e1d31b91228d"},
      {"FP16_BN32",
       "60a8799a1de774a70ba687a62a4a8f4899799f89c6de0a41de34e1d31b91228d"},
      {"MP",
       "67dd2e1de5b088e6d95a06b2d3d46d1036509ff21274a3755cb10adc00582979"},
      {"BF16",
       "4b39e8a59cb43c98657d9abe170f36d225c4995847ea21b8d7cfe6f8d48dba30"},
      {"FP16_ACC16",
       "a00064523357311b8c1bc46ace2a9d1acf580b9f1891b762fa38fc4e10bb1afd"},
  };
  return *kGolden;
}

class BitsTest : public testing::TestWithParam<std::string> {};

TEST_P(BitsTest, SameForEveryThreadCountTargetAndCompiler) {
  const RunSpec spec = Spec(GetParam());
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok()) << data.status();
  const std::vector<std::string> targets = UsableSimdTargets();
#if defined(__x86_64__)
  ASSERT_GE(targets.size(), 2u) << "one target alone proves little";
#endif
  const RunOutput first = MustTrain(spec, *data, {1, targets.front()});
  EXPECT_EQ(first.result.weights_sha256(), GoldenWeights().at(GetParam()));
  for (const std::string& target : targets) {
    for (int threads : {1, 2, 3, 7}) {
      SCOPED_TRACE(testing::Message()
                   << target << ", " << threads << " threads");
      const RunOutput output = MustTrain(spec, *data, {threads, target});
      // Losses, accuracies, counters and the digest of the weights.
      EXPECT_EQ(output.result.SerializeAsString(),
                first.result.SerializeAsString());
      EXPECT_EQ(output.probabilities.tensors[0].bytes,
                first.probabilities.tensors[0].bytes);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Policies, BitsTest,
                         testing::Values("FP32", "FP16", "FP16_BN32", "MP",
                                         "BF16", "FP16_ACC16"),
                         [](const auto& info) { return info.param; });

TEST(BitsVersionTest, TheDigestsAreOfThisVersion) {
  EXPECT_EQ(kNumericsVersion, 1);
}

}  // namespace
}  // namespace repro16
