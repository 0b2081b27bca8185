// Bit for bit, counters included, against the scalar order of
// engine/numerics/reduction.h.
#include "engine/cpu/conv/depthwise_conv.h"

#include <cstdint>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/window_case.h"
#include "engine/numerics/reduction.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

struct Case {
  ImageWindow shape;
  int64_t batch;
  DType type = DType::kF32;
  DType weight_type = DType::kF32;  // of w, b and their gradients
  DType accumulator = DType::kF32;
  bool bias = false;
};

std::ostream& operator<<(std::ostream& os, const Case& t) {
  return os << "batch " << t.batch << " of " << t.shape << " " << Name(t.type)
            << " weights " << Name(t.weight_type) << " accumulator "
            << Name(t.accumulator) << (t.bias ? " bias" : "");
}

int64_t InputElements(const ImageWindow& s) {
  return s.in_height * s.in_width * s.in_channels;
}
int64_t OutputElements(const ImageWindow& s) {
  return s.out_height * s.out_width * s.in_channels;
}
int64_t WeightElements(const ImageWindow& s) {
  return s.window.height * s.window.width * s.in_channels;
}

// All tensors of one depthwise convolution.
struct Tensors {
  explicit Tensors(const Case& t)
      : x(t.type, t.batch * InputElements(t.shape)),
        dy(t.type, t.batch * OutputElements(t.shape)),
        w(t.weight_type, WeightElements(t.shape)),
        b(t.weight_type, t.shape.in_channels) {}

  TypedArray x, dy, w, b;
};

struct Results {
  explicit Results(const Case& t)
      : y(t.type, t.batch * OutputElements(t.shape)),
        dx(t.type, t.batch * InputElements(t.shape)),
        dw(t.weight_type, WeightElements(t.shape)),
        db(t.weight_type, t.shape.in_channels) {}

  CountedArray y, dx, dw, db;
};

// The formulas of depthwise_conv.h, index by index.
class Reference {
 public:
  Reference(const Case& t, const Tensors& tensors) : t_(t), in_(tensors) {}

  Results Compute() const {
    Results r(t_);
    const ImageWindow& s = t_.shape;
    for (int64_t c = 0; c < s.in_channels; ++c) {
      for (int64_t n = 0; n < t_.batch; ++n) {
        for (int64_t h = 0; h < s.out_height; ++h) {
          for (int64_t v = 0; v < s.out_width; ++v) {
            r.y.Set(Output(n, h, v, c), Forward(n, h, v, c));
          }
        }
        for (int64_t p = 0; p < s.in_height; ++p) {
          for (int64_t q = 0; q < s.in_width; ++q) {
            r.dx.Set(Input(n, p, q, c), InputGradient(n, p, q, c));
          }
        }
      }
      for (int64_t i = 0; i < s.window.height; ++i) {
        for (int64_t j = 0; j < s.window.width; ++j) {
          r.dw.Set(Weight(i, j, c), WeightGradient(i, j, c));
        }
      }
      if (t_.bias) r.db.Set(c, BiasGradient(c));
    }
    return r;
  }

 private:
  int64_t Input(int64_t n, int64_t p, int64_t q, int64_t c) const {
    const ImageWindow& s = t_.shape;
    return ((n * s.in_height + p) * s.in_width + q) * s.in_channels + c;
  }
  int64_t Output(int64_t n, int64_t h, int64_t v, int64_t c) const {
    const ImageWindow& s = t_.shape;
    return ((n * s.out_height + h) * s.out_width + v) * s.in_channels + c;
  }
  int64_t Weight(int64_t i, int64_t j, int64_t c) const {
    return (i * t_.shape.window.width + j) * t_.shape.in_channels + c;
  }
  bool Inside(int64_t p, int64_t q) const {
    return p >= 0 && p < t_.shape.in_height && q >= 0 && q < t_.shape.in_width;
  }

  float Forward(int64_t n, int64_t h, int64_t v, int64_t c) const {
    const WindowAttributes& window = t_.shape.window;
    DotSum sum(t_.accumulator);
    for (int64_t i = 0; i < window.height; ++i) {
      for (int64_t j = 0; j < window.width; ++j) {
        const int64_t p = h * window.stride - window.pad_top + i;
        const int64_t q = v * window.stride - window.pad_left + j;
        if (Inside(p, q)) {
          sum.AddTerm(in_.x.Get(Input(n, p, q, c)), in_.w.Get(Weight(i, j, c)));
        } else {
          sum.SkipTerm();
        }
      }
    }
    return t_.bias ? sum.TotalWithBias(in_.b.Get(c)) : sum.Total();
  }

  float InputGradient(int64_t n, int64_t p, int64_t q, int64_t c) const {
    const WindowAttributes& window = t_.shape.window;
    DotSum sum(t_.accumulator);
    for (int64_t i = 0; i < window.height; ++i) {
      for (int64_t j = 0; j < window.width; ++j) {
        const int64_t a = p + window.pad_top - i, b = q + window.pad_left - j;
        const int64_t h = a / window.stride, v = b / window.stride;
        if (a < 0 || b < 0 || a % window.stride != 0 ||
            b % window.stride != 0 || h >= t_.shape.out_height ||
            v >= t_.shape.out_width) {
          sum.SkipTerm();
        } else {
          sum.AddTerm(in_.dy.Get(Output(n, h, v, c)),
                      in_.w.Get(Weight(i, j, c)));
        }
      }
    }
    return sum.Total();
  }

  float WeightGradient(int64_t i, int64_t j, int64_t c) const {
    const WindowAttributes& window = t_.shape.window;
    DotSum sum(t_.accumulator);
    for (int64_t n = 0; n < t_.batch; ++n) {
      for (int64_t h = 0; h < t_.shape.out_height; ++h) {
        for (int64_t v = 0; v < t_.shape.out_width; ++v) {
          const int64_t p = h * window.stride - window.pad_top + i;
          const int64_t q = v * window.stride - window.pad_left + j;
          if (Inside(p, q)) {
            sum.AddTerm(in_.x.Get(Input(n, p, q, c)),
                        in_.dy.Get(Output(n, h, v, c)));
          } else {
            sum.SkipTerm();
          }
        }
      }
    }
    return sum.Total();
  }

  float BiasGradient(int64_t c) const {
    RowSum sum;
    for (int64_t i = c; i < in_.dy.size(); i += t_.shape.in_channels) {
      sum.AddTerm(in_.dy.Get(i));
    }
    return sum.Total();
  }

  const Case& t_;
  const Tensors& in_;
};

class DepthwiseConv2DTest : public KernelTest {
 protected:
  void Check(const Case& t, TestNumbers& numbers,
             const std::vector<int>& threads) {
    SCOPED_TRACE(testing::Message() << t);
    Tensors in(t);
    for (TypedArray* array : {&in.x, &in.dy, &in.w, &in.b}) {
      numbers.Fill(*array);
    }
    const Results expected = Reference(t, in).Compute();
    for (const int count : threads) {
      SCOPED_TRACE(testing::Message() << count << " threads");
      Results actual(t);
      Run(t, in, actual, count);
      ExpectSame(actual.y, expected.y, "y");
      ExpectSame(actual.dx, expected.dx, "dx");
      ExpectSame(actual.dw, expected.dw, "dw");
      ExpectSame(actual.db, expected.db, "db");
    }
  }

 private:
  static void Run(const Case& t, Tensors& in, Results& out, int threads) {
    const int64_t x_elements = InputElements(t.shape);
    const int64_t y_elements = OutputElements(t.shape);
    OpBuffers buffers;
    buffers.inputs = {{in.x.data(), t.type, x_elements, nullptr}};
    buffers.output = out.y.Ref(y_elements);
    buffers.output_gradient = {in.dy.data(), t.type, y_elements, nullptr};
    buffers.input_gradients = {out.dx.Ref(x_elements)};
    buffers.parameters = {{in.w.data(), t.weight_type, in.w.size(), nullptr}};
    buffers.parameter_gradients = {out.dw.Ref(in.w.size())};
    if (t.bias) {
      buffers.parameters.push_back(
          {in.b.data(), t.weight_type, in.b.size(), nullptr});
      buffers.parameter_gradients.push_back(out.db.Ref(in.b.size()));
    }
    const auto kernel = MakeDepthwiseConv2D(t.shape, t.accumulator);
    RunPass(*kernel, t.batch, threads,
            [&](const PassContext& pass) { kernel->Forward(buffers, pass); });
    RunPass(*kernel, t.batch, threads,
            [&](const PassContext& pass) { kernel->Backward(buffers, pass); });
  }
};

TEST_P(DepthwiseConv2DTest, EveryWindowTypeAndChannelCount) {
  TestNumbers numbers(1);
  int turn = 0;
  for (const int64_t channels : {1, 3, 16, 20, 33, 64, 130}) {
    for (const ImageWindow& shape : WindowShapes(channels)) {
      Case t = {shape, turn % 3 == 0 ? 5 : 1};
      t.type = kAllTypes[turn % 3];
      t.weight_type = turn % 4 == 0 ? DType::kF32 : t.type;
      t.bias = turn % 2 == 0;
      t.accumulator = turn % 5 == 0 ? DType::kF16 : DType::kF32;
      Check(t, numbers, {NextThreads()});
      ++turn;
    }
  }
}

// 3 x 3 windows go through registers: every width of steps and every edge.
TEST_P(DepthwiseConv2DTest, ThreeByThreeOfEveryWidth) {
  TestNumbers numbers(2);
  for (int64_t width = 3; width <= 13; ++width) {
    for (const int64_t stride : {1, 2}) {
      for (const auto padding : {WindowPadding::kValid, WindowPadding::kSame}) {
        Case t = {MakeWindow(4, width, 36, 3, 3, stride, padding), 2};
        t.type = t.weight_type = kAllTypes[width % 3];
        Check(t, numbers, {NextThreads()});
      }
    }
  }
}

TEST_P(DepthwiseConv2DTest, ChunksOfOutputsAcrossRowsAndExamples) {
  TestNumbers numbers(3);
  for (const DType accumulator : {DType::kF32, DType::kF16}) {
    for (const DType type : kAllTypes) {
      // 13 * 75 outputs: three chunks and a part, which split rows.
      Case t = {MakeWindow(5, 15, 20, 3, 3, 1, WindowPadding::kSame), 13};
      t.type = t.weight_type = type;
      t.accumulator = accumulator;
      t.bias = true;
      Check(t, numbers, {1, 2, 3, 7});
      // Whole chunks of one example each.
      t.shape = MakeWindow(32, 32, 16, 3, 3, 2, WindowPadding::kSame);
      t.batch = 2;
      Check(t, numbers, {1, 3});
    }
  }
}

TEST_P(DepthwiseConv2DTest, ChunksOfTaps) {
  TestNumbers numbers(4);
  for (const DType accumulator : {DType::kF32, DType::kF16}) {
    // 17 * 17 taps are two chunks; of 16 * 16, exactly one; of 24 * 24, three,
    // the first all padding for the upper outputs.
    for (const int64_t side : {16, 17, 24}) {
      Case t = {MakeWindow(7, 6, 20, side, side, 1, WindowPadding::kSame), 1};
      t.accumulator = accumulator;
      t.bias = true;
      Check(t, numbers, {NextThreads()});
    }
  }
}

TEST_P(DepthwiseConv2DTest, SpecialValues) {
  TestNumbers numbers(5, /*special_every=*/30);
  int turn = 0;
  for (const ImageWindow& shape : WindowShapes(36)) {
    Case t = {shape, 2};
    t.type = t.weight_type = kAllTypes[turn++ % 3];
    t.accumulator = turn % 3 == 0 ? DType::kF16 : DType::kF32;
    t.bias = turn % 2 == 0;
    Check(t, numbers, {NextThreads()});
  }
  TestNumbers only_special(6, /*special_every=*/1);
  for (const DType type : kAllTypes) {
    Case t = {MakeWindow(5, 9, 20, 3, 3, 1, WindowPadding::kSame), 2};
    t.type = t.weight_type = type;
    Check(t, only_special, {2});
  }
}

// The last batch of an epoch runs in a workspace for a larger one.
TEST(DepthwiseConv2DWorkspaceTest, SmallerBatchesNeedNoMore) {
  const auto kernel = MakeDepthwiseConv2D(
      MakeWindow(8, 8, 24, 3, 3, 1, WindowPadding::kSame), DType::kF32);
  for (int64_t batch = 1; batch < 64; ++batch) {
    EXPECT_LE(kernel->WorkspaceBytes(batch), kernel->WorkspaceBytes(batch + 1));
  }
}

// The gradient of an image is not always wanted.
TEST_P(DepthwiseConv2DTest, InputGradientMayBeUnwanted) {
  const ImageWindow shape = MakeWindow(4, 4, 16, 3, 3, 1, WindowPadding::kSame);
  const Case t = {shape, 1};
  Tensors in(t);
  TestNumbers numbers(7);
  for (TypedArray* array : {&in.x, &in.dy, &in.w}) numbers.Fill(*array);
  const Results expected = Reference(t, in).Compute();
  CountedArray dw(DType::kF32, in.w.size());
  OpBuffers buffers;
  buffers.inputs = {{in.x.data(), t.type, in.x.size(), nullptr}};
  buffers.output_gradient = {in.dy.data(), t.type, in.dy.size(), nullptr};
  buffers.input_gradients = {{}};
  buffers.parameters = {{in.w.data(), t.weight_type, in.w.size(), nullptr}};
  buffers.parameter_gradients = {dw.Ref(in.w.size())};
  const auto kernel = MakeDepthwiseConv2D(shape, t.accumulator);
  RunPass(*kernel, 1, 1,
          [&](const PassContext& pass) { kernel->Backward(buffers, pass); });
  ExpectSame(dw, expected.dw, "dw");
}

INSTANTIATE_TEST_SUITE_P(Targets, DepthwiseConv2DTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
