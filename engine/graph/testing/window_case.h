// For tests of operations with windows: shapes, and arrays that a kernel and a
// scalar reference store to.
#ifndef REPRO16_ENGINE_GRAPH_TESTING_WINDOW_CASE_H_
#define REPRO16_ENGINE_GRAPH_TESTING_WINDOW_CASE_H_

#include <algorithm>
#include <cstdint>
#include <ostream>
#include <vector>

#include "engine/graph/binding.h"
#include "engine/graph/window.h"
#include "engine/numerics/testing/typed_array.h"
#include "gtest/gtest.h"

namespace repro16 {

enum class WindowPadding { kValid, kSame };

// Outputs and padding as TensorFlow has them.
inline ImageWindow MakeWindow(int64_t in_height, int64_t in_width,
                              int64_t channels, int64_t height, int64_t width,
                              int64_t stride, WindowPadding padding) {
  const auto place = [&](int64_t size, int64_t window, int64_t& pad) {
    pad = 0;
    if (padding == WindowPadding::kValid) return (size - window) / stride + 1;
    const int64_t outputs = (size + stride - 1) / stride;
    pad = std::max<int64_t>(0, (outputs - 1) * stride + window - size) / 2;
    return outputs;
  };
  WindowAttributes window = {height, width, stride, 0, 0};
  const int64_t out_height = place(in_height, height, window.pad_top);
  const int64_t out_width = place(in_width, width, window.pad_left);
  return {in_height, in_width, channels, out_height,
          out_width, channels, window};
}

inline std::ostream& operator<<(std::ostream& os, const ImageWindow& s) {
  return os << s.in_height << "x" << s.in_width << "x" << s.in_channels
            << " window " << s.window.height << "x" << s.window.width
            << " stride " << s.window.stride << " pad " << s.window.pad_top
            << "," << s.window.pad_left;
}

// Windows of every kind on small images, with `channels`.
inline std::vector<ImageWindow> WindowShapes(int64_t channels) {
  std::vector<ImageWindow> shapes;
  const auto add = [&](int64_t in_height, int64_t in_width, int64_t height,
                       int64_t width, int64_t stride) {
    for (const auto padding : {WindowPadding::kValid, WindowPadding::kSame}) {
      if (padding == WindowPadding::kValid &&
          (height > in_height || width > in_width)) {
        continue;
      }
      shapes.push_back(MakeWindow(in_height, in_width, channels, height, width,
                                  stride, padding));
    }
  };
  for (const int64_t stride : {1, 2, 3}) {
    add(7, 10, 3, 3, stride);
    add(8, 9, 2, 2, stride);
    add(6, 6, 5, 5, stride);
    add(5, 7, 2, 3, stride);
    add(4, 5, 1, 1, stride);
    add(2, 1, 3, 3, stride);
  }
  return shapes;
}

// An array, and what stores to it did.
struct CountedArray {
  CountedArray(DType type, int64_t size) : array(type, size) {}

  void Set(int64_t i, float x) { array.SetCounted(i, x, counter); }
  TensorRef Ref(int64_t elements) {
    return {array.data(), array.type(), elements, &counter};
  }

  TypedArray array;
  StoreCounter counter;
};

inline void ExpectSame(const CountedArray& actual, const CountedArray& expected,
                       const char* what) {
  EXPECT_TRUE(actual.array == expected.array) << what;
  EXPECT_TRUE(actual.counter == expected.counter)
      << what << ": " << actual.counter.infinite << " " << actual.counter.nan
      << " " << actual.counter.underflow << " for " << expected.counter.infinite
      << " " << expected.counter.nan << " " << expected.counter.underflow;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_TESTING_WINDOW_CASE_H_
