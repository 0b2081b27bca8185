// Bit for bit, counters included, against scalar code.
#include "engine/cpu/pool/pool.h"

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/graph/testing/pool_case.h"
#include "engine/graph/testing/window_case.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using Case = PoolCase;
using Results = PoolResults;

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
    const OpBuffers buffers = BindPool(t, x, dy, out);
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
      TypedArray x(t.type, t.batch * InputElements(shape));
      TypedArray dy(t.type, t.batch * OutputElements(shape));
      numbers.Fill(x);
      numbers.Fill(dy);
      Check(t, x, dy,
            [](const ImageWindow& s) {
              return MakeGlobalAveragePool(
                  Shape({s.in_height, s.in_width, s.in_channels}));
            },
            GlobalAverageReference, {1, 2, 3, 7});
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Targets, PoolTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
