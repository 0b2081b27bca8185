// Bit for bit, counters included, against scalar code that follows pool.h index
// by index.
#include "engine/cpu/pool/pool.h"

#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "engine/cpu/testing/window_case.h"
#include "engine/numerics/reduction.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

struct Case {
  ImageWindow shape;
  int64_t batch;
  DType type = DType::kF32;
};

std::ostream& operator<<(std::ostream& os, const Case& t) {
  return os << "batch " << t.batch << " of " << t.shape << " " << Name(t.type);
}

int64_t InputElements(const ImageWindow& s) {
  return s.in_height * s.in_width * s.in_channels;
}
int64_t OutputElements(const ImageWindow& s) {
  return s.out_height * s.out_width * s.in_channels;
}

int64_t Input(const ImageWindow& s, int64_t n, int64_t p, int64_t q,
              int64_t c) {
  return ((n * s.in_height + p) * s.in_width + q) * s.in_channels + c;
}
int64_t Output(const ImageWindow& s, int64_t n, int64_t h, int64_t v,
               int64_t c) {
  return ((n * s.out_height + h) * s.out_width + v) * s.in_channels + c;
}

// Inputs of a window, in order.
std::vector<int64_t> WindowOf(const ImageWindow& s, int64_t n, int64_t h,
                              int64_t v, int64_t c) {
  std::vector<int64_t> inputs;
  for (int64_t i = 0; i < s.window.height; ++i) {
    for (int64_t j = 0; j < s.window.width; ++j) {
      const int64_t p = h * s.window.stride - s.window.pad_top + i;
      const int64_t q = v * s.window.stride - s.window.pad_left + j;
      if (p < 0 || p >= s.in_height || q < 0 || q >= s.in_width) continue;
      inputs.push_back(Input(s, n, p, q, c));
    }
  }
  return inputs;
}

// Calls fn(output, its window) for all outputs, ascending.
void ForEachWindow(
    const Case& t,
    const std::function<void(int64_t, const std::vector<int64_t>&)>& fn) {
  const ImageWindow& s = t.shape;
  for (int64_t n = 0; n < t.batch; ++n) {
    for (int64_t h = 0; h < s.out_height; ++h) {
      for (int64_t v = 0; v < s.out_width; ++v) {
        for (int64_t c = 0; c < s.in_channels; ++c) {
          fn(Output(s, n, h, v, c), WindowOf(s, n, h, v, c));
        }
      }
    }
  }
}

struct Results {
  explicit Results(const Case& t)
      : y(t.type, t.batch * OutputElements(t.shape)),
        dx(t.type, t.batch * InputElements(t.shape)) {}

  CountedArray y, dx;
};

float Largest(const TypedArray& x, const std::vector<int64_t>& window) {
  float largest = -std::numeric_limits<float>::infinity();
  for (const int64_t i : window) {
    const float value = x.Get(i);
    if (std::isnan(value)) return value;
    if (value > largest) largest = value;
    if (value == 0 && largest == 0 && !std::signbit(value)) largest = 0;
  }
  return largest;
}

int64_t FirstMaximum(const TypedArray& x, const std::vector<int64_t>& window) {
  const float largest = Largest(x, window);
  for (const int64_t i : window) {
    if (std::isnan(largest) ? std::isnan(x.Get(i)) : x.Get(i) == largest) {
      return i;
    }
  }
  ADD_FAILURE() << "no maximum";
  return window.front();
}

// Rounds and counts the chains into dx.
void StoreChains(const std::vector<float>& chains, CountedArray& dx) {
  for (size_t i = 0; i < chains.size(); ++i) {
    dx.Set(static_cast<int64_t>(i), chains[i]);
  }
}

Results MaxReference(const Case& t, const TypedArray& x, const TypedArray& dy) {
  Results r(t);
  std::vector<float> chains(static_cast<size_t>(x.size()));
  ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
    r.y.array.Set(output, Largest(x, window));
    float& chain = chains[static_cast<size_t>(FirstMaximum(x, window))];
    chain = chain + dy.Get(output);
  });
  StoreChains(chains, r.dx);
  return r;
}

Results AverageReference(const Case& t, const TypedArray& x,
                         const TypedArray& dy) {
  Results r(t);
  std::vector<float> chains(static_cast<size_t>(x.size()));
  ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
    const float count = static_cast<float>(window.size());
    float sum = 0;
    for (const int64_t i : window) sum = sum + x.Get(i);
    r.y.Set(output, sum / count);
    for (const int64_t i : window) {
      float& chain = chains[static_cast<size_t>(i)];
      chain = chain + dy.Get(output) / count;
    }
  });
  StoreChains(chains, r.dx);
  return r;
}

class PoolTest : public KernelTest {
 protected:
  using MakeKernel = std::unique_ptr<Kernel> (*)(const ImageWindow&);
  using ReferenceOf = Results (*)(const Case&, const TypedArray&,
                                  const TypedArray&);

  void Check(const Case& t, const TypedArray& x, const TypedArray& dy,
             MakeKernel make, ReferenceOf reference,
             const std::vector<int>& threads) {
    SCOPED_TRACE(testing::Message() << t);
    const Results expected = reference(t, x, dy);
    for (const int count : threads) {
      SCOPED_TRACE(testing::Message() << count << " threads");
      Results actual(t);
      Run(t, *make(t.shape), x, dy, actual, count);
      ExpectSame(actual.y, expected.y, "y");
      ExpectSame(actual.dx, expected.dx, "dx");
    }
  }

  // Both poolings, on numbers of all sizes and on small whole ones, which tie.
  void CheckBoth(const Case& t, TestNumbers& numbers,
                 const std::vector<int>& threads) {
    TypedArray x(t.type, t.batch * InputElements(t.shape));
    TypedArray dy(t.type, t.batch * OutputElements(t.shape));
    numbers.Fill(dy);
    numbers.Fill(x);
    Check(t, x, dy, MakeMaxPool, MaxReference, threads);
    Check(t, x, dy, MakeAveragePool, AverageReference, threads);
    numbers.FillSmall(x);
    Check(t, x, dy, MakeMaxPool, MaxReference, threads);
  }

  static void Run(const Case& t, const Kernel& kernel, TypedArray x,
                  TypedArray dy, Results& out, int threads) {
    const int64_t x_elements = x.size() / t.batch;
    const int64_t y_elements = out.y.array.size() / t.batch;
    OpBuffers buffers;
    buffers.inputs = {{x.data(), t.type, x_elements, nullptr}};
    buffers.output = out.y.Ref(y_elements);
    buffers.output_gradient = {dy.data(), t.type, y_elements, nullptr};
    buffers.input_gradients = {out.dx.Ref(x_elements)};
    RunPass(kernel, t.batch, threads,
            [&](const PassContext& pass) { kernel.Forward(buffers, pass); });
    RunPass(kernel, t.batch, threads,
            [&](const PassContext& pass) { kernel.Backward(buffers, pass); });
  }
};

TEST_P(PoolTest, EveryWindowTypeAndChannelCount) {
  TestNumbers numbers(1);
  int turn = 0;
  for (const int64_t channels : {1, 3, 16, 20, 33, 64, 130}) {
    for (const ImageWindow& shape : WindowShapes(channels)) {
      CheckBoth({shape, turn % 3 == 0 ? 5 : 1, kAllTypes[turn % 3]}, numbers,
                {NextThreads()});
      ++turn;
    }
  }
}

TEST_P(PoolTest, ThreadsDoNotMatter) {
  TestNumbers numbers(2);
  for (const DType type : kAllTypes) {
    for (const int64_t size : {2, 3}) {
      const ImageWindow shape =
          MakeWindow(8, 8, 64, size, size, 2, WindowPadding::kValid);
      CheckBoth({shape, 13, type}, numbers, {1, 2, 3, 7});
    }
  }
  // More examples than the backward pass has tasks.
  CheckBoth({MakeWindow(3, 3, 16, 3, 3, 2, WindowPadding::kSame), 70}, numbers,
            {1, 2, 3, 7});
}

TEST_P(PoolTest, SpecialValues) {
  int turn = 0;
  for (const int every : {1, 3, 20}) {
    TestNumbers numbers(static_cast<uint32_t>(every), every);
    for (const ImageWindow& shape : WindowShapes(36)) {
      CheckBoth({shape, 2, kAllTypes[turn++ % 3]}, numbers, {NextThreads()});
    }
  }
}

// What the contract says of zeros and NaN, spelled out.
TEST_P(PoolTest, FirstMaximumOfZerosAndNans) {
  struct Line {
    std::vector<float> x;
    float y;
    int64_t winner;
  };
  const Line lines[] = {
      {{-0.0f, 0.0f, -1.0f, 0.0f}, 0.0f, 0},
      {{-0.0f, -0.0f, -0.0f, -0.0f}, -0.0f, 0},
      {{-1.0f, 0.0f, -0.0f, 0.0f}, 0.0f, 1},
      {{1.0f, NAN, 2.0f, NAN}, NAN, 1},
      {{INFINITY, 1.0f, INFINITY, NAN}, NAN, 3},
      {{-INFINITY, -INFINITY, -INFINITY, -INFINITY}, -INFINITY, 0},
      {{1.0f, 3.0f, 3.0f, 2.0f}, 3.0f, 1},
  };
  for (const DType type : kAllTypes) {
    for (const int64_t stride : {1, 2}) {  // 1 takes the way of overlaps
      for (const Line& line : lines) {
        const Case t = {
            MakeWindow(2, 2, 1, 2, 2, stride, WindowPadding::kValid), 1, type};
        TypedArray x(type, 4), dy(type, 1), y(type, 1), dx(type, 4);
        for (int64_t i = 0; i < 4; ++i) x.Set(i, line.x[i]);
        dy.Set(0, 5);
        y.Set(0, line.y);
        for (int64_t i = 0; i < 4; ++i) dx.Set(i, i == line.winner ? 5 : 0);
        Results actual(t);
        Run(t, *MakeMaxPool(t.shape), x, dy, actual, 1);
        EXPECT_TRUE(actual.y.array == y) << actual.y.array.Get(0);
        EXPECT_TRUE(actual.dx.array == dx) << "winner " << line.winner;
      }
    }
  }
}

TEST_P(PoolTest, GlobalAverage) {
  TestNumbers numbers(3, /*special_every=*/500);
  int turn = 0;
  for (const int64_t channels : {1, 3, 16, 20, 33, 64, 130}) {
    // One pixel; below, at and above a chunk of terms.
    for (const int64_t width : {1, 5, 128, 130}) {
      const ImageWindow shape =
          MakeWindow(2, width, channels, 2, width, 1, WindowPadding::kValid);
      const Case t = {shape, turn % 2 == 0 ? 1 : 5, kAllTypes[turn % 3]};
      ++turn;
      SCOPED_TRACE(testing::Message() << t);
      const int64_t pixels = 2 * width;
      TypedArray x(t.type, t.batch * pixels * channels);
      TypedArray dy(t.type, t.batch * channels);
      numbers.Fill(x);
      numbers.Fill(dy);
      Results expected(t);
      ForEachWindow(t, [&](int64_t output, const std::vector<int64_t>& window) {
        RowSum sum;
        for (const int64_t i : window) {
          sum.AddTerm(x.Get(i));
          expected.dx.Set(i, dy.Get(output) / static_cast<float>(pixels));
        }
        expected.y.Set(output, sum.Total() / static_cast<float>(pixels));
      });
      for (const int threads : {1, 2, 3, 7}) {
        Results actual(t);
        Run(t, *MakeGlobalAveragePool(Shape({2, width, channels})), x, dy,
            actual, threads);
        ExpectSame(actual.y, expected.y, "y");
        ExpectSame(actual.dx, expected.dx, "dx");
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, PoolTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
