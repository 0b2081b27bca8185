// For tests of operations with windows: shapes, numbers, and one kernel run
// without a program around it, against what a scalar reference gives.
#ifndef REPRO16_ENGINE_CPU_WINDOW_CASE_H_
#define REPRO16_ENGINE_CPU_WINDOW_CASE_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <ostream>
#include <random>
#include <string>
#include <vector>

#include "engine/cpu/image_window.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/thread_pool.h"
#include "engine/cpu/typed_array.h"
#include "engine/numerics/simd_target.h"
#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {

inline constexpr DType kStorageTypes[] = {DType::kF32, DType::kF16,
                                          DType::kBF16};

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

// Numbers whose sums and products round, overflow, underflow and tie in every
// type. One in `special_every` is a zero of either sign, infinity, NaN or a
// subnormal; 0: none.
class WindowNumbers {
 public:
  explicit WindowNumbers(uint32_t seed, int special_every = 0)
      : engine_(seed), special_every_(special_every) {}

  int64_t Below(int64_t n) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n));
  }

  float Next() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kSpecial[] = {0.0f,      -0.0f,     0.0f,       -0.0f,
                                  NAN,       kInfinity, -kInfinity, 0x1p-24f,
                                  -0x1p-16f, 0x1p-140f, 65504.0f};
    if (special_every_ != 0 && Below(special_every_) == 0) {
      return kSpecial[Below(static_cast<int64_t>(std::size(kSpecial)))];
    }
    const float fraction =
        static_cast<float>(static_cast<int32_t>(engine_() >> 8) - (1 << 23));
    return std::ldexp(fraction, static_cast<int>(Below(24)) - 38);
  }

  // Small whole numbers: many are equal.
  float NextSmall() { return static_cast<float>(Below(7) - 3); }

  void Fill(TypedArray& array) {
    for (int64_t i = 0; i < array.size(); ++i) array.Set(i, Next());
  }
  void FillSmall(TypedArray& array) {
    for (int64_t i = 0; i < array.size(); ++i) array.Set(i, NextSmall());
  }

 private:
  std::mt19937 engine_;
  int special_every_;
};

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

// Runs kernels on every instruction set of the machine; the parameter is its
// name.
class WindowKernelTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(SelectSimdTarget(GetParam()).ok()); }
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

  static ThreadPool& Pool(int threads) {
    static auto* pools = new std::vector<std::unique_ptr<ThreadPool>>(8);
    auto& pool = (*pools)[static_cast<size_t>(threads)];
    if (pool == nullptr)
      pool = std::make_unique<ThreadPool>(threads, Waiting::kBlocking);
    return *pool;
  }

  // 1, 2, 3, 7, 1, ...
  int NextThreads() {
    constexpr int kThreads[] = {1, 2, 3, 7};
    return kThreads[turn_++ % 4];
  }

  // Calls run(PassContext) with a workspace for `max_batch` that starts as NaN
  // and must not be overrun.
  template <class Run>
  static void WithPass(const Kernel& kernel, int64_t batch, int64_t max_batch,
                       int threads, const Run& run) {
    const int64_t bytes = kernel.WorkspaceBytes(max_batch);
    AlignedBuffer workspace(bytes + 64);
    std::fill_n(workspace.data(), workspace.bytes(), uint8_t{0xff});
    PassContext pass{};
    pass.pool = &Pool(threads);
    pass.workspace = workspace.data();
    pass.batch = batch;
    pass.training = true;
    run(pass);
    for (int64_t i = bytes; i < workspace.bytes(); ++i) {
      ASSERT_EQ(workspace.data()[i], 0xff) << "beyond the workspace";
    }
  }

 private:
  int turn_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_WINDOW_CASE_H_
