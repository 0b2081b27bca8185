#include "engine/cpu/softmax.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/cpu/test_util.h"
#include "engine/cpu/thread_pool.h"

namespace repro16 {
namespace {

using Values = std::vector<double>;

// One kernel on [batch, classes] logits of one type, without a program around
// it.
class SoftmaxFixture {
 public:
  SoftmaxFixture(const Values& logits, int64_t batch, DType type)
      : type_(type),
        classes_(static_cast<int64_t>(logits.size()) / batch),
        pool_(1) {
    logits_ = ToBytes(logits, type);
    out_.resize(logits_.size() * 2);
    gradient_.resize(logits_.size());
    buffers_.inputs = {{logits_.data(), type, classes_, &counter_}};
    pass_.pool = &pool_;
    pass_.batch = batch;
    pass_.training = true;
    pass_.correct = &correct_;
  }

  Values Probabilities() {
    buffers_.output = {out_.data(), type_, classes_, &counter_};
    MakeSoftmax(classes_)->Forward(buffers_, pass_);
    out_.resize(logits_.size());
    return ToValues(out_, type_);
  }

  Values Losses(const std::vector<uint8_t>& labels) {
    pass_.labels = labels.data();
    buffers_.output = {out_.data(), DType::kF32, 1, &counter_};
    MakeSoftmaxCrossEntropy()->Forward(buffers_, pass_);
    out_.resize(static_cast<size_t>(pass_.batch) * 4);
    return ToValues(out_, DType::kF32);
  }

  Values Gradient(const std::vector<uint8_t>& labels, float loss_scale) {
    pass_.labels = labels.data();
    pass_.loss_scale = loss_scale;
    buffers_.output = {out_.data(), DType::kF32, 1, &counter_};
    buffers_.input_gradients = {{gradient_.data(), type_, classes_, &counter_}};
    MakeSoftmaxCrossEntropy()->Backward(buffers_, pass_);
    return ToValues(gradient_, type_);
  }

  int64_t correct() const { return correct_; }
  const StoreCounter& counter() const { return counter_; }

 private:
  const DType type_;
  const int64_t classes_;
  ThreadPool pool_;
  std::vector<uint8_t> logits_, out_, gradient_;
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
    const Values expected = ReferenceSoftmax(Rounded(logits, type), classes);
    const double epsilon = type == DType::kF32   ? 2e-7
                           : type == DType::kF16 ? 0x1p-11
                                                 : 0x1p-8;

    SoftmaxFixture fixture(logits, batch, type);
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

}  // namespace
}  // namespace repro16
