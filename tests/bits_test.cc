// The same specification gives the same bits: for every number of threads, on
// every SIMD target of the machine, and, since the digests stand here, for
// every compiler and machine.
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/version.h"
#include "engine/training/trainer.h"
#include "models/registry.h"

namespace repro16 {
namespace {

struct Case {
  std::string policy;
  std::string optimizer;
};

OptimizerSpec Optimizer(const std::string& name) {
  OptimizerSpec spec;
  if (name == "sgd") {
    spec.mutable_sgd()->set_learning_rate(0.01);
    spec.mutable_sgd()->set_momentum(0.9);
  } else if (name == "adam") {
    spec.mutable_adam()->set_learning_rate(1e-3);
    spec.mutable_adam()->set_beta_1(0.9);
    spec.mutable_adam()->set_beta_2(0.999);
    spec.mutable_adam()->set_epsilon(1e-4);
  } else if (name == "rmsprop") {
    spec.mutable_rmsprop()->set_learning_rate(1e-3);
    spec.mutable_rmsprop()->set_rho(0.9);
    spec.mutable_rmsprop()->set_epsilon(1e-4);
  }
  return spec;
}

RunSpec Spec(const Case& c) {
  RunSpec spec;
  spec.set_model("mlp");
  spec.set_policy(c.policy);
  spec.set_backend("cpu");
  spec.set_seed(1);
  spec.set_epochs(2);
  spec.set_batch_size(128);
  *spec.mutable_optimizer() = Optimizer(c.optimizer);
  spec.mutable_data()->set_dataset("synthetic_mnist");
  // The last batch of an epoch is a smaller one.
  spec.mutable_data()->set_train_examples(600);
  spec.mutable_data()->set_test_examples(200);
  spec.mutable_data()->set_normalization("unit");
  return spec;
}

RunOutput MustTrain(const RunSpec& spec, const Dataset& data,
                    const BackendOptions& options) {
  auto backend = CreateBackend("cpu", options);
  EXPECT_TRUE(backend.ok()) << backend.status();
  auto graph = BuildModel(spec.model());
  Progress progress;
  auto output = Train(spec, *graph, data, **backend, progress);
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

// SHA-256 of the weights after ten steps, by policy and optimizer. A change of
// any of them is a change of the numerics: raise kNumericsVersion with it.
static_assert(kNumericsVersion == 1, "the digests are those of version 1");
const std::map<std::string, std::string>& GoldenWeights() {
  static const auto* const kGolden = new std::map<std::string, std::string>{
      {"FP32/sgd",
       "a3500e738f54442266f67c97788e78f8facf31475d15797ab06c64c6af53eafd"},
      {"FP16/sgd",
       "60a8799a1de774a70ba687a62a4a8f4899799f89c6de0a41de34e1d31b91228d"},
      {"FP16_BN32/sgd",
       "60a8799a1de774a70ba687a62a4a8f4899799f89c6de0a41de34e1d31b91228d"},
      {"MP/sgd",
       "67dd2e1de5b088e6d95a06b2d3d46d1036509ff21274a3755cb10adc00582979"},
      {"BF16/sgd",
       "4b39e8a59cb43c98657d9abe170f36d225c4995847ea21b8d7cfe6f8d48dba30"},
      {"FP16_ACC16/sgd",
       "a00064523357311b8c1bc46ace2a9d1acf580b9f1891b762fa38fc4e10bb1afd"},
      {"FP32/adam",
       "d52c1895508443eadf02abf398f3d44ab660f17bbb6862c895874633bca27e00"},
      {"FP16/adam",
       "0eb55b176f716a64502772954daf3db7348ce0ebb64a42dc05748372ae74bf9a"},
      {"MP/adam",
       "495dfa577b54f4d39f94a64e3fbd935cea711fb14433a90812688a0e39f12e41"},
      {"FP32/rmsprop",
       "a119aca6cdddec7b94de5734d8c7407a2fc61d4b154e419a8393cf1a10a95d8e"},
      {"FP16/rmsprop",
       "a4bcd1899704534354e019ce6f486d3f07f1ce8a3381975cabebc8506bede054"},
      {"MP/rmsprop",
       "165c704fb31b071aa9fd98089c757256a8ffbe2cbffe884932d8f9229b5a4309"},
  };
  return *kGolden;
}

class BitsTest : public testing::TestWithParam<Case> {};

TEST_P(BitsTest, SameForEveryThreadCountTargetAndCompiler) {
  const RunSpec spec = Spec(GetParam());
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok()) << data.status();
  const std::vector<std::string> targets = UsableSimdTargets();
#if defined(__x86_64__)
  ASSERT_GE(targets.size(), 2u) << "one target alone proves little";
#endif
  const RunOutput first = MustTrain(spec, *data, {1, targets.front()});
  EXPECT_EQ(first.result.weights_sha256(),
            GoldenWeights().at(GetParam().policy + "/" + GetParam().optimizer));
  EXPECT_FALSE(first.result.has_first_non_finite());
  const std::vector<int> thread_counts = GetParam().optimizer == "sgd"
                                             ? std::vector<int>{1, 2, 3, 7}
                                             : std::vector<int>{1, 2, 7};
  for (const std::string& target : targets) {
    for (int threads : thread_counts) {
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

INSTANTIATE_TEST_SUITE_P(
    Policies, BitsTest,
    testing::Values(Case{"FP32", "sgd"}, Case{"FP16", "sgd"},
                    Case{"FP16_BN32", "sgd"}, Case{"MP", "sgd"},
                    Case{"BF16", "sgd"}, Case{"FP16_ACC16", "sgd"},
                    Case{"FP32", "adam"}, Case{"FP16", "adam"},
                    Case{"MP", "adam"}, Case{"FP32", "rmsprop"},
                    Case{"FP16", "rmsprop"}, Case{"MP", "rmsprop"}),
    [](const auto& info) {
      return info.param.policy + "_" + info.param.optimizer;
    });

}  // namespace
}  // namespace repro16
