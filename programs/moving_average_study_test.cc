#include "programs/moving_average_study.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <random>
#include <string>

#include "engine/create_backend.h"
#include "engine/graph/moving_average.h"
#include "engine/graph/rounded_factors.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/rounding.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"
#include "models/registry.h"

namespace repro16 {
namespace {

TEST(MoveAverageTest, WithoutCompensationItIsTheEngines) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> draw(-3, 3);
  for (const double momentum : {0.9, 0.99, 0.999}) {
    const float rate = MovingRate(momentum, DType::kF16);
    for (int i = 0; i < 10000; ++i) {
      const float s = RoundTo<Binary16>(draw(random));
      const float x = RoundTo<Binary16>(draw(random));
      EXPECT_EQ(MoveAverage<Binary16>(s, x, momentum, nullptr),
                RoundTo<Binary16>(MovedStatistic<Binary16>(s, x, rate)))
          << s << ", " << x << ", momentum " << momentum;
    }
  }
}

// |s - x| (1 - momentum) under half an ulp of s: the average stands still, and
// what is kept beside it carries it on.
TEST(MoveAverageTest, StallsWithoutCompensation) {
  constexpr float kBatch = 1.25f;
  float plain = 1.0f;
  float compensated = 1.0f;
  float lost = 0;
  for (int step = 0; step < 20000; ++step) {
    plain = MoveAverage<Binary16>(plain, kBatch, 0.999, nullptr);
    compensated = MoveAverage<Binary16>(compensated, kBatch, 0.999, &lost);
  }
  EXPECT_EQ(plain, 1.0f);
  EXPECT_NEAR(compensated, kBatch, 0.01);
}

RunSpec Spec(const std::string& policy) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model: 'mobilenet_v2' backend: 'cpu' seed: 3 epochs: 2 batch_size: 16 "
      "model_options { width: 0.125 } "
      "optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } } "
      "data { dataset: 'synthetic_cifar10' normalization: 'unit' "
      "train_examples: 64 test_examples: 40 }",
      &spec));
  spec.set_policy(policy);
  return spec;
}

TEST(StudyMovingAveragesTest, TheNetworksOwnAverageIsTheTrainers) {
  const RunSpec spec = Spec("FP16");
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok()) << data.status();
  const auto backend = *CreateBackend("cpu", {/*threads=*/1});
  MovingAverageStudyOptions ways;
  ways.momenta = {0.9};
  const auto study = StudyMovingAverages(spec, *data, *backend, ways);
  ASSERT_TRUE(study.ok()) << study.status();

  ModelOptions options;
  options.width = spec.model_options().width();
  const auto graph = BuildModel(spec.model(), options);
  const auto progress = MakeProgress("none", stderr);
  const auto run = Train(spec, *graph, *data, *backend, **progress, {});
  ASSERT_TRUE(run.ok()) << run.status();
  const EpochResult& last = *run->result.epochs().rbegin();

  ASSERT_EQ(study->epochs_size(), 1);
  const MovingAverageStudy::Epoch& epoch = study->epochs(0);
  EXPECT_EQ(epoch.epoch(), 2);
  EXPECT_EQ(epoch.train_loss(), last.train_loss());
  EXPECT_EQ(epoch.train_accuracy(), last.train_accuracy());
  // Three ways with the network's own momentum, three with 0.9; the estimate.
  ASSERT_EQ(epoch.averages_size(), 7);
  const MovingAverageStudy::Average& own = epoch.averages(0);
  EXPECT_EQ(own.rule(), "average");
  EXPECT_EQ(own.storage(), "F16");
  EXPECT_EQ(own.test_accuracy(), last.test_accuracy());
  EXPECT_EQ(own.test_loss(), last.test_loss());
  EXPECT_EQ(epoch.averages(6).rule(), "estimated");
  EXPECT_EQ(epoch.averages(6).ratio_50(), 1);
  EXPECT_NE(epoch.averages(6).test_loss(), own.test_loss());
}

TEST(StudyMovingAveragesTest, RefusesWhatHasNoSuchAverages) {
  const RunSpec spec = Spec("FP16_BN32");
  const auto data = LoadDataset(spec.data(), "");
  const auto backend = *CreateBackend("cpu", {/*threads=*/1});
  EXPECT_EQ(
      StudyMovingAverages(spec, *data, *backend, {}).status().message(),
      "policy: FP16_BN32 does not store the statistics of batch normalisation "
      "in f16; give FP16");
  RunSpec vit = Spec("FP16");
  vit.set_model("vit8");
  EXPECT_EQ(StudyMovingAverages(vit, *data, *backend, {}).status().message(),
            "model: vit8 has no batch normalisation");
}

}  // namespace
}  // namespace repro16
