// For tests that hold one kernel to scalar code, bit for bit, on every
// instruction set and number of threads.
#ifndef REPRO16_ENGINE_CPU_TESTING_KERNEL_TEST_UTIL_H_
#define REPRO16_ENGINE_CPU_TESTING_KERNEL_TEST_UTIL_H_

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/testing/typed_array.h"
#include "engine/numerics/simd_target.h"
#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {

inline constexpr DType kAllTypes[] = {DType::kF32, DType::kF16, DType::kBF16};
inline constexpr int kThreadCounts[] = {1, 2, 3, 7};

// Numbers whose sums and products round, overflow, underflow and cancel in
// every type. One in `special_every` is a zero, infinity, NaN or subnormal; 0:
// none.
class TestNumbers {
 public:
  explicit TestNumbers(uint32_t seed, int special_every = 0)
      : engine_(seed), special_every_(special_every) {}

  int64_t Below(int64_t n) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n));
  }
  template <class T, size_t kSize>
  T Pick(const T (&values)[kSize]) {
    return values[Below(kSize)];
  }

  float Next() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kSpecial[] = {0.0f,
                                  -0.0f,
                                  kInfinity,
                                  -kInfinity,
                                  std::numeric_limits<float>::quiet_NaN(),
                                  0x1p-24f,
                                  -0x1p-16f,
                                  0x1p-140f,
                                  65504.0f,
                                  0x1.fep127f};
    if (special_every_ != 0 && Below(special_every_) == 0) {
      return Pick(kSpecial);
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

inline void FillNormal(TypedArray& array, uint32_t seed, float mean,
                       float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw(mean, deviation);
  for (int64_t i = 0; i < array.size(); ++i) array.Set(i, draw(random));
}

// A tensor of `batch` examples and what stores to it did.
struct TestTensor {
  TestTensor(DType type, int64_t batch, int64_t elements_of_one)
      : values(type, batch * elements_of_one), elements(elements_of_one) {}

  void Fill(TestNumbers& numbers) { numbers.Fill(values); }
  float operator[](int64_t i) const { return values.Get(i); }
  // As a kernel's store.
  void Store(int64_t i, float x) { values.SetCounted(i, x, counter); }
  TensorRef ref() { return {values.data(), values.type(), elements, &counter}; }

  friend bool operator==(const TestTensor& a, const TestTensor& b) {
    return a.values == b.values && a.counter == b.counter;
  }

  TypedArray values;
  int64_t elements;
  StoreCounter counter;
};

// A pool of that many workers, up to 7, made once.
inline ThreadPool& TestPool(int threads) {
  static auto* pools = new std::vector<std::unique_ptr<ThreadPool>>(8);
  auto& pool = (*pools)[static_cast<size_t>(threads)];
  if (pool == nullptr) {
    pool = std::make_unique<ThreadPool>(threads);
  }
  return *pool;
}

// Calls run(uint8_t* workspace) with `bytes` bytes that start as NaN; what lies
// behind them must not be touched.
template <class Run>
void WithGuardedWorkspace(int64_t bytes, const Run& run) {
  AlignedBuffer workspace(bytes + 64);
  std::fill_n(workspace.data(), workspace.bytes(), uint8_t{0xff});
  run(workspace.data());
  for (int64_t i = bytes; i < workspace.bytes(); ++i) {
    ASSERT_EQ(workspace.data()[i], 0xff) << "beyond the workspace";
  }
}

// Calls run(const PassContext&), of training, in a guarded workspace.
template <class Run>
void RunPass(const Kernel& kernel, int64_t batch, int threads, const Run& run) {
  WithGuardedWorkspace(kernel.WorkspaceBytes(batch), [&](uint8_t* workspace) {
    run(PassContext{&TestPool(threads), workspace, batch,
                    /*training=*/true});
  });
}

// The parameter is the SIMD target.
class KernelTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(SelectSimdTarget(GetParam()).ok()); }
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

  // 1, 2, 3, 7, 1, ...
  int NextThreads() {
    return kThreadCounts[turn_++ % std::size(kThreadCounts)];
  }

 private:
  size_t turn_ = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_TESTING_KERNEL_TEST_UTIL_H_
