#include "engine/cpu/elementwise/softmax.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/softmax_reference.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

Values ToValues(const TestTensor& tensor) {
  Values values(static_cast<size_t>(tensor.values.size()));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = tensor[static_cast<int64_t>(i)];
  }
  return values;
}

Values RandomValues(size_t n, uint32_t seed, double scale) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> draw(-scale, scale);
  Values values(n);
  for (double& value : values) value = draw(random);
  return values;
}

// One kernel on [batch, classes] logits of one type.
class SoftmaxFixture {
 public:
  SoftmaxFixture(const Values& logits, int64_t batch, DType type)
      : batch_(batch),
        classes_(static_cast<int64_t>(logits.size()) / batch),
        logits_(type, batch, classes_),
        pool_(1) {
    for (size_t i = 0; i < logits.size(); ++i) {
      logits_.values.Set(static_cast<int64_t>(i),
                         static_cast<float>(logits[i]));
    }
    buffers_.inputs = {logits_.ref()};
    pass_.pool = &pool_;
    pass_.batch = batch;
    pass_.training = true;
    pass_.correct = &correct_;
  }

  Values Logits() const { return ToValues(logits_); }

  Values Probabilities() {
    TestTensor p(logits_.values.type(), batch_, classes_);
    buffers_.output = p.ref();
    MakeSoftmax(classes_)->Forward(buffers_, pass_);
    return ToValues(p);
  }

  Values Losses(const std::vector<uint8_t>& labels) {
    pass_.labels = labels.data();
    TestTensor losses(DType::kF32, batch_, 1);
    buffers_.output = losses.ref();
    MakeSoftmaxCrossEntropy()->Forward(buffers_, pass_);
    counter_ = losses.counter;
    return ToValues(losses);
  }

  Values Gradient(const std::vector<uint8_t>& labels, float loss_scale) {
    pass_.labels = labels.data();
    pass_.loss_scale = loss_scale;
    TestTensor gradient(logits_.values.type(), batch_, classes_);
    buffers_.input_gradients = {gradient.ref()};
    MakeSoftmaxCrossEntropy()->Backward(buffers_, pass_);
    counter_ = gradient.counter;
    return ToValues(gradient);
  }

  int64_t correct() const { return correct_; }
  // Of the last call.
  const StoreCounter& counter() const { return counter_; }

 private:
  const int64_t batch_;
  const int64_t classes_;
  TestTensor logits_;
  ThreadPool pool_;
  StoreCounter counter_;
  int64_t correct_ = 0;
  OpBuffers buffers_;
  PassContext pass_{};
};

// In f64, from the stored logits.
Values ReferenceSoftmax(const Values& logits, size_t classes) {
  Values p(logits.size());
  for (size_t n = 0; n < logits.size(); n += classes) {
    double max = logits[n];
    for (size_t c = 0; c < classes; ++c) max = std::max(max, logits[n + c]);
    double sum = 0;
    for (size_t c = 0; c < classes; ++c) sum += std::exp(logits[n + c] - max);
    for (size_t c = 0; c < classes; ++c) {
      p[n + c] = std::exp(logits[n + c] - max) / sum;
    }
  }
  return p;
}

TEST(SoftmaxTest, ProbabilitiesAndGradientsInEveryType) {
  const size_t classes = 10;
  const int64_t batch = 7;
  const std::vector<uint8_t> labels = {3, 1, 4, 1, 5, 9, 2};
  for (DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    SCOPED_TRACE(Name(type));
    const Values logits = RandomValues(batch * classes, 1, 8);
    const double epsilon = type == DType::kF32   ? 2e-7
                           : type == DType::kF16 ? 0x1p-11
                                                 : 0x1p-8;

    SoftmaxFixture fixture(logits, batch, type);
    const Values expected = ReferenceSoftmax(fixture.Logits(), classes);
    const Values p = fixture.Probabilities();
    const float scale = 1024;
    SoftmaxFixture loss(logits, batch, type);
    const Values g = loss.Gradient(labels, scale);
    for (size_t i = 0; i < p.size(); ++i) {
      EXPECT_NEAR(p[i], expected[i], expected[i] * epsilon * 1.01 + 0x1p-25);
      const double target = i % classes == labels[i / classes] ? 1 : 0;
      const double gradient = (expected[i] - target) * scale / batch;
      EXPECT_NEAR(g[i], gradient, std::abs(gradient) * epsilon * 1.01 + 3e-5);
    }
  }
}

TEST(SoftmaxTest, LossAndCorrectCount) {
  const Values logits = {1, 2,   3,  // label 2: right
                         5, 5,   1,  // label 1: a tie goes to class 0, wrong
                         5, 5,   1,  // label 0: right
                         0, NAN, 0};
  SoftmaxFixture fixture(logits, 4, DType::kF32);
  const Values losses = fixture.Losses({2, 1, 0, 0});
  EXPECT_NEAR(losses[0], std::log(std::exp(1) + std::exp(2) + std::exp(3)) - 3,
              1e-6);
  EXPECT_NEAR(losses[1], std::log(2 * std::exp(5) + std::exp(1)) - 5, 1e-6);
  EXPECT_NEAR(losses[2], losses[1], 1e-6);
  EXPECT_TRUE(std::isnan(losses[3]));
  EXPECT_EQ(fixture.correct(), 2);
  EXPECT_EQ(fixture.counter().nan, 1u);
}

TEST(SoftmaxTest, LargeLogitsDoNotOverflow) {
  SoftmaxFixture fixture({65504, 0, -65504}, 1, DType::kF16);
  EXPECT_EQ(fixture.Probabilities(), (Values{1, 0, 0}));
  SoftmaxFixture loss({65504, 0, -65504}, 1, DType::kF16);
  EXPECT_EQ(loss.Losses({2}), Values{131008});
}

TEST(SoftmaxTest, AnInfiniteLogitGivesNan) {
  SoftmaxFixture fixture({INFINITY, 0}, 1, DType::kF16);
  for (double p : fixture.Probabilities()) EXPECT_TRUE(std::isnan(p)) << p;
}

// The scale acts before the rounding: a gradient that f16 alone would lose
// survives.
TEST(SoftmaxTest, LossScaleSavesSmallGradients) {
  const Values logits = {20, 0};
  SoftmaxFixture plain(logits, 1, DType::kF16);
  EXPECT_EQ(plain.Gradient({0}, 1), (Values{0, 0}));
  EXPECT_EQ(plain.counter().underflow, 1u);
  SoftmaxFixture scaled(logits, 1, DType::kF16);
  const Values gradient = scaled.Gradient({0}, 32768);
  // 1 - exp(-20) is 1 in f32, the label's probability.
  EXPECT_EQ(gradient[0], 0);
  EXPECT_NEAR(gradient[1], 32768 * std::exp(-20.0), 1e-7);
}

class SoftmaxBitsTest : public KernelTest {
 protected:
  // Rows of an example, columns: ViT's scores, classes, the longest row, fewer
  // columns than any vector.
  static constexpr int64_t kShapes[][2] = {{100, 25}, {1, 10}, {3, 256},
                                           {7, 1},    {5, 17}, {700, 3}};
  static constexpr int64_t kBatch = 3;

  static TestTensor Logits(DType type, int64_t elements, uint32_t special) {
    TestNumbers numbers(1, special);
    TestTensor x(type, kBatch, elements);
    x.Fill(numbers);
    return x;
  }
};

TEST_P(SoftmaxBitsTest, ForwardAndBackwardEqualScalarCode) {
  for (const auto& [rows, cols] : kShapes) {
    const auto kernel = MakeSoftmax(cols);
    for (DType type : kAllTypes) {
      for (uint32_t special : {0u, 200u}) {
        SCOPED_TRACE(testing::Message() << rows << " " << cols << " "
                                        << Name(type) << " " << special);
        const int64_t elements = rows * cols;
        TestTensor x = Logits(type, elements, special);
        TestTensor dy = Logits(type, elements, special);
        TestTensor p(type, kBatch, elements), dx(type, kBatch, elements);
        SoftmaxReference(cols, x, dy, p, dx);
        for (int threads : {1, special == 0 ? 2 : 7}) {
          TestTensor out = x, gradient = dy;  // in place
          OpBuffers buffers;
          buffers.inputs = {out.ref()};
          buffers.output = out.ref();
          buffers.output_gradient = gradient.ref();
          buffers.input_gradients = {gradient.ref()};
          RunPass(*kernel, kBatch, threads, [&](const PassContext& pass) {
            kernel->Forward(buffers, pass);
            buffers.inputs[0].data = nullptr;
            kernel->Backward(buffers, pass);
          });
          EXPECT_TRUE(out == p);
          EXPECT_TRUE(gradient == dx);
        }
      }
    }
  }
}

TEST_P(SoftmaxBitsTest, CrossEntropyEqualsScalarCode) {
  const auto kernel = MakeSoftmaxCrossEntropy();
  const int64_t batch = 513;
  const float scale = 1024;
  for (int64_t classes : {1, 3, 10, 255, 256}) {
    for (DType type : kAllTypes) {
      SCOPED_TRACE(testing::Message() << classes << " " << Name(type));
      TestNumbers numbers(2, /*special_every=*/500);
      TestTensor x(type, batch, classes);
      x.Fill(numbers);
      std::vector<uint8_t> labels(static_cast<size_t>(batch));
      TestTensor losses(DType::kF32, batch, 1), dx(type, batch, classes);
      for (size_t n = 0; n < labels.size(); ++n) {
        labels[n] = static_cast<uint8_t>(n * 7 % static_cast<size_t>(classes));
      }
      const int64_t correct =
          CrossEntropyReference(scale, labels, x, losses, dx);
      EXPECT_GT(correct, 0);
      for (int threads : {1, 3}) {
        TestTensor out(DType::kF32, batch, 1), gradient(type, batch, classes);
        OpBuffers buffers;
        buffers.inputs = {x.ref()};
        buffers.output = out.ref();
        buffers.input_gradients = {gradient.ref()};
        int64_t counted = 0;
        RunPass(*kernel, batch, threads, [&](PassContext pass) {
          pass.labels = labels.data();
          pass.loss_scale = scale;
          pass.correct = &counted;
          kernel->Forward(buffers, pass);
          kernel->Backward(buffers, pass);
        });
        EXPECT_TRUE(out == losses);
        EXPECT_TRUE(gradient == dx);
        EXPECT_EQ(counted, correct);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, SoftmaxBitsTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
