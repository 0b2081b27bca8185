#include "engine/cpu/sums/reduce_rows.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/testing/typed_array.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

class ReduceRowsTest : public KernelTest {
 protected:
  // One term in `special_every` is an infinity, NaN or zero; 0: none.
  static void Check(int64_t rows, int64_t cols, DType in_type, DType out_type,
                    ThreadPool& pool, uint32_t special_every = 0) {
    SCOPED_TRACE(testing::Message()
                 << rows << "x" << cols << " " << Name(in_type) << "->"
                 << Name(out_type) << ", " << pool.num_workers() << " threads");
    std::mt19937 random(static_cast<uint32_t>(rows * 1000 + cols));
    constexpr float kSpecial[] = {std::numeric_limits<float>::infinity(),
                                  -std::numeric_limits<float>::infinity(),
                                  std::numeric_limits<float>::quiet_NaN(),
                                  -0.0f, 0x1p-149f};
    TypedArray in(in_type, rows * cols);
    for (int64_t i = 0; i < rows * cols; ++i) {
      const uint32_t bits = random();
      const bool special = special_every != 0 && random() % special_every == 0;
      in.Set(i, special ? kSpecial[bits % 5]
                        : std::ldexp(static_cast<float>(bits >> 8) - 0x1p23f,
                                     static_cast<int>(bits % 32) - 40));
    }
    TestTensor expected(out_type, 1, cols);
    for (int64_t j = 0; j < cols; ++j) {
      RowSum sum;
      for (int64_t i = 0; i < rows; ++i) sum.AddTerm(in.Get(i * cols + j));
      expected.Store(j, sum.Total());
    }
    TestTensor out(out_type, 1, cols);
    const TensorRef rows_of_in = {in.data(), in_type, cols, nullptr};
    WithGuardedWorkspace(
        ReduceRowsWorkspaceBytes(rows, cols), [&](uint8_t* workspace) {
          ReduceRows(rows_of_in, out.ref(),
                     PassContext{&pool, workspace, rows, /*training=*/true});
        });
    EXPECT_TRUE(out == expected);
  }
};

TEST_P(ReduceRowsTest, EqualsScalarOrder) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const DType in : kAllTypes) {
      for (const DType out : kAllTypes) {
        for (const int64_t cols : {1, 10, 16, 31, 64, 200}) {
          Check(128, cols, in, out, pool);
        }
        for (const int64_t rows :
             {int64_t{1}, kReductionChunk - 1, kReductionChunk,
              kReductionChunk + 1, 3 * kReductionChunk + 7}) {
          Check(rows, 37, in, out, pool);
        }
        // Few columns: chunks side by side, and a rest of them.
        Check(6 * kReductionChunk + 9, 3, in, out, pool);
        Check(4 * kReductionChunk, 64, in, out, pool);
        // Many: columns in blocks.
        Check(2 * kReductionChunk + 1, 600, in, out, pool);
        Check(20, 90, in, out, pool, /*special_every=*/50);
        Check(1, 90, in, out, pool, /*special_every=*/1);
      }
    }
  }
}

TEST_P(ReduceRowsTest, NoRows) {
  ThreadPool pool(2);
  Check(0, 20, DType::kF32, DType::kF16, pool);
}

INSTANTIATE_TEST_SUITE_P(Targets, ReduceRowsTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
