#include "engine/training/file_size.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/numerics/policy.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "engine/training/warnings.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

constexpr char kSgd[] = "sgd { learning_rate: 0.05 momentum: 0 }";
constexpr char kAdam[] =
    "adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999 epsilon: 0.001 }";

RunSpec Spec(const std::string& policy, const std::string& optimizer) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model: 'small' policy: '" + policy +
          R"(' backend: 'cpu' seed: 3 epochs: 2 batch_size: 8
      data { dataset: 'synthetic_mnist' train_examples: 100 test_examples: 10
             normalization: 'unit' } optimizer { )" +
          optimizer + " }",
      &spec));
  return spec;
}

// A tensor that two operations read, a parameter that is not trained.
Graph SmallGraph() {
  GraphBuilder b;
  TensorId x = b.Dense(b.Flatten(b.Input(Shape({28, 28, 1}))), 4);
  x = b.Relu(b.BatchNorm(b.Add(b.Tanh(x), x)));
  return *std::move(b).Classifier(b.Dense(x, 10));
}

// The checkpoint after the last step, and the bounds of it and its state.
struct Sizes {
  int64_t state = 0;
  int64_t most_state = 0;
  int64_t checkpoint = 0;
  int64_t most_checkpoint = 0;
};

Sizes Measure(const RunSpec& spec, bool diagnose) {
  const Graph graph = SmallGraph();
  const auto backend = *CreateBackend("cpu", {1});
  const Dataset data = *LoadDataset(spec.data(), "");
  Sizes sizes;
  TrainOptions options;
  options.diagnose = diagnose;
  options.save_steps = 1;
  options.save = [&sizes](const Checkpoint& checkpoint) {
    sizes.state = static_cast<int64_t>(checkpoint.run().ByteSizeLong());
    sizes.checkpoint = static_cast<int64_t>(checkpoint.ByteSizeLong());
    return absl::OkStatus();
  };
  Progress progress;
  const auto output = Train(spec, graph, data, *backend, progress, options);
  EXPECT_TRUE(output.ok()) << output.status();
  sizes.state = std::max(
      sizes.state, static_cast<int64_t>(output->result.ByteSizeLong() +
                                        output->diagnosis.ByteSizeLong()));

  sizes.most_state = MostStateBytes(spec, graph, data.train.count, diagnose);
  sizes.most_checkpoint =
      MostCheckpointBytes(spec, graph, *FindPolicy(spec.policy()), sizes.state);
  return sizes;
}

TEST(FileSizeTest, BoundsWhatARunWrites) {
  for (const char* policy : {"FP32", "FP16", "MP"}) {
    for (const char* optimizer : {kSgd, kAdam}) {
      for (const bool diagnose : {false, true}) {
        SCOPED_TRACE(std::string(policy) + " " + optimizer +
                     (diagnose ? " diagnosed" : ""));
        const Sizes sizes = Measure(Spec(policy, optimizer), diagnose);
        EXPECT_LE(sizes.state, sizes.most_state);
        EXPECT_LT(sizes.most_state, 8 * sizes.state);
        EXPECT_LE(sizes.checkpoint, sizes.most_checkpoint);
        EXPECT_LT(sizes.most_checkpoint - sizes.checkpoint, 2000);
      }
    }
  }
}

TEST(FileSizeTest, CountsTheWarnings) {
  const Graph graph = SmallGraph();
  const auto most = [&](const RunSpec& spec) {
    return MostStateBytes(spec, graph, 100, /*diagnose=*/false);
  };
  const RunSpec silent =
      Spec("FP16", "sgd { learning_rate: 0.05 momentum: 0.9 }");
  const RunSpec warned =
      Spec("FP16", "sgd { learning_rate: 1e-9 momentum: 0.9999 }");
  RunResult result;
  for (const std::string& warning :
       WarningsBeforeTraining(warned, *FindPolicy("FP16"), graph, 100)) {
    result.add_warnings(warning);
  }
  ASSERT_EQ(result.warnings_size(), 2);
  EXPECT_EQ(most(warned) - most(silent),
            static_cast<int64_t>(result.ByteSizeLong()));

  // No steps, so that the policies differ in their names and the warning.
  RunSpec scaled = Spec("MP", kSgd);
  RunSpec plain = Spec("FP32", kSgd);
  scaled.set_epochs(0);
  plain.set_epochs(0);
  RunResult skipped;
  skipped.add_loss_scale_history()->set_loss_scale(1);
  for (int i = 0; i < 1000; ++i) skipped.add_steps()->set_skipped(true);
  EXPECT_GT(most(scaled) - most(plain),
            static_cast<int64_t>(LossScaleWarning(skipped)->size()));
}

TEST(FileSizeTest, GrowsWithTheSteps) {
  const Graph graph = SmallGraph();
  RunSpec spec = Spec("FP16", kAdam);
  const auto most = [&](int64_t epochs, int64_t train_examples) {
    spec.set_epochs(epochs);
    return MostStateBytes(spec, graph, train_examples, /*diagnose=*/false);
  };
  const int64_t a_step = most(1, 80) - most(1, 72);
  EXPECT_GT(a_step, 10);
  EXPECT_EQ(most(1, 8000) - most(1, 80), 990 * a_step);
  EXPECT_EQ(most(1, 81) - most(1, 80), a_step);
  EXPECT_GT(most(1'000'000, 80), 999'999 * 10 * a_step);
}

}  // namespace
}  // namespace repro16
