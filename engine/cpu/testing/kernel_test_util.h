// For tests that hold one kernel to scalar code, bit for bit, on every
// instruction set and number of threads.
#ifndef REPRO16_ENGINE_CPU_TESTING_KERNEL_TEST_UTIL_H_
#define REPRO16_ENGINE_CPU_TESTING_KERNEL_TEST_UTIL_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/graph/testing/guarded_workspace.h"
#include "engine/graph/testing/test_tensor.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/testing/test_numbers.h"
#include "gtest/gtest.h"

namespace repro16 {

inline constexpr int kThreadCounts[] = {1, 2, 3, 7};

// A pool of that many workers, up to 7, made once.
inline ThreadPool& TestPool(int threads) {
  static auto* pools = new std::vector<std::unique_ptr<ThreadPool>>(8);
  auto& pool = (*pools)[static_cast<size_t>(threads)];
  if (pool == nullptr) {
    pool = std::make_unique<ThreadPool>(threads);
  }
  return *pool;
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
