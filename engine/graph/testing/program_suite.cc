// What a program promises: records, probabilities, loss scaling, memory.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <random>
#include <utility>

#include "engine/graph/builder.h"
#include "engine/graph/loss_scale.h"
#include "engine/graph/testing/backend_under_test.h"
#include "engine/graph/testing/values.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

OptimizerSpec Sgd(double rate) {
  OptimizerSpec spec;
  spec.mutable_sgd()->set_learning_rate(rate);
  return spec;
}

// A linear classifier of four 2x2 images into two classes.
class ClassifierTest : public testing::Test {
 protected:
  static constexpr int64_t kImages = 4;

  void Compile(std::string_view policy, double rate,
               int64_t max_batch = kImages) {
    GraphBuilder b;
    const TensorId x = b.Flatten(b.Input(Shape({2, 2, 1})));
    graph_ = *std::move(b).Classifier(b.Dense(x, 2));
    policy_ = Policy(policy);
    backend_ = CreateBackendUnderTest();
    CompileOptions options;
    options.max_batch = max_batch;
    options.optimizer = Sgd(rate);
    program_ = *backend_->Compile(graph_, policy_, options);
    images_ = Upload({255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 0, 0, 255});
    labels_ = Upload({0, 0, 1, 1});
    std::array<double, 256> table;
    for (size_t i = 0; i < table.size(); ++i) {
      table[i] = static_cast<double>(i) / 255;
    }
    ASSERT_TRUE(program_->SetInputTable(table).ok());
  }

  std::unique_ptr<DeviceBuffer> Upload(const std::vector<uint8_t>& bytes) {
    auto buffer = *backend_->Allocate(static_cast<int64_t>(bytes.size()));
    EXPECT_TRUE(backend_->Upload(bytes, *buffer).ok());
    return buffer;
  }

  BatchSource Source() const { return {images_.get(), labels_.get()}; }

  BatchRecord Step(int64_t step) {
    EXPECT_TRUE(program_->TrainStep(Source(), 0, kImages, step).ok());
    auto records = program_->TakeRecords();
    EXPECT_TRUE(records.ok());
    EXPECT_EQ(records->size(), 1u);
    return records->front();
  }

  void SetKernel(double value) {
    const Values w(8, value);
    ASSERT_TRUE(
        program_->WriteParameter(0, ToBytes(w, policy_.parameter)).ok());
  }

  Values Kernel() {
    return ToValues(*program_->ReadParameter(0), policy_.parameter);
  }

  Graph graph_;
  PrecisionPolicy policy_{};
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Program> program_;
  std::unique_ptr<DeviceBuffer> images_;
  std::unique_ptr<DeviceBuffer> labels_;
};

TEST_F(ClassifierTest, LearnsAndReportsTheMeanLoss) {
  Compile("FP32", 1.0);
  const BatchRecord first = Step(0);
  EXPECT_NEAR(first.loss, std::log(2.0), 1e-6);  // all weights are 0
  EXPECT_EQ(first.examples, kImages);
  EXPECT_EQ(first.correct, 2);  // ties go to class 0
  BatchRecord last;
  for (int step = 1; step < 200; ++step) last = Step(step);
  EXPECT_LT(last.loss, 0.05);
  EXPECT_EQ(last.correct, kImages);
  EXPECT_EQ(last.first_non_finite, "");
}

TEST_F(ClassifierTest, EvaluationGivesProbabilitiesAndTouchesNothing) {
  Compile("FP16", 1.0);
  for (int step = 0; step < 50; ++step) Step(step);
  const Values before = Kernel();
  auto probabilities = *backend_->Allocate(kImages * 2 * 2);
  // In two parts: rows go where their examples are.
  ASSERT_TRUE(
      program_->EvaluateBatch(Source(), 0, 3, probabilities.get()).ok());
  ASSERT_TRUE(
      program_->EvaluateBatch(Source(), 3, 1, probabilities.get()).ok());
  const auto records = program_->TakeRecords();
  ASSERT_TRUE(records.ok());
  EXPECT_EQ((*records)[0].correct + (*records)[1].correct, kImages);
  std::vector<uint8_t> bytes(kImages * 2 * 2);
  ASSERT_TRUE(backend_->Download(*probabilities, absl::MakeSpan(bytes)).ok());
  const Values p = ToValues(bytes, DType::kF16);
  for (int64_t n = 0; n < kImages; ++n) {
    EXPECT_NEAR(p[2 * n] + p[2 * n + 1], 1, 1e-3);
    EXPECT_EQ(p[2 * n] > p[2 * n + 1], n < 2);
  }
  EXPECT_EQ(Kernel(), before);
}

TEST_F(ClassifierTest, MixedPrecisionSkipsAStepThatOverflows) {
  Compile("MP", 0.01);
  SetKernel(0);
  // Gradients of the loss, at most 1/8 times 2^15, fit; those of a scale 16
  // times as large do not.
  BatchRecord record = Step(0);
  EXPECT_EQ(record.loss_scale, 32768);
  EXPECT_FALSE(record.skipped);

  // Inputs so large that the weight gradient overflows binary16.
  std::array<double, 256> table{};
  table[255] = 1000;
  ASSERT_TRUE(program_->SetInputTable(table).ok());
  const Values before = Kernel();
  record = Step(1);
  EXPECT_TRUE(record.skipped);
  EXPECT_EQ(record.loss_scale, 32768);
  EXPECT_EQ(record.first_non_finite, "dense_1/kernel gradient");
  EXPECT_GT(record.rounding.counters[RoundingTotals::kWeightGradients].infinite,
            0u);
  EXPECT_EQ(Kernel(), before);
  EXPECT_EQ(Step(2).loss_scale, 16384);
}

TEST_F(ClassifierTest, StandaloneHalfGoesOnWithInfinities) {
  Compile("FP16", 1.0);
  std::array<double, 256> table{};
  table[255] = 60000;
  ASSERT_TRUE(program_->SetInputTable(table).ok());
  SetKernel(2);
  const BatchRecord record = Step(0);
  EXPECT_EQ(record.first_non_finite, "dense_1");
  EXPECT_GT(record.rounding.counters[RoundingTotals::kActivations].infinite,
            0u);
  EXPECT_FALSE(record.skipped);
  EXPECT_TRUE(std::isnan(Step(1).loss));
}

TEST_F(ClassifierTest, RefusesBatchesThatDoNotFit) {
  Compile("FP32", 0.1, /*max_batch=*/2);
  EXPECT_EQ(program_->TrainStep(Source(), 0, 3, 0).message(),
            "batch of 3 examples; the program was compiled for 1 to 2");
  EXPECT_EQ(program_->TrainStep(Source(), 3, 2, 0).message(),
            "examples 3 to 5 of a source of 4");
}

TEST_F(ClassifierTest, RefusesExamplesAndLabelsThatAreNotThere) {
  Compile("FP32", 0.1);
  const uint32_t order[kImages] = {0, 3, 4, 1};
  const auto* bytes = reinterpret_cast<const uint8_t*>(order);
  const auto ordered =
      Upload(std::vector<uint8_t>(bytes, bytes + sizeof(order)));
  BatchSource source = Source();
  source.order = ordered.get();
  EXPECT_TRUE(program_->TrainStep(source, 0, 2, 0).ok());
  EXPECT_EQ(program_->TrainStep(source, 0, 3, 0).message(),
            "example 4 of a source of 4, named by its order");
  labels_ = Upload({0, 0, 1, 2});
  EXPECT_TRUE(program_->TrainStep(Source(), 0, 3, 1).ok());
  for (const absl::Status& status :
       {program_->TrainStep(Source(), 0, 4, 2),
        program_->EvaluateBatch(Source(), 0, 4, nullptr)}) {
    EXPECT_EQ(status.message(),
              "label 2 of example 3; the network has 2 classes");
  }
  EXPECT_EQ(program_->TakeRecords()->size(), 2u);
}

// A buffer of no backend.
class ForeignBuffer : public DeviceBuffer {
 public:
  int64_t bytes() const override { return kBytes; }
  static constexpr int64_t kBytes = 16;
};

TEST_F(ClassifierTest, RefusesAnotherBackendsBuffer) {
  Compile("FP32", 0.1);
  ForeignBuffer foreign;
  std::vector<uint8_t> bytes(ForeignBuffer::kBytes);
  EXPECT_FALSE(backend_->Upload(bytes, foreign).ok());
  EXPECT_FALSE(backend_->Download(foreign, absl::MakeSpan(bytes)).ok());
  EXPECT_FALSE(
      program_->TrainStep({&foreign, labels_.get()}, 0, kImages, 0).ok());
  EXPECT_FALSE(program_->EvaluateBatch(Source(), 0, 1, &foreign).ok());
}

TEST_F(ClassifierTest, TakesTensorsOfTheirVerySizeAlone) {
  Compile("FP16", 0.1);
  EXPECT_TRUE(program_->WriteParameter(0, std::vector<uint8_t>(16)).ok());
  for (size_t size : {0, 14, 18}) {
    EXPECT_FALSE(program_->WriteParameter(0, std::vector<uint8_t>(size)).ok())
        << size;
  }
  // An example is four numbers.
  EXPECT_TRUE(program_->WriteInput(std::vector<uint8_t>(24)).ok());
  for (size_t size : {0, 12, 40}) {
    EXPECT_FALSE(program_->WriteInput(std::vector<uint8_t>(size)).ok()) << size;
  }
  EXPECT_FALSE(program_->Forward(kImages, /*training=*/false).ok());
  EXPECT_TRUE(program_->Forward(3, /*training=*/false).ok());
  EXPECT_EQ(program_->num_slots(), 0);
  EXPECT_FALSE(program_->ReadSlot(0, 0).ok());
  EXPECT_FALSE(program_->WriteSlot(0, 0, std::vector<uint8_t>(16)).ok());
  EXPECT_EQ(program_->ReadGradient(graph_.output, 1).status().code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_FALSE(program_->WriteOutputGradient(std::vector<uint8_t>(16)).ok());
}

// Passes of evaluation and of training take turns on one input, wherever it
// lies for each of them.
TEST(ProgramTest, BothPassesReadTheInput) {
  GraphBuilder b;
  const TensorId x = b.Input(Shape({6}));
  const TensorId y = b.Dense(b.Relu(b.Dense(x, 50)), 3);
  const Graph graph = *std::move(b).Build(y);
  const Compiled compiled =
      CompileForTest(CreateBackendUnderTest(), graph, Policy("FP16"), 2);
  Program& program = *compiled.program;
  for (ParameterId p = 0; p < 4; ++p) {
    const Values w = RandomValues(
        static_cast<size_t>(graph.parameters[p].shape.NumElements()),
        static_cast<uint32_t>(p));
    ASSERT_TRUE(program.WriteParameter(p, ToBytes(w, DType::kF16)).ok());
  }
  const std::vector<uint8_t> input = ToBytes(RandomValues(12, 9), DType::kF16);
  ASSERT_TRUE(program.WriteInput(input).ok());
  std::vector<uint8_t> first;
  for (const bool training : {false, true, true, false}) {
    ASSERT_TRUE(program.Forward(2, training).ok());
    EXPECT_EQ(*program.ReadTensor(x, 2), input);
    if (first.empty()) first = *program.ReadTensor(y, 2);
    EXPECT_EQ(*program.ReadTensor(y, 2), first);
  }
  EXPECT_TRUE(program.ReadGradient(y, 2).ok());
  EXPECT_FALSE(program.ReadGradient(y, 3).ok());
  EXPECT_FALSE(program.ReadTensor(y, 3).ok());
}

// Dense layers with a dropout, and a tensor that three operations read.
Graph SharedTensor() {
  GraphBuilder b;
  const TensorId x = b.Flatten(b.Input(Shape({8, 8, 1})));
  const TensorId shared = b.Dense(x, 64);
  const TensorId left = b.Dropout(b.Relu(shared), 0.25);
  const TensorId right = b.Tanh(b.Dense(shared, 64));
  const TensorId sum = b.Add(b.Add(left, right), shared);
  return *std::move(b).Classifier(b.Dense(sum, 10));
}

// Parameters and records after some steps of Adam on noise.
std::vector<std::vector<uint8_t>> TrainSharedTensor(
    const PrecisionPolicy& policy, bool keep_all_tensors, ProgramMemory* memory,
    BatchRecord* last) {
  const int64_t batch = 32;
  const Graph graph = SharedTensor();
  auto backend = CreateBackendUnderTest();
  CompileOptions options;
  options.max_batch = batch;
  options.keep_all_tensors = keep_all_tensors;
  OptimizerSpec::Adam& adam = *options.optimizer.emplace().mutable_adam();
  adam.set_learning_rate(1e-3);
  adam.set_beta_1(0.9);
  adam.set_beta_2(0.999);
  adam.set_epsilon(1e-3);
  auto program = *backend->Compile(graph, policy, options);

  auto images = *backend->Allocate(batch * 64);
  auto labels = *backend->Allocate(batch);
  std::vector<uint8_t> pixels(batch * 64);
  std::vector<uint8_t> classes(batch);
  std::mt19937 random(1);
  for (uint8_t& pixel : pixels) pixel = static_cast<uint8_t>(random());
  for (uint8_t& label : classes) label = static_cast<uint8_t>(random() % 10);
  EXPECT_TRUE(backend->Upload(pixels, *images).ok());
  EXPECT_TRUE(backend->Upload(classes, *labels).ok());
  std::array<double, 256> table;
  for (size_t i = 0; i < table.size(); ++i) {
    table[i] = static_cast<double>(i) / 255;
  }
  EXPECT_TRUE(program->SetInputTable(table).ok());
  const auto count = static_cast<ParameterId>(graph.parameters.size());
  for (ParameterId p = 0; p < count; ++p) {
    const Values w = RandomValues(
        static_cast<size_t>(graph.parameters[p].shape.NumElements()),
        static_cast<uint32_t>(p), 0.1);
    EXPECT_TRUE(program->WriteParameter(p, ToBytes(w, policy.parameter)).ok());
  }
  for (int64_t step = 0; step < 5; ++step) {
    EXPECT_TRUE(
        program->TrainStep({images.get(), labels.get()}, 0, batch, step).ok());
  }
  *memory = program->memory();
  *last = program->TakeRecords()->back();
  std::vector<std::vector<uint8_t>> parameters;
  for (ParameterId p = 0; p < count; ++p) {
    parameters.push_back(*program->ReadParameter(p));
  }
  return parameters;
}

// A tensor whose memory were given away too early would show here.
TEST(PlanTest, ReusedMemoryChangesNoBit) {
  for (const char* name : {"FP32", "FP16", "MP"}) {
    SCOPED_TRACE(name);
    ProgramMemory planned;
    ProgramMemory kept;
    BatchRecord last;
    EXPECT_EQ(TrainSharedTensor(Policy(name), false, &planned, &last),
              TrainSharedTensor(Policy(name), true, &kept, &last));
    EXPECT_LT(planned.arena, kept.arena);
  }
}

TEST(PlanTest, IsWhatTheProgramTakes) {
  const auto backend = CreateBackendUnderTest();
  const Graph graph = SharedTensor();
  CompileOptions options;
  options.max_batch = 7;
  for (const bool trains : {false, true}) {
    if (trains) options.optimizer = Sgd(0.1);
    for (const PrecisionPolicy& policy : AllPolicies()) {
      SCOPED_TRACE(policy.name);
      const ProgramMemory planned = *backend->Plan(graph, policy, options);
      const ProgramMemory taken =
          (*backend->Compile(graph, policy, options))->memory();
      EXPECT_GT(planned.arena, 0);
      EXPECT_EQ(planned.gradients > 0, trains);
      EXPECT_EQ(planned.Total(), taken.Total());
    }
  }
}

TEST(PlanTest, HalfTakesHalfTheMemory) {
  ProgramMemory full;
  ProgramMemory half;
  BatchRecord last;
  TrainSharedTensor(Policy("FP32"), false, &full, &last);
  TrainSharedTensor(Policy("FP16"), false, &half, &last);
  // Up to the alignment of each tensor.
  EXPECT_NEAR(static_cast<double>(half.arena) / full.arena, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(half.parameters) / full.parameters, 0.5,
              0.02);
  EXPECT_NEAR(static_cast<double>(half.gradients) / full.gradients, 0.5, 0.02);
  EXPECT_NEAR(static_cast<double>(half.slots) / full.slots, 0.5, 0.02);
}

TEST(PlanTest, CountsWhatIsRounded) {
  ProgramMemory memory;
  BatchRecord last;
  TrainSharedTensor(Policy("FP16"), false, &memory, &last);
  const int64_t batch = 32;
  // Dense 64 twice, dropout, tanh, two sums, logits, loss; a flatten moves and
  // a ReLU selects.
  EXPECT_EQ(last.rounding.stored[RoundingTotals::kActivations],
            static_cast<uint64_t>(batch * (6 * 64 + 10 + 1)));
  // Of the logits and of every tensor of 64 below them that an operation
  // computes: the last sum, tanh's input, dropout's, what the second dense
  // layer gives its input; and two sums of three contributions. The two
  // additions move theirs, and the ReLU selects.
  EXPECT_EQ(last.rounding.stored[RoundingTotals::kActivationGradients],
            static_cast<uint64_t>(batch * (10 + 4 * 64 + 2 * 64)));
  // Weights and two slots.
  EXPECT_EQ(last.rounding.stored[RoundingTotals::kParameters],
            3u * (2 * (64 * 64 + 64) + 64 * 10 + 10));
}

}  // namespace
}  // namespace repro16
