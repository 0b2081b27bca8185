// Every element of every layout, index by index, and back.
#include "engine/cpu/elementwise/layout.h"

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/numerics/testing/typed_array.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// Distinct numbers that every type holds, in a small range: 0.5 .. 128.
void Number(TypedArray& array, int64_t first) {
  for (int64_t i = 0; i < array.size(); ++i) {
    array.Set(i, static_cast<float>((first + i) % 255 + 1) * 0.5f);
  }
}

TensorRef Ref(TypedArray& array, int64_t batch) {
  return {array.data(), array.type(), array.size() / batch, nullptr};
}

PassContext Pass(ThreadPool& pool, int64_t batch) {
  PassContext pass{};
  pass.pool = &pool;
  pass.batch = batch;
  return pass;
}

// An operation that moves x into a y of another shape. source(i) is the element
// of an example of x that element i of y has, or -1: zero.
void CheckMoves(const Kernel& kernel, int64_t in_elements, int64_t out_elements,
                const std::function<int64_t(int64_t)>& source) {
  for (const DType type : kAllTypes) {
    for (const int threads : {1, 2, 3, 7}) {
      for (const int64_t batch : {1, 5, 13}) {
        SCOPED_TRACE(testing::Message() << Name(type) << ", " << threads
                                        << " threads, batch " << batch);
        ThreadPool& pool = TestPool(threads);
        TypedArray x(type, batch * in_elements), y(type, batch * out_elements);
        TypedArray dy = y, dx = x, y_expected = y, dx_expected = x;
        Number(x, 3);
        Number(dy, 100);
        for (int64_t i = 0; i < dx.size(); ++i) dx_expected.Set(i, 0);
        for (int64_t n = 0; n < batch; ++n) {
          for (int64_t i = 0; i < out_elements; ++i) {
            const int64_t from = source(i);
            const int64_t to = n * out_elements + i;
            y_expected.Set(to, from < 0 ? 0.0f : x.Get(n * in_elements + from));
            if (from >= 0) dx_expected.Set(n * in_elements + from, dy.Get(to));
          }
        }
        OpBuffers buffers;
        buffers.inputs = {Ref(x, batch)};
        buffers.output = Ref(y, batch);
        buffers.output_gradient = Ref(dy, batch);
        buffers.input_gradients = {Ref(dx, batch)};
        kernel.Forward(buffers, Pass(pool, batch));
        kernel.Backward(buffers, Pass(pool, batch));
        EXPECT_TRUE(y == y_expected);
        EXPECT_TRUE(dx == dx_expected);

        buffers.input_gradients = {{}};  // not wanted
        kernel.Backward(buffers, Pass(pool, batch));
      }
    }
  }
}

TEST(LayoutTest, ZeroPad) {
  for (const int64_t channels : {1, 3, 16}) {
    for (const PadAttributes pad :
         {PadAttributes{0, 0, 0}, PadAttributes{3, 3, 0},
          PadAttributes{1, 2, 0}}) {
      const int64_t height = 4, width = 5, bottom = 1, right = 2;
      const int64_t out_height = pad.top + height + bottom;
      const int64_t out_width = pad.left + width + right;
      const auto kernel =
          MakeZeroPad(Shape({height, width, channels}),
                      Shape({out_height, out_width, channels}), pad);
      CheckMoves(*kernel, height * width * channels,
                 out_height * out_width * channels, [&](int64_t i) -> int64_t {
                   const int64_t h = i / channels / out_width - pad.top;
                   const int64_t w = i / channels % out_width - pad.left;
                   if (h < 0 || h >= height || w < 0 || w >= width) return -1;
                   return (h * width + w) * channels + i % channels;
                 });
    }
  }
}

TEST(LayoutTest, PadChannels) {
  for (const int64_t before : {0, 1, 8}) {
    for (const int64_t after : {0, 3, 8}) {
      const int64_t pixels = 12, channels = 5;
      const int64_t out_channels = before + channels + after;
      const auto kernel =
          MakePadChannels(Shape({3, 4, channels}), Shape({3, 4, out_channels}),
                          PadAttributes{0, 0, before});
      CheckMoves(*kernel, pixels * channels, pixels * out_channels,
                 [&](int64_t i) -> int64_t {
                   const int64_t c = i % out_channels - before;
                   if (c < 0 || c >= channels) return -1;
                   return i / out_channels * channels + c;
                 });
    }
  }
}

// 8 by 7 has a row and columns beyond the last whole patch of 3.
TEST(LayoutTest, Patches) {
  for (const int64_t size : {1, 2, 3, 7}) {
    for (const int64_t channels : {1, 3}) {
      const int64_t height = 8, width = 7;
      const int64_t rows = height / size, cols = width / size;
      const int64_t patch = size * size * channels;
      const auto kernel =
          MakePatches(Shape({height, width, channels}), PatchAttributes{size});
      CheckMoves(*kernel, height * width * channels, rows * cols * patch,
                 [&](int64_t i) {
                   const int64_t row = i / patch / cols, col = i / patch % cols;
                   const int64_t in_patch = i % patch;
                   const int64_t p = in_patch / channels / size;
                   const int64_t q = in_patch / channels % size;
                   return ((row * size + p) * width + col * size + q) *
                              channels +
                          in_patch % channels;
                 });
    }
  }
}

TEST(LayoutTest, Concat) {
  const std::vector<int64_t> widths = {3, 1, 16};
  const int64_t total = 20, rows = 6;
  const auto kernel = MakeConcat(Shape({2, 3, total}));
  for (const DType type : kAllTypes) {
    for (const int threads : {1, 2, 3, 7}) {
      for (const int64_t batch : {1, 5, 13}) {
        ThreadPool& pool = TestPool(threads);
        TypedArray y(type, batch * rows * total), y_expected = y, dy = y;
        Number(dy, 7);
        std::vector<TypedArray> x, dx, dx_expected;
        int64_t first = 0;
        for (const int64_t width : widths) {
          x.emplace_back(type, batch * rows * width);
          Number(x.back(), first * 50);
          dx.emplace_back(type, batch * rows * width);
          dx_expected.push_back(dx.back());
          for (int64_t row = 0; row < batch * rows; ++row) {
            for (int64_t c = 0; c < width; ++c) {
              const int64_t to = row * total + first + c;
              y_expected.Set(to, x.back().Get(row * width + c));
              dx_expected.back().Set(row * width + c, dy.Get(to));
            }
          }
          first += width;
        }
        OpBuffers buffers;
        buffers.output = Ref(y, batch);
        buffers.output_gradient = Ref(dy, batch);
        for (size_t i = 0; i < x.size(); ++i) {
          buffers.inputs.push_back(Ref(x[i], batch));
          // The middle one is not wanted.
          buffers.input_gradients.push_back(i == 1 ? TensorRef{}
                                                   : Ref(dx[i], batch));
        }
        kernel->Forward(buffers, Pass(pool, batch));
        kernel->Backward(buffers, Pass(pool, batch));
        EXPECT_TRUE(y == y_expected);
        EXPECT_TRUE(dx[0] == dx_expected[0]);
        EXPECT_TRUE(dx[2] == dx_expected[2]);
      }
    }
  }
}

}  // namespace
}  // namespace repro16
