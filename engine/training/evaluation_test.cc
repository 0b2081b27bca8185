#include "engine/training/evaluation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/numerics/policy.h"
#include "engine/training/device_split.h"
#include "engine/training/initialize.h"
#include "engine/training/progress.h"
#include "engine/training/statistics_estimator.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

constexpr int64_t kBatch = 64;

RunSpec SpecWith(const std::string& policy, const std::string& evaluation) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model: 'small' policy: '" + policy +
          R"(' backend: 'cpu' seed: 3 epochs: 4 batch_size: 64
             optimizer { sgd { learning_rate: 0.05 momentum: 0.9 } }
             data { dataset: 'synthetic_mnist' train_examples: 500
                    test_examples: 300 normalization: 'unit' } )" +
          evaluation,
      &spec));
  return spec;
}

Graph SmallGraph(bool batch_norm) {
  GraphBuilder b;
  TensorId x = b.Dense(b.Flatten(b.Input(Shape({28, 28, 1}))), 16);
  if (batch_norm) x = b.BatchNorm(x, 1e-3, 0.9);
  return *std::move(b).Classifier(b.Dense(b.Relu(x), 10));
}

RunOutput MustTrain(const RunSpec& spec, const Graph& graph,
                    TrainOptions options = {}) {
  const auto backend = *CreateBackend("cpu", {1});
  const auto data = LoadDataset(spec.data(), "");
  Progress progress;
  auto output =
      Train(spec, graph, *data, *backend, progress, std::move(options));
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

TEST(EvaluationTest, EstimatesDoNotTouchTheTraining) {
  for (const PrecisionPolicy& policy : AllPolicies()) {
    SCOPED_TRACE(policy.name);
    const std::string name(policy.name);
    const Graph graph = SmallGraph(/*batch_norm=*/true);
    const RunOutput plain = MustTrain(SpecWith(name, ""), graph);
    const RunOutput more =
        MustTrain(SpecWith(name,
                           "evaluation { early_test_examples: 100 "
                           "estimated_epochs: 2 estimation_examples: 200 }"),
                  graph);
    EXPECT_EQ(plain.result.weights_sha256(), more.result.weights_sha256());
    for (int e = 0; e < 4; ++e) {
      const EpochResult& a = plain.result.epochs(e);
      const EpochResult& b = more.result.epochs(e);
      EXPECT_EQ(a.train_loss(), b.train_loss());
      EXPECT_FALSE(a.has_estimated_test_accuracy());
      EXPECT_EQ(b.has_estimated_test_accuracy(), e >= 2);
      // Of a hundred examples, and of all of them after the last epoch.
      const double hundredths = 100 * b.test_accuracy();
      EXPECT_EQ(hundredths == std::round(hundredths), e < 3) << hundredths;
      EXPECT_EQ(a.test_loss() == b.test_loss(), e == 3);
    }
    EXPECT_NE(more.result.epochs(3).estimated_test_loss(),
              more.result.epochs(3).test_loss());
  }
}

TEST(EvaluationTest, WithoutBatchNormalisationThereIsNothingToEstimate) {
  const RunOutput output =
      MustTrain(SpecWith("FP16",
                         "evaluation { early_test_examples: 100 "
                         "estimated_epochs: 2 estimation_examples: 200 }"),
                SmallGraph(/*batch_norm=*/false));
  const EpochResult& last = output.result.epochs(3);
  EXPECT_EQ(last.estimated_test_accuracy(), last.test_accuracy());
  EXPECT_EQ(last.estimated_test_loss(), last.test_loss());
  // One of all examples, the other of some.
  const EpochResult& before = output.result.epochs(2);
  EXPECT_TRUE(before.has_estimated_test_loss());
  EXPECT_NE(before.estimated_test_loss(), before.test_loss());
}

TEST(EvaluationTest, GoesOnToTheSameResult) {
  const RunSpec spec =
      SpecWith("FP16",
               "evaluation { early_test_examples: 100 "
               "estimated_epochs: 3 estimation_examples: 128 }");
  const Graph graph = SmallGraph(/*batch_norm=*/true);
  const RunOutput whole = MustTrain(spec, graph);
  std::shared_ptr<const Checkpoint> checkpoint;
  TrainOptions options;
  options.save = [&](const Checkpoint& saved) {
    checkpoint = std::make_shared<const Checkpoint>(saved);
    return absl::OkStatus();
  };
  options.stop_after_epoch = 2;
  MustTrain(spec, graph, options);
  ASSERT_NE(checkpoint, nullptr);
  // Stopped once more, by a signal in the middle of an evaluation with
  // estimated statistics: 8 batches of training and 2 of the first evaluation
  // are over.
  int asked = 0;
  options.resume_from = checkpoint;
  options.stop_after_epoch = 0;
  options.stop = [&] { return ++asked == 8 + 2 + 3; };
  EXPECT_FALSE(MustTrain(spec, graph, options).finished);
  options.resume_from = checkpoint;
  options.stop = nullptr;
  const RunOutput resumed = MustTrain(spec, graph, options);
  EXPECT_EQ(resumed.result.SerializeAsString(),
            whole.result.SerializeAsString());
  EXPECT_EQ(resumed.probabilities.tensors[0].bytes,
            whole.probabilities.tensors[0].bytes);
}

// Statistics of the network's input, in f64, where batch normalisation reads
// it.
TEST(StatisticsEstimatorTest, IsTheMeanOfTheBatches) {
  const RunSpec spec = SpecWith("FP32", "");
  const auto backend = *CreateBackend("cpu", {1});
  const auto data = *LoadDataset(spec.data(), "");
  const auto table = *NormalizationTable("unit", data.train);
  GraphBuilder b;
  TensorId x = b.BatchNorm(b.Input(Shape({28, 28, 1})), 1e-3, 0.99);
  const Graph graph = *std::move(b).Classifier(b.Dense(b.Flatten(x), 10));
  CompileOptions options;
  options.max_batch = kBatch;
  options.optimizer = spec.optimizer();
  const PrecisionPolicy policy = *FindPolicy("FP32");
  const auto program = *backend->Compile(graph, policy, options);
  ASSERT_TRUE(InitializeParameters(graph, 3, *program).ok());
  const auto train = *UploadSplit(data.train, *backend);
  auto estimator =
      StatisticsEstimator::Create(graph, policy, options, table, *backend);
  ASSERT_TRUE(estimator.ok()) << estimator.status();
  // Three whole batches within 200 examples.
  const auto estimated =
      estimator->Estimate(*program, train.InOrder(nullptr), 200);
  ASSERT_TRUE(estimated.ok()) << estimated.status();
  double mean = 0, variance = 0;
  const int64_t pixels = kBatch * 28 * 28;
  for (int64_t batch = 0; batch < 3; ++batch) {
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < pixels; ++i) {
      const double value = table[data.train.images[batch * pixels + i]];
      sum += value;
      squares += value * value;
    }
    const auto n = static_cast<double>(pixels);
    mean += sum / n / 3;
    // As Keras has it, with Bessel's correction.
    variance += (squares - sum * sum / n) / (n - 1) / 3;
  }
  EXPECT_NEAR((*estimated)[0][0], mean, 1e-6 * mean);
  EXPECT_NEAR((*estimated)[1][0], variance, 1e-5 * variance);
}

TEST(InitializeTest, FlipsOneBit) {
  const Graph graph = SmallGraph(/*batch_norm=*/true);
  const auto backend = *CreateBackend("cpu", {1});
  const auto program = *backend->Compile(graph, *FindPolicy("FP16"), {});
  const auto all = [&](bool flip) {
    EXPECT_TRUE(InitializeParameters(graph, 3, *program, flip).ok());
    std::vector<std::vector<uint8_t>> parameters;
    for (size_t p = 0; p < graph.parameters.size(); ++p) {
      parameters.push_back(
          *program->ReadParameter(static_cast<ParameterId>(p)));
    }
    return parameters;
  };
  auto flipped = all(true);
  flipped[0][0] ^= 1;
  EXPECT_EQ(flipped, all(false));
}

TEST(EvaluationTest, MoreExamplesThanThereAreAreRefusedBeforeTraining) {
  const RunSpec spec = SpecWith(
      "FP16", "evaluation { estimated_epochs: 1 estimation_examples: 501 }");
  const auto backend = *CreateBackend("cpu", {1});
  const auto data = LoadDataset(spec.data(), "");
  Progress progress;
  TrainOptions options;
  options.stop = [] {
    ADD_FAILURE() << "a step was made";
    return true;
  };
  EXPECT_EQ(Train(spec, SmallGraph(/*batch_norm=*/true), *data, *backend,
                  progress, options)
                .status()
                .message(),
            "evaluation.estimation_examples: 501 exceeds the 500 training "
            "examples; give at most that");
}

TEST(CheckSpecTest, NamesTheFieldOfTheEvaluation) {
  const auto message = [](const std::string& evaluation) {
    return std::string(
        CheckSpec(SpecWith("FP16", "evaluation { " + evaluation + " }"))
            .message());
  };
  EXPECT_EQ(message("estimated_epochs: 5 estimation_examples: 1"),
            "evaluation.estimated_epochs: 5 is not in [0, 4]; give e.g. 1, or "
            "leave it out");
  EXPECT_EQ(message("estimated_epochs: 1"),
            "evaluation: estimated_epochs and estimation_examples need each "
            "other; give both or none");
  EXPECT_EQ(message("early_test_examples: -1"),
            "evaluation.early_test_examples: -1 is not in [0, 1000000]; give "
            "e.g. 1, or leave it out");
}

}  // namespace
}  // namespace repro16
