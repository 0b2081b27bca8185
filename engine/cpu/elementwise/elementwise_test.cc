// Elementwise kernels against scalar code, bit for bit, counters included.
#include "engine/cpu/elementwise/elementwise.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

using Scalar = std::function<float(float x)>;
using ScalarGradient = std::function<float(float x, float y, float dy)>;

struct Function {
  UnaryFunction kind;
  Scalar forward;
  ScalarGradient backward;
};

const Function kFunctions[] = {
    {UnaryFunction::kRelu,
     [](float x) { return std::isnan(x) || x > 0 ? x : 0.0f; },
     [](float, float y, float dy) { return y > 0 ? dy : 0.0f; }},
    {UnaryFunction::kRelu6,
     [](float x) {
       return std::isnan(x) ? x : x > 6 ? 6.0f : x > 0 ? x : 0.0f;
     },
     [](float, float y, float dy) { return y > 0 && y < 6 ? dy : 0.0f; }},
    {UnaryFunction::kTanh, Tanh,
     [](float, float y, float dy) { return dy * std::fma(-y, y, 1.0f); }},
    {UnaryFunction::kGelu, Gelu,
     [](float x, float, float dy) { return dy * GeluDerivative(x); }},
};

// All 65,536 values of a 16-bit type; of f32 as many ordinary and special ones.
TestTensor AllValues(DType type) {
  TestTensor x(type, 1, 65536);
  TestNumbers numbers(1, /*special_every=*/50);
  for (int64_t i = 0; i < x.elements; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    switch (type) {
      case DType::kF32:
        x.values.Set(i, numbers.Next());
        break;
      case DType::kF16:
        x.values.Set(i, ToFloat(Binary16{bits}));
        break;
      case DType::kBF16:
        x.values.Set(i, ToFloat(BFloat16{bits}));
        break;
    }
  }
  return x;
}

class ElementwiseTest : public KernelTest {};

TEST_P(ElementwiseTest, UnaryFunctionsOfEveryValue) {
  for (const Function& f : kFunctions) {
    const auto kernel = MakeUnary(f.kind);
    for (DType type : kAllTypes) {
      SCOPED_TRACE(testing::Message()
                   << static_cast<int>(f.kind) << " " << Name(type));
      TestTensor x = AllValues(type);
      TestTensor dy(type, 1, x.elements);
      TestNumbers numbers(2, /*special_every=*/30);
      dy.Fill(numbers);
      TestTensor y(type, 1, x.elements), dx(type, 1, x.elements);
      for (int64_t i = 0; i < x.elements; ++i) y.Store(i, f.forward(x[i]));
      for (int64_t i = 0; i < x.elements; ++i) {
        dx.Store(i, f.backward(x[i], y[i], dy[i]));
      }
      for (int threads : {1, 3}) {
        TestTensor out(type, 1, x.elements), gradient(type, 1, x.elements);
        OpBuffers buffers;
        buffers.inputs = {x.ref()};
        buffers.output = out.ref();
        buffers.output_gradient = dy.ref();
        buffers.input_gradients = {gradient.ref()};
        RunPass(*kernel, 1, threads, [&](const PassContext& pass) {
          kernel->Forward(buffers, pass);
          kernel->Backward(buffers, pass);
        });
        EXPECT_TRUE(out == y);
        EXPECT_TRUE(gradient == dx);
      }
    }
  }
}

// What a step's backward pass does not read is null (OpTraits); output and
// gradient take the memory of what they are computed from.
TEST_P(ElementwiseTest, InPlaceAndWithoutWhatIsNotRead) {
  for (const Function& f : kFunctions) {
    const auto kernel = MakeUnary(f.kind);
    const bool reads_input = f.kind == UnaryFunction::kGelu;
    for (int64_t n : {1, 7, 16, 37, 4099}) {
      TestTensor x(DType::kF16, 1, n), dy(DType::kF16, 1, n);
      TestNumbers numbers(3);
      x.Fill(numbers);
      dy.Fill(numbers);
      TestTensor y(DType::kF16, 1, n), dx(DType::kF16, 1, n);
      for (int64_t i = 0; i < n; ++i) y.Store(i, f.forward(x[i]));
      for (int64_t i = 0; i < n; ++i)
        dx.Store(i, f.backward(x[i], y[i], dy[i]));
      TestTensor out = x;
      OpBuffers buffers;
      buffers.inputs = {out.ref()};
      buffers.output = out.ref();
      RunPass(*kernel, 1, 2,
              [&](const PassContext& pass) { kernel->Forward(buffers, pass); });
      EXPECT_TRUE(out == y);
      buffers.inputs = {x.ref()};
      (reads_input ? buffers.output : buffers.inputs[0]).data = nullptr;
      buffers.output_gradient = dy.ref();
      buffers.input_gradients = {dy.ref()};
      RunPass(*kernel, 1, 2, [&](const PassContext& pass) {
        kernel->Backward(buffers, pass);
      });
      EXPECT_TRUE(dy == dx);
    }
  }
}

TEST_P(ElementwiseTest, Relu6AtItsCorners) {
  const std::vector<float> inputs = {-0.0f, 0.0f,       6.0f,  0x1.7fcp2f,
                                     7.0f,  kInfinity,  kNan,  0x1p-24f,
                                     -1.0f, -kInfinity, -kNan, 65504.0f};
  const std::vector<float> outputs = {0,    0,        6, 0x1.7fcp2f, 6,    6,
                                      kNan, 0x1p-24f, 0, 0,          kNan, 6};
  const std::vector<float> gradients = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0};
  const auto n = static_cast<int64_t>(inputs.size());
  TestTensor x(DType::kF16, 1, n), dy(DType::kF16, 1, n);
  TestTensor y(DType::kF16, 1, n), dx(DType::kF16, 1, n);
  for (int64_t i = 0; i < n; ++i) {
    x.values.Set(i, inputs[static_cast<size_t>(i)]);
    dy.values.Set(i, 1);
  }
  OpBuffers buffers;
  buffers.inputs = {x.ref()};
  buffers.output = y.ref();
  buffers.output_gradient = dy.ref();
  buffers.input_gradients = {dx.ref()};
  const auto kernel = MakeUnary(UnaryFunction::kRelu6);
  RunPass(*kernel, 1, 1, [&](const PassContext& pass) {
    kernel->Forward(buffers, pass);
    kernel->Backward(buffers, pass);
  });
  for (int64_t i = 0; i < n; ++i) {
    const float expected = outputs[static_cast<size_t>(i)];
    if (std::isnan(expected)) {
      EXPECT_TRUE(std::isnan(y[i])) << i;
    } else {
      EXPECT_EQ(y[i], expected) << i;
      EXPECT_FALSE(std::signbit(y[i])) << i;
    }
    EXPECT_EQ(dx[i], gradients[static_cast<size_t>(i)]) << i;
  }
}

TEST_P(ElementwiseTest, ScaleByTheRoundedFactor) {
  const double factor = 1 / std::sqrt(7.0);
  const int64_t batch = 3, elements = 2051;
  const auto kernel = MakeScale({factor});
  for (DType type : kAllTypes) {
    const float rounded = RoundToType(factor, type);
    TestNumbers numbers(4, /*special_every=*/40);
    TestTensor x(type, batch, elements), y(type, batch, elements);
    x.Fill(numbers);
    for (int64_t i = 0; i < batch * elements; ++i) y.Store(i, x[i] * rounded);
    for (int threads : kThreadCounts) {
      TestTensor out(type, batch, elements), gradient = x;
      OpBuffers buffers;
      buffers.inputs = {x.ref()};
      buffers.output = out.ref();
      buffers.output_gradient = gradient.ref();
      buffers.input_gradients = {gradient.ref()};  // in place
      RunPass(*kernel, batch, threads, [&](const PassContext& pass) {
        kernel->Forward(buffers, pass);
        kernel->Backward(buffers, pass);
      });
      EXPECT_TRUE(out == y);
      EXPECT_TRUE(gradient == y);
    }
  }
}

TEST_P(ElementwiseTest, PositionEmbedding) {
  const int64_t batch = 7, elements = 1603;
  const auto kernel = MakePositionEmbedding(Shape({elements}));
  for (DType type : kAllTypes) {
    for (DType gradient_type : {type, DType::kF32}) {
      TestNumbers numbers(5, /*special_every=*/400);
      TestTensor x(type, batch, elements), dy(type, batch, elements);
      TestTensor e(type, 1, elements);
      for (TestTensor* t : {&x, &dy, &e}) t->Fill(numbers);
      TestTensor y(type, batch, elements), de(gradient_type, 1, elements);
      for (int64_t i = 0; i < batch * elements; ++i) {
        y.Store(i, x[i] + e[i % elements]);
      }
      for (int64_t i = 0; i < elements; ++i) {
        RowSum sum;
        for (int64_t n = 0; n < batch; ++n) sum.AddTerm(dy[n * elements + i]);
        de.Store(i, sum.Total());
      }
      for (int threads : kThreadCounts) {
        TestTensor out = x, gradient = dy;
        TestTensor embedding_gradient(gradient_type, 1, elements);
        OpBuffers buffers;
        buffers.inputs = {out.ref()};
        buffers.output = out.ref();
        buffers.parameters = {e.ref()};
        buffers.output_gradient = gradient.ref();
        buffers.input_gradients = {gradient.ref()};
        buffers.parameter_gradients = {embedding_gradient.ref()};
        RunPass(*kernel, batch, threads, [&](const PassContext& pass) {
          kernel->Forward(buffers, pass);
          kernel->Backward(buffers, pass);
        });
        EXPECT_TRUE(out == y);
        EXPECT_TRUE(gradient.values == dy.values);
        EXPECT_TRUE(embedding_gradient == de);
      }
    }
  }
}

// The integer comparison of a word is that of its draw with the rate, for every
// rate: at a draw, between two, at the ends.
TEST_P(ElementwiseTest, DropoutKeepsDrawsOfAtLeastTheRate) {
  const int64_t batch = 2, elements = 5003;
  const uint32_t stream_id = 9;
  const RandomStream stream(11, RandomPurpose::kDropout, 13, stream_id);
  const double draw = stream.Uniform(77);
  const double rates[] = {0,
                          0.1,
                          0.5,
                          draw,
                          draw + 0x1p-25,
                          draw - 0x1p-25,
                          0x1p-25,
                          1 - 0x1p-24,
                          1 - 0x1p-26,
                          1 - 0x1p-53};
  for (DType type : kAllTypes) {
    for (double rate : rates) {
      SCOPED_TRACE(testing::Message() << Name(type) << " " << rate);
      const auto kernel = MakeDropout(rate, stream_id);
      const float factor = RoundToType(1 / (1 - rate), type);
      TestNumbers numbers(6, /*special_every=*/40);
      TestTensor x(type, batch, elements), y(type, batch, elements);
      x.Fill(numbers);
      for (int64_t i = 0; i < batch * elements; ++i) {
        const bool keep = stream.Uniform(static_cast<uint64_t>(i)) >= rate;
        y.Store(i, keep ? x[i] * factor : 0.0f);
      }
      for (int threads : {1, 7}) {
        TestTensor out(type, batch, elements), gradient = x;
        OpBuffers buffers;
        buffers.inputs = {x.ref()};
        buffers.output = out.ref();
        buffers.output_gradient = gradient.ref();
        buffers.input_gradients = {gradient.ref()};
        RunPass(*kernel, batch, threads, [&](PassContext pass) {
          pass.seed = 11;
          pass.step = 13;
          kernel->Forward(buffers, pass);
          kernel->Backward(buffers, pass);
        });
        EXPECT_TRUE(out == y);
        EXPECT_TRUE(gradient == y);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, ElementwiseTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
