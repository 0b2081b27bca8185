#include "engine/training/trainer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/training/initialize.h"
#include "engine/training/progress.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

RunSpec Spec(const std::string& text) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec));
  return spec;
}

RunSpec SmallSpec(const std::string& policy) {
  return Spec("model: 'small' policy: '" + policy +
              R"(' backend: 'cpu' seed: 3 epochs: 3
      batch_size: 64 optimizer { sgd { learning_rate: 0.05 momentum: 0.9 } }
      data { dataset: 'synthetic_mnist' train_examples: 1000 test_examples: 200
             normalization: 'unit' })");
}

Graph SmallGraph() {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  x = b.Dropout(b.Tanh(b.Dense(x, 32)), 0.1);
  return *std::move(b).Classifier(b.Dense(x, 10));
}

RunOutput MustTrain(const RunSpec& spec) {
  auto backend = CreateBackend("cpu", {1});
  EXPECT_TRUE(backend.ok()) << backend.status();
  const auto data = LoadDataset(spec.data(), "");
  EXPECT_TRUE(data.ok()) << data.status();
  Progress progress;
  auto output = Train(spec, SmallGraph(), *data, **backend, progress);
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

TEST(TrainerTest, LearnsInEveryPolicy) {
  for (const PrecisionPolicy& policy : AllPolicies()) {
    SCOPED_TRACE(policy.name);
    const RunResult result =
        MustTrain(SmallSpec(std::string(policy.name))).result;
    ASSERT_EQ(result.epochs_size(), 3);
    // 1000 examples in batches of 64: 15 whole ones and one of 40.
    EXPECT_EQ(result.steps_size(), 3 * 16);
    EXPECT_LT(result.epochs(2).train_loss(),
              0.8 * result.epochs(0).train_loss());
    EXPECT_GT(result.epochs(2).test_accuracy(), 0.3);
    EXPECT_FALSE(result.has_first_non_finite());
    EXPECT_TRUE(result.made_up_data());
    EXPECT_EQ(result.parameter_count(), 784 * 32 + 32 + 32 * 10 + 10);
    EXPECT_EQ(result.loss_scale_history_size(),
              policy.dynamic_loss_scale ? 1 : 0);
    // Each epoch computes the activations of every example once; a flatten only
    // moves them.
    const int64_t per_example = 32 + 32 + 32 + 10 + 1;
    EXPECT_EQ(result.epochs(0).rounding().activations().stored(),
              static_cast<uint64_t>(1000 * per_example));
  }
}

TEST(TrainerTest, TheFirstLossIsThatOfTheSameDrawInEveryPolicy) {
  const float full = MustTrain(SmallSpec("FP32")).result.steps(0).loss();
  for (const char* policy : {"FP16", "MP", "BF16"}) {
    EXPECT_NEAR(MustTrain(SmallSpec(policy)).result.steps(0).loss(), full, 0.02)
        << policy;
  }
}

TEST(TrainerTest, AResultIsAPureFunctionOfTheSpecification) {
  const RunOutput first = MustTrain(SmallSpec("FP16"));
  const RunOutput second = MustTrain(SmallSpec("FP16"));
  EXPECT_EQ(first.result.SerializeAsString(),
            second.result.SerializeAsString());
  RunSpec other = SmallSpec("FP16");
  other.set_seed(4);
  EXPECT_NE(MustTrain(other).result.weights_sha256(),
            first.result.weights_sha256());
}

TEST(TrainerTest, GoesOnWhereACheckpointCouldNotBeKept) {
  const RunSpec spec = SmallSpec("FP16");
  auto backend = CreateBackend("cpu", {1});
  ASSERT_TRUE(backend.ok()) << backend.status();
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok()) << data.status();
  Progress progress;
  std::vector<int> saved;  // after so many steps
  std::vector<std::string> told;
  TrainOptions options;
  options.save_steps = 20;  // of 48
  options.save = [&saved](const Checkpoint& checkpoint) {
    saved.push_back(checkpoint.run().result().steps_size());
    return saved.size() == 1 ? absl::ResourceExhaustedError("c: disk full")
                             : absl::OkStatus();
  };
  options.warn = [&told](std::string_view line) { told.emplace_back(line); };
  const auto train = [&] {
    saved.clear();
    told.clear();
    return Train(spec, SmallGraph(), *data, **backend, progress, options);
  };
  const auto output = train();
  ASSERT_TRUE(output.ok()) << output.status();
  EXPECT_EQ(saved, std::vector<int>({20, 40}));
  EXPECT_EQ(told, std::vector<std::string>(
                      {"c: disk full; training goes on, and the checkpoint is "
                       "tried again after 40 steps"}));
  EXPECT_EQ(output->result.SerializeAsString(),
            MustTrain(spec).result.SerializeAsString());

  options.save_seconds = 3600;
  ASSERT_TRUE(train().ok());
  EXPECT_EQ(told, std::vector<std::string>(
                      {"c: disk full; training goes on, and the checkpoint is "
                       "tried again after 40 steps or in 3600 seconds"}));

  // Where the run stops, nobody would try again.
  options.save_steps = 0;
  options.save_seconds = 0;
  options.stop_after_epoch = 1;
  EXPECT_EQ(train().status().message(), "c: disk full");
  EXPECT_TRUE(told.empty());
}

// A graph whose first product overflows binary16.
Graph OverflowingGraph() {
  GraphBuilder b;
  TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  for (int i = 0; i < 2; ++i) x = b.Scale(x, 1000);
  return *std::move(b).Classifier(b.Dense(x, 10));
}

TEST(TrainerTest, TellsTheFirstInfinityOnce) {
  const RunSpec spec = SmallSpec("FP16");
  auto backend = CreateBackend("cpu", {1});
  ASSERT_TRUE(backend.ok()) << backend.status();
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok()) << data.status();
  Progress progress;
  std::vector<std::string> told;
  std::shared_ptr<const Checkpoint> checkpoint;
  TrainOptions options;
  options.warn = [&told](std::string_view line) { told.emplace_back(line); };
  options.save = [&checkpoint](const Checkpoint& saved) {
    checkpoint = std::make_shared<const Checkpoint>(saved);
    return absl::OkStatus();
  };
  const auto train = [&](const Graph& graph) {
    told.clear();
    const auto output = Train(spec, graph, *data, **backend, progress, options);
    EXPECT_TRUE(output.ok()) << output.status();
    return output->result;
  };
  train(SmallGraph());
  EXPECT_TRUE(told.empty());

  options.stop_after_epoch = 1;
  const RunResult result = train(OverflowingGraph());
  ASSERT_TRUE(result.has_first_non_finite());
  EXPECT_EQ(result.first_non_finite().tensor(), "scale_2");
  const std::vector<std::string> line = {
      "step 0: an infinity or NaN was stored to scale_2 first"};
  EXPECT_EQ(told, line);
  EXPECT_EQ(result.warnings_size(), 0);

  // A run that goes on says it again.
  options.resume_from = checkpoint;
  options.stop_after_epoch = 0;
  EXPECT_EQ(train(OverflowingGraph()).warnings_size(), 0);
  EXPECT_EQ(told, line);
}

TEST(TrainerTest, ExportsWeightsAndProbabilities) {
  const RunOutput output = MustTrain(SmallSpec("MP"));
  const SafetensorsTensor* kernel = output.weights.Find("dense_1/kernel");
  ASSERT_NE(kernel, nullptr);
  EXPECT_EQ(kernel->type, SafetensorsType::kF32);
  EXPECT_EQ(kernel->shape, Shape({784, 32}));
  const SafetensorsTensor* probabilities =
      output.probabilities.Find("probabilities");
  ASSERT_NE(probabilities, nullptr);
  EXPECT_EQ(probabilities->type, SafetensorsType::kF16);
  const std::vector<double> p = ToDoubles(*probabilities);
  const std::vector<double> labels =
      ToDoubles(*output.probabilities.Find("labels"));
  ASSERT_EQ(p.size(), 2000u);
  // They are those of the reported accuracy.
  int correct = 0;
  for (size_t n = 0; n < 200; ++n) {
    const auto row = p.begin() + static_cast<ptrdiff_t>(10 * n);
    correct += std::max_element(row, row + 10) - row == labels[n];
  }
  EXPECT_NEAR(correct / 200.0, output.result.epochs(2).test_accuracy(), 0.011);
}

TEST(InitializeTest, GlorotUniformAndHeNormal) {
  Parameter parameter{
      "w", Shape({300, 200}), Initializer::kGlorotUniform, 300, 200, 0};
  const double limit = std::sqrt(6.0 / 500);
  double sum = 0;
  double squares = 0;
  for (float v : InitialValues(parameter, 0, 1)) {
    ASSERT_LE(std::abs(v), limit * 1.0001);
    sum += v;
    squares += static_cast<double>(v) * v;
  }
  EXPECT_NEAR(sum / 60000, 0, 0.002);
  EXPECT_NEAR(squares / 60000, limit * limit / 3, 5e-5);

  parameter.initializer = Initializer::kHeNormal;
  squares = 0;
  for (float v : InitialValues(parameter, 0, 1)) {
    squares += static_cast<double>(v) * v;
  }
  EXPECT_NEAR(squares / 60000, 2.0 / 300, 1e-4);
  EXPECT_NE(InitialValues(parameter, 0, 1), InitialValues(parameter, 1, 1));
}

TEST(CheckSpecTest, NamesTheField) {
  const auto error = [](const std::string& change) {
    RunSpec spec = SmallSpec("FP16");
    spec.MergeFrom(Spec(change));
    return std::string(CheckSpec(spec).message());
  };
  EXPECT_TRUE(CheckSpec(SmallSpec("FP16")).ok());
  EXPECT_EQ(error("batch_size: -1"),
            "batch_size: -1 is not in [1, 1000000]; give e.g. 10");
  EXPECT_EQ(error("batch_size: 1000001"),
            "batch_size: 1000001 is not in [1, 1000000]; give e.g. 10");
  EXPECT_EQ(error("epochs: -3"),
            "epochs: -3 is not in [1, 1000000]; give e.g. 10");
  EXPECT_EQ(error("epochs: 9223372036854775807"),
            "epochs: 9223372036854775807 is not in [1, 1000000]; give e.g. 10");
  for (const char* scale : {"a b", "two\\nlines", "../up", "é"}) {
    EXPECT_EQ(error("scale: '" + std::string(scale) + "'")
                  .substr(0, std::string("scale: '").size()),
              "scale: '")
        << scale;
  }
  EXPECT_EQ(error("scale: 'a b'"),
            "scale: 'a b' is not a word of letters, digits, '_' and '-'; give "
            "e.g. \"trial\", or leave it out");
  for (const char* scale : {"smoke", "lite", "paper", "my-trial_2"}) {
    EXPECT_EQ(error("scale: '" + std::string(scale) + "'"), "");
  }
  EXPECT_EQ(error("backend: ''"), "");
  EXPECT_EQ(error("backend: 'tpu'"),
            "backend: unknown backend 'tpu'; use \"cpu\" or \"cuda\", or leave "
            "it out");
  EXPECT_NE(error("policy: 'FP8'").find("FP8"), std::string::npos);
  EXPECT_EQ(error("optimizer { sgd { learning_rate: -0.1 } }"),
            "optimizer.sgd.learning_rate: -0.1 is not a positive number; give "
            "e.g. 0.01");
  EXPECT_EQ(error("optimizer { sgd { learning_rate: nan } }"),
            "optimizer.sgd.learning_rate: nan is not a positive number; give "
            "e.g. 0.01");
  EXPECT_EQ(error("optimizer { sgd { momentum: 1 } }"),
            "optimizer.sgd.momentum: 1 is not in [0, 1); give e.g. 0.9");
  EXPECT_EQ(
      error("optimizer { adam { learning_rate: 0.1 beta_1: 0.9 beta_2: 0.99 "
            "epsilon: -1 } }"),
      "optimizer.adam.epsilon: -1 is negative or not a number; give e.g. 1e-7");
  EXPECT_EQ(error("model_options { width: 0.25 batch_norm_momentum: 0.9 }"),
            "");
  EXPECT_EQ(error("model_options { width: -1 }"),
            "model_options.width: -1 is not in (0, 16]; give e.g. 0.25, or "
            "leave it out");
  EXPECT_EQ(error("model_options { width: nan }"),
            "model_options.width: nan is not in (0, 16]; give e.g. 0.25, or "
            "leave it out");
  EXPECT_EQ(error("model_options { batch_norm_momentum: 1 }"),
            "model_options.batch_norm_momentum: 1 is not in [0, 1); give e.g. "
            "0.9");
  EXPECT_EQ(CheckSpec(RunSpec()).message(),
            "model: missing; give a model's name, e.g. \"mlp\"");
}

TEST(CheckSpecTest, NamesAHyperParameterThatIsLeftOut) {
  const auto error = [](const std::string& optimizer) {
    RunSpec spec = SmallSpec("FP32");
    spec.MergeFrom(Spec("optimizer { " + optimizer + " }"));
    return std::string(CheckSpec(spec).message());
  };
  EXPECT_EQ(error("adam { learning_rate: 0.1 }"),
            "optimizer.adam.beta_1: missing; give e.g. 0.9");
  EXPECT_EQ(error("adam { learning_rate: 0.1 beta_1: 0 epsilon: 1e-7 }"),
            "optimizer.adam.beta_2: missing; give e.g. 0.999");
  EXPECT_EQ(error("adam { learning_rate: 0.1 beta_1: 0.9 beta_2: 0.999 }"),
            "optimizer.adam.epsilon: missing; give e.g. 1e-7");
  EXPECT_EQ(error("rmsprop { learning_rate: 0.1 }"),
            "optimizer.rmsprop.rho: missing; give e.g. 0.9");
  EXPECT_EQ(error("rmsprop { learning_rate: 0.1 rho: 0.9 }"),
            "optimizer.rmsprop.epsilon: missing; give e.g. 1e-7");
  // 0 is not the same as nothing.
  EXPECT_EQ(error("adam { learning_rate: 0.1 beta_1: 0 beta_2: 0 epsilon: 0 }"),
            "");
  EXPECT_EQ(error("rmsprop { learning_rate: 0.1 rho: 0 epsilon: 0 }"), "");
}

TEST(CheckSpecTest, RefusesInThePolicysType) {
  const auto error = [](const std::string& policy, const std::string& rate) {
    RunSpec spec = SmallSpec(policy);
    spec.MergeFrom(Spec("optimizer { sgd { learning_rate: " + rate + " } }"));
    return std::string(CheckSpec(spec).message());
  };
  EXPECT_EQ(error("FP16", "65519"), "");
  EXPECT_EQ(error("FP16", "65520"),
            "optimizer.sgd.learning_rate: 65520 is infinite in f16: weights "
            "become infinite or NaN; give a smaller one, or choose a policy "
            "with a wider type");
  EXPECT_EQ(error("MP", "65520"), "");
  EXPECT_NE(error("FP32", "1e300"), "");
}

TEST(TrainTest, RefusesWhatItsFilesCannotHold) {
  auto backend = CreateBackend("cpu", {1});
  Progress progress;
  RunSpec spec = SmallSpec("FP32");
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok());
  int steps = 0;
  TrainOptions options;
  options.stop = [&steps] { return ++steps > 0; };
  const auto error = [&] {
    return std::string(
        Train(spec, SmallGraph(), *data, **backend, progress, options)
            .status()
            .message());
  };
  spec.set_batch_size(1);
  spec.set_epochs(1'000'000);
  const std::string result = error();
  EXPECT_EQ(result.find("result: model small in FP32 for 1000000 epochs of "
                        "1000 examples with batch_size 1 takes up to "),
            0)
      << result;
  // The state of fewer steps fits, but not with the parameters.
  options.save = [](const Checkpoint& /*checkpoint*/) {
    return absl::OkStatus();
  };
  int64_t most = 0;
  for (int64_t bit = 1 << 19; bit > 0; bit /= 2) {
    spec.set_epochs(most + bit);
    if (error().substr(0, 7) != "result:") most += bit;
  }
  spec.set_epochs(most);
  steps = 0;
  EXPECT_EQ(error().substr(0, 11), "checkpoint:") << error();
  EXPECT_EQ(steps, 0);
  options.save = nullptr;
  EXPECT_EQ(error(), "");
}

TEST(TrainTest, RefusesWhatDoesNotFit) {
  auto backend = CreateBackend("cpu", {1});
  Progress progress;
  RunSpec spec = SmallSpec("FP32");
  spec.set_batch_size(2000);
  const auto data = LoadDataset(spec.data(), "");
  ASSERT_TRUE(data.ok());
  EXPECT_EQ(
      Train(spec, SmallGraph(), *data, **backend, progress).status().message(),
      "batch_size: 2000 exceeds the 1000 training examples; give at most that");

  TrainOptions options;
  options.memory_limit = 100'000;
  const absl::Status memory = Train(SmallSpec("FP32"), SmallGraph(), *data,
                                    **backend, progress, options)
                                  .status();
  EXPECT_TRUE(absl::IsResourceExhausted(memory)) << memory;
  EXPECT_EQ(memory.message().substr(0, 55),
            "memory: model small with batch_size 64 in FP32 needs 1.");
  options.memory_limit = 0;
  EXPECT_TRUE(Train(SmallSpec("FP32"), SmallGraph(), *data, **backend, progress,
                    options)
                  .ok());

  GraphBuilder b;
  const TensorId x = b.Flatten(b.Input(Shape({32, 32, 3})));
  const Graph wide = *std::move(b).Classifier(b.Dense(x, 10));
  EXPECT_EQ(Train(SmallSpec("FP32"), wide, *data, **backend, progress)
                .status()
                .message(),
            "model small takes [32, 32, 3], but the images of synthetic_mnist "
            "are [28, 28, 1]");
}

}  // namespace
}  // namespace repro16
