#include "engine/cuda/simt/simt.h"

#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/simt/work_queue.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

TEST(DivisorTest, DividesAsIntegersDo) {
  std::mt19937 random(1);
  std::vector<int> numbers = {1, 2, 3, 5, 7, 641, 65535, 65536, 65537};
  for (int i = 0; i < 31; ++i) {
    numbers.push_back(1 << i);
    numbers.push_back((1 << i) - 1 + (i == 0));
    numbers.push_back(static_cast<int>(random() >> 1) | 1);
  }
  numbers.push_back(std::numeric_limits<int>::max());
  for (const int divisor : numbers) {
    const Divisor divide(divisor);
    for (int n : numbers) {
      for (; n >= 0 && n % 4 != 3; --n) {
        int rest;
        ASSERT_EQ(divide.Divide(n, &rest), n / divisor) << n << "/" << divisor;
        ASSERT_EQ(rest, n % divisor) << n << "/" << divisor;
      }
    }
  }
}

template <class T>
SIMT_KERNEL(kElementThreads, 1)
StoreAll(const float* x, int n, T* y, StoreCounter* counter) {
  auto& shared = SharedMemory<CountsShared>();
  StoreCounts counts;
  const int i = ElementIndex();
  if (i < n) counts.Store(Load(x + i), y + i);
  counts.AddTo(counter, shared);
}

// Against what the CPU's kernels call.
template <class T>
void ExpectTheCpusStores(const std::vector<float>& x) {
  const int n = static_cast<int>(x.size());
  std::vector<T> expected(x.size()), y(x.size());
  StoreCounter expected_count, count;
  for (int i = 0; i < n; ++i) {
    expected[i] = RoundAndCount<T>(x[i], expected_count);
  }
  emulator::WorkQueue queue;
  Launch(queue, StoreAll<T>, ElementGrid(n), kElementThreads,
         sizeof(CountsShared), x.data(), n, y.data(), &count);
  Launch(queue, StoreAll<T>, ElementGrid(n), kElementThreads,
         sizeof(CountsShared), x.data(), n, y.data(), nullptr);
  queue.Finish();
  EXPECT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(T)), 0);
  EXPECT_EQ(count.infinite, expected_count.infinite);
  EXPECT_EQ(count.nan, expected_count.nan);
  EXPECT_EQ(count.underflow, expected_count.underflow);
}

TEST(StoreTest, RoundsAndCountsAsTheCpuDoes) {
  std::mt19937 random(1);
  std::vector<float> x;
  for (int i = 0; i < 10000; ++i) {
    const auto bits = static_cast<uint32_t>(random());
    float number;
    std::memcpy(&number, &bits, sizeof(number));
    x.push_back(number);
  }
  for (const float special :
       {0.0f, -0.0f, 65519.9f, 65520.0f, -65520.0f, 0x1p-25f, 0x1.2p-25f,
        0x1p-133f, 0x1p-134f, -0x1p-149f, 0x1.fep127f, 0x1.ffp127f,
        std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    x.push_back(special);
  }
  ExpectTheCpusStores<float>(x);
  ExpectTheCpusStores<Binary16>(x);
  ExpectTheCpusStores<BFloat16>(x);
}

}  // namespace
}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
