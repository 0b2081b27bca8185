// Golden values see the last bit of one weight.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/training/trainer.h"
#include "models/registry.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

RunOutput TrainShortly() {
  RunSpec spec;
  spec.set_model("mlp");
  spec.set_policy("FP16");
  spec.set_backend("cpu");
  spec.set_scale("smoke");
  spec.set_seed(1);
  spec.set_epochs(1);
  spec.set_batch_size(64);
  spec.mutable_optimizer()->mutable_sgd()->set_learning_rate(0.01);
  spec.mutable_data()->set_dataset("synthetic_mnist");
  spec.mutable_data()->set_train_examples(128);
  spec.mutable_data()->set_test_examples(64);
  spec.mutable_data()->set_normalization("unit");
  const auto data = LoadDataset(spec.data(), "");
  EXPECT_TRUE(data.ok()) << data.status();
  auto backend = CreateBackend("cpu", {1});
  Progress progress;
  auto output = Train(spec, *BuildModel("mlp"), *data, **backend, progress);
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

TEST(GoldenWeightTest, OneBitOfOneWeightIsADifference) {
  RunOutput output = TrainShortly();
  EXPECT_EQ(output.result.weights_sha256(), WeightsDigest(output.weights));
  Golden golden;
  SetScale(ScaleGoldenOf(std::vector<RunResult>{output.result}, {}), golden);
  auto differences =
      CompareWithGolden(golden, std::vector<RunResult>{output.result});
  ASSERT_TRUE(differences.ok()) << differences.status();
  EXPECT_TRUE(differences->empty());

  // The least significant bit of a weight in the middle of a kernel.
  std::string& bytes = output.weights.tensors[2].bytes;
  bytes[bytes.size() / 4 * 2] ^= 1;
  output.result.set_weights_sha256(WeightsDigest(output.weights));
  differences =
      CompareWithGolden(golden, std::vector<RunResult>{output.result});
  ASSERT_TRUE(differences.ok()) << differences.status();
  ASSERT_EQ(differences->size(), 1u);
  EXPECT_EQ(differences->front().field, "weights_sha256");
}

}  // namespace
}  // namespace repro16
