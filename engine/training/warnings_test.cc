#include "engine/training/warnings.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

using Lines = std::vector<std::string>;

RunSpec Spec(const std::string& policy, const std::string& optimizer,
             int64_t batch_size) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      absl::StrCat("model: 'small' policy: '", policy,
                   "' backend: 'cpu' seed: 3 epochs: 1 batch_size: ",
                   batch_size, " optimizer { ", optimizer, R"( }
      data { dataset: 'synthetic_mnist' train_examples: 65 test_examples: 32
             normalization: 'unit' })"),
      &spec));
  return spec;
}

constexpr char kSgd[] = "sgd { learning_rate: 0.01 }";

// Batch normalisation of images of size x size pixels.
Graph Normalized(int64_t size) {
  GraphBuilder b;
  TensorId x = b.Input(Shape({28, 28, 1}));
  ConvOptions valid;
  valid.padding = Padding::kValid;
  x = b.Conv2D(x, 4, Window::Square(28 / size, 28 / size), valid);
  x = b.BatchNorm(x, 1e-3, 0.9);
  return *std::move(b).Classifier(b.Dense(b.Flatten(x), 10));
}

// A graph whose gradients are too large for binary16 at every loss scale.
Graph Steep() {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  for (int i = 0; i < 2; ++i) x = b.Scale(x, 200);
  return *std::move(b).Classifier(b.Dense(x, 10));
}

struct Trained {
  RunResult result;
  Lines told;
};

Trained MustTrain(const RunSpec& spec, const Graph& graph,
                  TrainOptions options = {}) {
  auto backend = CreateBackend("cpu", {1});
  EXPECT_TRUE(backend.ok()) << backend.status();
  const auto data = LoadDataset(spec.data(), "");
  EXPECT_TRUE(data.ok()) << data.status();
  Trained trained;
  options.warn = [&](std::string_view warning) {
    // Not of the first infinity or NaN, which is no part of the result.
    if (warning.substr(0, 5) == "step ") return;
    trained.told.emplace_back(warning);
  };
  Progress progress;
  auto output = Train(spec, graph, *data, **backend, progress, options);
  EXPECT_TRUE(output.ok()) << output.status();
  trained.result = output->result;
  return trained;
}

Lines WarningsOf(const RunResult& result) {
  return {result.warnings().begin(), result.warnings().end()};
}

TEST(WarningsTest, OneExampleOfOnePosition) {
  const auto warnings = [](int64_t batch_size, int64_t map) {
    const Trained trained =
        MustTrain(Spec("FP32", kSgd, batch_size), Normalized(map));
    EXPECT_EQ(WarningsOf(trained.result), trained.told);
    // It is told where it happens, and only there.
    EXPECT_EQ(std::isnan(trained.result.epochs(0).test_loss()),
              !trained.told.empty())
        << batch_size << ", " << map;
    return trained.told;
  };
  EXPECT_EQ(
      warnings(32, 1),
      Lines({"batch_size: 32 leaves one of 65 training examples for the last "
             "batch, and batch_norm_1 sees 1 x 1 maps: the unbiased variance "
             "of one value is 0 / 0, so that the moving variance, and with it "
             "every test result, is NaN"}));
  EXPECT_EQ(warnings(1, 1).size(), 1u);
  EXPECT_EQ(warnings(33, 1), Lines());
  EXPECT_EQ(warnings(65, 1), Lines());
  EXPECT_EQ(warnings(32, 2), Lines());
}

TEST(WarningsTest, HyperParametersAreToldBeforeTraining) {
  const Trained trained =
      MustTrain(Spec("FP16", "sgd { learning_rate: 1e-9 }", 32), Normalized(2));
  EXPECT_EQ(trained.told,
            Lines({"optimizer.sgd.learning_rate: 1e-09 is 0 in f16: no update "
                   "changes anything"}));
  EXPECT_EQ(WarningsOf(trained.result), trained.told);
}

TEST(WarningsTest, ARunThatGoesOnIsToldAgainAndKeepsEachOnce) {
  RunSpec spec = Spec("FP16", "sgd { learning_rate: 1e-9 }", 32);
  spec.set_epochs(2);
  const Graph graph = Normalized(2);
  const Trained whole = MustTrain(spec, graph);
  auto checkpoint = std::make_shared<Checkpoint>();
  TrainOptions first;
  first.stop_after_epoch = 1;
  first.save = [&](const Checkpoint& saved) {
    *checkpoint = saved;
    return absl::OkStatus();
  };
  MustTrain(spec, graph, first);
  TrainOptions second;
  second.resume_from = checkpoint;
  const Trained resumed = MustTrain(spec, graph, second);
  EXPECT_EQ(resumed.told, whole.told);
  EXPECT_EQ(resumed.result.SerializeAsString(),
            whole.result.SerializeAsString());
}

TEST(WarningsTest, AResultWithoutWarningsHasNoByteOfThem) {
  const RunResult result =
      MustTrain(Spec("FP16", kSgd, 32), Normalized(2)).result;
  RunResult without = result;
  without.clear_warnings();
  EXPECT_EQ(result.SerializeAsString(), without.SerializeAsString());
  EXPECT_EQ(result.warnings_size(), 0);
}

// As a step sets out with `scale`, and whether it was skipped.
RunResult Steps(const std::vector<std::pair<float, bool>>& steps) {
  RunResult result;
  float last = 0;
  for (const auto& [scale, skipped] : steps) {
    if (scale != last) {
      LossScaleChange& change = *result.add_loss_scale_history();
      change.set_step(result.steps_size());
      change.set_loss_scale(scale);
      last = scale;
    }
    result.add_steps()->set_skipped(skipped);
  }
  return result;
}

TEST(WarningsTest, CountsStepsSkippedAtTheLeastLossScale) {
  EXPECT_FALSE(LossScaleWarning(RunResult()).has_value());
  EXPECT_FALSE(LossScaleWarning(Steps({{4, true}, {2, true}, {1, false}})));
  EXPECT_EQ(
      *LossScaleWarning(Steps({{2, true}, {1, true}, {1, false}, {1, true}})),
      "loss scale: at its least, 1, 2 of 4 steps were still skipped for "
      "an infinity or NaN among their gradients: no scale would have "
      "kept them");
}

TEST(WarningsTest, LossScaleIsToldWhenTheRunHasEnded) {
  RunSpec spec = Spec("MP", kSgd, 5);
  spec.set_epochs(3);
  const Trained trained = MustTrain(spec, Steep());
  ASSERT_EQ(trained.told.size(), 1u);
  EXPECT_EQ(trained.told[0].substr(0, 28), "loss scale: at its least, 1,");
  EXPECT_EQ(WarningsOf(trained.result), trained.told);
}

}  // namespace
}  // namespace repro16
