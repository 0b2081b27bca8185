#include "engine/cpu/program.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/cpu/loss_scale.h"
#include "engine/cpu/test_util.h"
#include "engine/graph/builder.h"

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
    backend_ = *CreateCpuBackend({1, "auto"});
    CompileOptions options;
    options.max_batch = max_batch;
    options.optimizer = Sgd(rate);
    program_ = *backend_->Compile(graph_, policy_, options);
    stream_ = backend_->CreateStream();
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
    EXPECT_TRUE(program_->TrainStep(Source(), 0, kImages, step, *stream_).ok());
    auto records = program_->TakeRecords(*stream_);
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
  std::unique_ptr<Stream> stream_;
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
      program_->EvaluateBatch(Source(), 0, 3, probabilities.get(), *stream_)
          .ok());
  ASSERT_TRUE(
      program_->EvaluateBatch(Source(), 3, 1, probabilities.get(), *stream_)
          .ok());
  const auto records = program_->TakeRecords(*stream_);
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
  EXPECT_EQ(program_->TrainStep(Source(), 0, 3, 0, *stream_).message(),
            "batch of 3 examples; the program was compiled for 1 to 2");
  EXPECT_EQ(program_->TrainStep(Source(), 3, 2, 0, *stream_).message(),
            "examples 3 to 5 of a source of 4");
}

TEST_F(ClassifierTest, HalfTakesHalfTheMemory) {
  Compile("FP32", 0.1);
  const ProgramMemory full = program_->memory();
  Compile("FP16", 0.1);
  const ProgramMemory half = program_->memory();
  EXPECT_LE(half.arena, full.arena);
  EXPECT_LE(half.parameters, full.parameters);
  EXPECT_EQ(full.Total(), full.arena + full.workspace + full.parameters +
                              full.gradients + full.slots);
}

TEST(LossScaleTest, HalvesOnOverflowAndDoublesAfter2000Steps) {
  LossScale scale(/*enabled=*/true);
  EXPECT_EQ(scale.scale(), 32768);
  for (int i = 0; i < 1999; ++i) EXPECT_TRUE(scale.Accept(true));
  EXPECT_EQ(scale.scale(), 32768);
  EXPECT_TRUE(scale.Accept(true));
  EXPECT_EQ(scale.scale(), 65536);
  EXPECT_FALSE(scale.Accept(false));
  EXPECT_EQ(scale.scale(), 32768);
  // A skipped step starts the count again.
  for (int i = 0; i < 1999; ++i) scale.Accept(true);
  scale.Accept(false);
  for (int i = 0; i < 1999; ++i) scale.Accept(true);
  EXPECT_EQ(scale.scale(), 16384);
  for (int i = 0; i < 100; ++i) scale.Accept(false);
  EXPECT_EQ(scale.scale(), 1);
}

TEST(LossScaleTest, DisabledAcceptsEverything) {
  LossScale scale(/*enabled=*/false);
  EXPECT_TRUE(scale.Accept(false));
  EXPECT_EQ(scale.scale(), 1);
}

}  // namespace
}  // namespace repro16
