#include "engine/training/parameter_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/round_to_type.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

template <class Message>
Message Parse(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message));
  return message;
}

std::vector<uint8_t> Halves(const std::vector<double>& values) {
  std::vector<uint8_t> bytes(2 * values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    StoreAsType(values[i], DType::kF16, &bytes[2 * i]);
  }
  return bytes;
}

// y = w0 x0 + w1 x1 + w2 x2 + b in FP16, from weights of 0, of which all
// updates below are known by hand.
class TinyNetwork {
 public:
  explicit TinyNetwork(const std::string& optimizer)
      : optimizer_(Parse<OptimizerSpec>(optimizer)) {
    GraphBuilder b;
    graph_ = *std::move(b).Build(b.Dense(b.Input(Shape({3})), 1));
    CompileOptions options;
    options.optimizer = optimizer_;
    program_ = *backend_->Compile(graph_, *FindPolicy("FP16"), options);
    watch_ = std::make_unique<ParameterWatch>(graph_, optimizer_, *program_);
    Write({0, 0, 0});
    EXPECT_TRUE(program_->WriteParameter(1, Halves({0})).ok());
    EXPECT_TRUE(watch_->Start().ok());
  }

  // A step with these gradients of w (of b: 1).
  void Step(int64_t step, const std::vector<double>& gradients) {
    EXPECT_TRUE(program_->WriteInput(Halves(gradients)).ok());
    EXPECT_TRUE(program_->Forward(1, /*training=*/true).ok());
    EXPECT_TRUE(program_->WriteOutputGradient(Halves({1})).ok());
    EXPECT_TRUE(program_->Backward(1).ok());
    EXPECT_TRUE(program_->Update().ok());
    AddStep(step);
  }

  // A step that leaves these weights.
  void StepTo(int64_t step, const std::vector<double>& weights) {
    Write(weights);
    AddStep(step);
  }

  void WriteSlot(int slot, const std::vector<double>& values) {
    EXPECT_TRUE(program_->WriteSlot(0, slot, Halves(values)).ok());
  }

  void BeginEpoch() { epoch_.Clear(); }

  // The diagnosis of w.
  std::string Kernel() const {
    EXPECT_EQ(epoch_.parameters_size(), 2);
    std::string text;
    google::protobuf::TextFormat::Printer printer;
    printer.SetSingleLineMode(true);
    EXPECT_TRUE(printer.PrintToString(epoch_.parameters(0), &text));
    return text;
  }

 private:
  void Write(const std::vector<double>& weights) {
    EXPECT_TRUE(program_->WriteParameter(0, Halves(weights)).ok());
  }

  void AddStep(int64_t step) {
    EXPECT_TRUE(watch_->AddStep(step, epoch_).ok());
  }

  OptimizerSpec optimizer_;
  std::unique_ptr<Backend> backend_ = *CreateBackend("cpu", {1});
  Graph graph_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<ParameterWatch> watch_;
  EpochDiagnosis epoch_;
};

// Gradients: the square of the first is kept, that of the second, 2^-26, is 0
// in f16, and the third is 0.
const std::vector<double> kGradients = {0x1p-3, 0x1p-13, 0};

TEST(ParameterWatchTest, AdamTakesItsLargestStepWhereTheSecondMomentIsLost) {
  // At the first step alpha is 1/4, m is g / 2 and v is g^2 / 4: the updates
  // are 2^-6 / (2^-4 + 2^-14), below 1/4, and 2^-16 / (0 + 2^-14) = 1/4.
  TinyNetwork network(
      "adam { learning_rate: 0.25 beta_1: 0.5 beta_2: 0.75 "
      "epsilon: 6.103515625e-05 }");
  network.Step(7, kGradients);
  EXPECT_EQ(network.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 largest_update: 0.25 "
            "largest_update_step: 7 "
            "slots { slot: \"first_moment\" zero: 1 } "
            "slots { slot: \"second_moment\" zero: 2 "
            "zero_while_first_moment_is_not: 1 } ");
}

TEST(ParameterWatchTest, AdamWithoutLostSecondMomentsSaysSo) {
  TinyNetwork network(
      "adam { learning_rate: 0.25 beta_1: 0.5 beta_2: 0.75 epsilon: 0.0625 }");
  network.Step(0, {0x1p-3, 0x1p-4, 0x1p-5});
  // 2^-6 / (2^-4 + 2^-4).
  EXPECT_EQ(network.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 largest_update: 0.125 "
            "slots { slot: \"first_moment\" } "
            "slots { slot: \"second_moment\" "
            "zero_while_first_moment_is_not: 0 } ");
}

TEST(ParameterWatchTest, SgdsMomentumIsSummedOverSteps) {
  TinyNetwork network("sgd { learning_rate: 0.5 momentum: 0.5 }");
  network.Step(0, kGradients);  // moves by 1/16
  network.Step(1, kGradients);  // by 1/32 + 1/16
  network.Step(2, {0, 0, 0});   // by 3/64
  EXPECT_EQ(network.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 "
            "largest_update: 0.09375 largest_update_step: 1 "
            "slots { slot: \"momentum\" zero: 3 } ");
}

TEST(ParameterWatchTest, OtherRulesHaveNoFirstMoment) {
  TinyNetwork rmsprop("rmsprop { learning_rate: 0.5 rho: 0.75 epsilon: 1 }");
  rmsprop.Step(0, kGradients);
  EXPECT_NE(
      rmsprop.Kernel().find(" slots { slot: \"second_moment\" zero: 2 } "),
      std::string::npos)
      << rmsprop.Kernel();
  TinyNetwork plain("sgd { learning_rate: 0.5 }");
  plain.Step(0, kGradients);
  EXPECT_EQ(plain.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 "
            "largest_update: 0.0625 ");
}

TEST(ParameterWatchTest, WhatIsNotFiniteIsCountedAndIsNoUpdate) {
  TinyNetwork network("sgd { learning_rate: 0.5 momentum: 0.5 }");
  network.StepTo(3, {1, -1.5, 0});
  network.StepTo(4, {kInfinity, -3.5, kNan});  // moves by 2
  network.WriteSlot(0, {kInfinity, kNan, 5});
  network.StepTo(5, {100, -3.5, -kInfinity});  // back from an infinity
  EXPECT_EQ(network.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 largest_update: 2 "
            "largest_update_step: 4 non_finite: 3 first_non_finite_step: 4 "
            "slots { slot: \"momentum\" zero: 6 non_finite: 2 } ");
  network.BeginEpoch();
  network.StepTo(6, {100, -3.5, kNan});
  EXPECT_EQ(network.Kernel(),
            "parameter: \"dense_1/kernel\" elements: 3 non_finite: 1 "
            "first_non_finite_step: 6 "
            "slots { slot: \"momentum\" non_finite: 2 } ");
}

// --- In a training run ---

RunSpec SmallSpec(const std::string& policy, const std::string& epsilon) {
  return Parse<RunSpec>("model: 'small' policy: '" + policy +
                        R"(' backend: 'cpu' seed: 3 epochs: 2 batch_size: 64
      data { dataset: 'synthetic_mnist' train_examples: 300 test_examples: 100
             normalization: 'unit' }
      optimizer { adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999
                         epsilon: )" +
                        epsilon + " } }");
}

struct DiagnosedRun {
  Diagnosis diagnosis;
  std::vector<Checkpoint> steps;  // after each of them
};

DiagnosedRun TrainSmall(const RunSpec& spec, int threads) {
  GraphBuilder b;
  const TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  const Graph graph = *std::move(b).Classifier(
      b.Dense(b.Relu(b.BatchNorm(b.Dense(x, 16))), 10));
  const auto backend = CreateBackend("cpu", {threads});
  const auto data = LoadDataset(spec.data(), "");
  DiagnosedRun run;
  TrainOptions options;
  options.diagnose = true;
  options.save_steps = 1;
  options.save = [&run](const Checkpoint& checkpoint) {
    run.steps.push_back(checkpoint);
    return absl::OkStatus();
  };
  Progress progress;
  auto output = Train(spec, graph, *data, **backend, progress, options);
  EXPECT_TRUE(output.ok()) << output.status();
  run.diagnosis = output->diagnosis;
  return run;
}

double Element(const std::string& bytes, size_t i, const std::string& type) {
  if (type == "F32") {
    float value;
    std::memcpy(&value, bytes.data() + 4 * i, 4);
    return value;
  }
  Binary16 half;
  std::memcpy(&half, bytes.data() + 2 * i, 2);
  return ToFloat(half);
}

// Adds a step of an Adam run, element by element.
void AddStep(const ParameterState& before, const ParameterState& after,
             int64_t elements, int64_t step, ParameterDiagnosis& sum) {
  const std::string& type = after.type();
  SlotDiagnosis& first = *sum.mutable_slots(0);
  SlotDiagnosis& second = *sum.mutable_slots(1);
  bool finite = true;
  for (size_t i = 0; i < static_cast<size_t>(elements); ++i) {
    const double now = Element(after.value(), i, type);
    const double update = std::abs(now - Element(before.value(), i, type));
    if (std::isfinite(update) && update > sum.largest_update()) {
      sum.set_largest_update(update);
      sum.set_largest_update_step(step);
    }
    finite = finite && std::isfinite(now);
    sum.set_non_finite(sum.non_finite() + (std::isfinite(now) ? 0 : 1));
    const double m = Element(after.slots(0), i, type);
    const double v = Element(after.slots(1), i, type);
    first.set_zero(first.zero() + (m == 0));
    first.set_non_finite(first.non_finite() + !std::isfinite(m));
    second.set_zero(second.zero() + (v == 0));
    second.set_non_finite(second.non_finite() + !std::isfinite(v));
    second.set_zero_while_first_moment_is_not(
        second.zero_while_first_moment_is_not() + (v == 0 && m != 0));
  }
  if (!finite && !sum.has_first_non_finite_step()) {
    sum.set_first_non_finite_step(step);
  }
}

// The second epoch, from the checkpoints after each of its five steps.
EpochDiagnosis SecondEpoch(const DiagnosedRun& run) {
  EpochDiagnosis epoch;
  for (int p = 0; p < run.steps[0].parameters_size(); ++p) {
    const ParameterState& state = run.steps[0].parameters(p);
    if (state.name().find("moving") != std::string::npos) continue;
    ParameterDiagnosis& sum = *epoch.add_parameters();
    int64_t elements = 1;
    for (int64_t dim : state.shape()) elements *= dim;
    sum.set_parameter(state.name());
    sum.set_elements(elements);
    sum.add_slots()->set_slot("first_moment");
    sum.add_slots()->set_slot("second_moment");
    for (size_t step = 5; step < 10; ++step) {
      AddStep(run.steps[step - 1].parameters(p), run.steps[step].parameters(p),
              elements, static_cast<int64_t>(step), sum);
    }
  }
  return epoch;
}

TEST(ParameterWatchTest, ARunsDiagnosisIsThatOfItsCheckpoints) {
  for (const char* policy : {"FP16", "MP"}) {
    for (const char* epsilon : {"1e-3", "1e-8"}) {  // 1e-8 is 0 in f16
      SCOPED_TRACE(std::string(policy) + " " + epsilon);
      const DiagnosedRun run = TrainSmall(SmallSpec(policy, epsilon), 1);
      ASSERT_EQ(run.steps.size(), 10u);
      ASSERT_EQ(run.diagnosis.epochs_size(), 2);
      EpochDiagnosis epoch = run.diagnosis.epochs(1);
      EXPECT_EQ(epoch.steps(), 5);
      EXPECT_EQ(epoch.parameters_size(), 6);
      epoch.clear_epoch();
      epoch.clear_steps();
      epoch.clear_tensors();
      EXPECT_EQ(epoch.DebugString(), SecondEpoch(run).DebugString());
    }
  }
}

TEST(ParameterWatchTest, ADiagnosisDoesNotDependOnTheThreads) {
  const RunSpec spec = SmallSpec("FP16", "1e-5");
  const std::string one = TrainSmall(spec, 1).diagnosis.SerializeAsString();
  for (int threads : {2, 3}) {
    EXPECT_EQ(TrainSmall(spec, threads).diagnosis.SerializeAsString(), one)
        << threads;
  }
}

}  // namespace
}  // namespace repro16
