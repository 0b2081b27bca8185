#include "engine/cpu/sums/reduce_rows.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/testing/typed_array.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

class ReduceRowsTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override { ASSERT_TRUE(SelectSimdTarget(GetParam()).ok()); }
  void TearDown() override { ASSERT_TRUE(SelectSimdTarget("auto").ok()); }

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
    TypedArray expected(out_type, cols);
    StoreCounter expected_counter;
    for (int64_t j = 0; j < cols; ++j) {
      RowSum sum;
      for (int64_t i = 0; i < rows; ++i) sum.AddTerm(in.Get(i * cols + j));
      expected.SetCounted(j, sum.Total(), expected_counter);
    }
    TypedArray out(out_type, cols);
    StoreCounter counter;
    ReduceRows({rows, cols, in.data(), in_type, out.data(), out_type}, pool,
               counter);
    EXPECT_TRUE(out == expected);
    EXPECT_TRUE(counter == expected_counter);
  }
};

TEST_P(ReduceRowsTest, EqualsScalarOrder) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    for (const DType in : kTypes) {
      for (const DType out : kTypes) {
        for (const int64_t cols : {1, 10, 16, 31, 64, 200}) {
          Check(128, cols, in, out, pool);
        }
        for (const int64_t rows :
             {int64_t{1}, kReductionChunk - 1, kReductionChunk,
              kReductionChunk + 1, 3 * kReductionChunk + 7}) {
          Check(rows, 37, in, out, pool);
        }
        Check(20, 90, in, out, pool, /*special_every=*/50);
        Check(1, 90, in, out, pool, /*special_every=*/1);
      }
    }
  }
}

TEST_P(ReduceRowsTest, Empty) {
  ThreadPool pool(2);
  Check(0, 20, DType::kF32, DType::kF16, pool);
  Check(20, 0, DType::kF32, DType::kF16, pool);
}

INSTANTIATE_TEST_SUITE_P(Targets, ReduceRowsTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
