// Every product is compared bit for bit, counters included, with the scalar
// order of engine/numerics/reduction.h, on every instruction set of the
// machine.
#include "engine/cpu/product/gemm.h"

#include <cstdint>
#include <string>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr int kThreads[] = {1, 2, 3, 7};
enum class Layout { kRowMajor, kTransposed, kStrided };
constexpr Layout kLayouts[] = {Layout::kRowMajor, Layout::kTransposed,
                               Layout::kStrided};

struct Case {
  int64_t m, n, k;
  DType a = DType::kF32, b = DType::kF32, c = DType::kF32;
  Layout a_layout = Layout::kRowMajor, b_layout = Layout::kRowMajor;
  bool bias = false;
  DType bias_type = DType::kF32;
  DType accumulator = DType::kF32;
  int64_t c_padding = 0;  // elements between rows of c
};

std::ostream& operator<<(std::ostream& os, const Case& t) {
  return os << t.m << "x" << t.n << "x" << t.k << " " << Name(t.a) << "*"
            << Name(t.b) << "->" << Name(t.c) << " accumulator "
            << Name(t.accumulator) << " layouts "
            << static_cast<int>(t.a_layout) << static_cast<int>(t.b_layout)
            << " bias " << (t.bias ? Name(t.bias_type) : "none");
}

class Matrix {
 public:
  Matrix(DType type, int64_t rows, int64_t cols, Layout layout)
      : row_stride_(layout == Layout::kRowMajor     ? cols + 1
                    : layout == Layout::kTransposed ? 1
                                                    : 2 * cols + 1),
        col_stride_(layout == Layout::kRowMajor     ? 1
                    : layout == Layout::kTransposed ? rows + 2
                                                    : 2),
        values_(type, rows * row_stride_ + cols * col_stride_ + 1) {}

  int64_t Index(int64_t r, int64_t c) const {
    return r * row_stride_ + c * col_stride_;
  }
  float Get(int64_t r, int64_t c) const { return values_.Get(Index(r, c)); }
  void Set(int64_t r, int64_t c, float x) { values_.Set(Index(r, c), x); }
  GemmOperand operand() {
    return {values_.data(), values_.type(), row_stride_, col_stride_};
  }

 private:
  int64_t row_stride_;
  int64_t col_stride_;
  TypedArray values_;
};

void Fill(Matrix& matrix, int64_t rows, int64_t cols, TestNumbers& numbers) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) matrix.Set(r, c, numbers.Next());
  }
}

class GemmTest : public KernelTest {
 protected:
  // Runs the case on each of `threads`.
  void Check(const Case& t, TestNumbers& numbers,
             const std::vector<int>& threads) {
    SCOPED_TRACE(testing::Message() << t);
    Matrix a(t.a, t.m, t.k, t.a_layout), b(t.b, t.k, t.n, t.b_layout);
    Fill(a, t.m, t.k, numbers);
    Fill(b, t.k, t.n, numbers);
    TypedArray bias(t.bias_type, t.n);
    for (int64_t j = 0; j < t.n; ++j) bias.Set(j, numbers.Next());
    const int64_t stride = t.n + t.c_padding;

    TypedArray expected(t.c, t.m * stride);
    StoreCounter expected_counter;
    for (int64_t i = 0; i < t.m; ++i) {
      for (int64_t j = 0; j < t.n; ++j) {
        DotSum sum(t.accumulator);
        for (int64_t p = 0; p < t.k; ++p) sum.AddTerm(a.Get(i, p), b.Get(p, j));
        expected.SetCounted(
            i * stride + j,
            t.bias ? sum.TotalWithBias(bias.Get(j)) : sum.Total(),
            expected_counter);
      }
    }

    for (const int count : threads) {
      SCOPED_TRACE(testing::Message() << count << " threads");
      TypedArray c(t.c, t.m * stride);
      StoreCounter counter;
      const GemmArgs args = {
          t.m,         t.n,          t.k,
          a.operand(), b.operand(),  c.data(),
          t.c,         stride,       t.bias ? bias.data() : nullptr,
          t.bias_type, t.accumulator};
      WithGuardedWorkspace(GemmWorkspaceBytes(t.m, t.n, t.k),
                           [&](uint8_t* workspace) {
                             Gemm(args, workspace, TestPool(count), counter);
                           });
      EXPECT_TRUE(c == expected);  // the padding of c included
      EXPECT_TRUE(counter == expected_counter)
          << counter.infinite << " " << counter.nan << " " << counter.underflow
          << " for " << expected_counter.infinite << " " << expected_counter.nan
          << " " << expected_counter.underflow;
    }
  }
};

Case RandomCase(TestNumbers& numbers) {
  Case t;
  t.a = numbers.Pick(kAllTypes);
  t.b = numbers.Pick(kAllTypes);
  t.c = numbers.Pick(kAllTypes);
  t.a_layout = numbers.Pick(kLayouts);
  t.b_layout = numbers.Pick(kLayouts);
  t.bias = numbers.Below(2) == 0;
  t.bias_type = numbers.Pick(kAllTypes);
  t.c_padding = numbers.Below(3);
  return t;
}

TEST_P(GemmTest, RandomShapes) {
  TestNumbers numbers(1);
  for (int i = 0; i < 150; ++i) {
    Case t = RandomCase(numbers);
    t.m = 1 + numbers.Below(70);
    t.n = 1 + numbers.Below(70);
    t.k = 1 + numbers.Below(70);
    Check(t, numbers, {kThreads[i % 4]});
  }
}

TEST_P(GemmTest, TermsAcrossChunksAndBlocks) {
  TestNumbers numbers(2);
  for (const int64_t k :
       {kReductionChunk - 1, kReductionChunk, kReductionChunk + 1,
        3 * kReductionChunk + 5, 4 * kReductionChunk, 4 * kReductionChunk + 1,
        9 * kReductionChunk - 3}) {
    for (const Layout layout : kLayouts) {
      Case t = RandomCase(numbers);
      t.m = 1 + numbers.Below(30);
      t.n = 1 + numbers.Below(70);
      t.k = k;
      t.a_layout = layout;
      Check(t, numbers, {1, 2, 3, 7});
    }
  }
}

TEST_P(GemmTest, OutputsAcrossBlocks) {
  TestNumbers numbers(3);
  Case tall = RandomCase(numbers);
  tall.m = 1950;
  tall.n = 3;
  tall.k = 1100;
  Check(tall, numbers, {2});
  Case wide = RandomCase(numbers);
  wide.m = 5;
  wide.n = 985;
  wide.k = 37;
  Check(wide, numbers, {1, 3});
  // Blocks in both directions share what is packed.
  Case both = RandomCase(numbers);
  both.m = 1000;
  both.n = 985;
  both.k = 3;
  Check(both, numbers, {2});
}

TEST_P(GemmTest, HalfAccumulator) {
  TestNumbers numbers(4);
  for (int i = 0; i < 60; ++i) {
    Case t = RandomCase(numbers);
    t.accumulator = DType::kF16;
    t.m = 1 + numbers.Below(40);
    t.n = 1 + numbers.Below(40);
    t.k = 1 + numbers.Below(40);
    Check(t, numbers, {kThreads[i % 4]});
  }
  Case t = {7, 70, 5 * kReductionChunk + 9};
  t.a = t.b = t.c = t.accumulator = DType::kF16;
  Check(t, numbers, {1, 2, 3, 7});
}

TEST_P(GemmTest, SpecialValues) {
  TestNumbers numbers(5, /*special_every=*/40);
  for (int i = 0; i < 100; ++i) {
    Case t = RandomCase(numbers);
    t.accumulator = i % 3 == 0 ? DType::kF16 : DType::kF32;
    t.m = 1 + numbers.Below(30);
    t.n = 1 + numbers.Below(40);
    t.k = 1 + numbers.Below(40);
    Check(t, numbers, {kThreads[i % 4]});
  }
  TestNumbers only_special(6, /*special_every=*/1);
  for (int i = 0; i < 30; ++i) {
    Case t = RandomCase(only_special);
    t.m = 1 + only_special.Below(20);
    t.n = 1 + only_special.Below(40);
    t.k = 1 + only_special.Below(2);
    Check(t, only_special, {kThreads[i % 4]});
  }
}

TEST_P(GemmTest, NoTerms) {
  TestNumbers numbers(7);
  for (const bool bias : {false, true}) {
    for (const DType accumulator : {DType::kF32, DType::kF16}) {
      Case t = {13, 35, 0};
      t.bias = bias;
      t.accumulator = accumulator;
      Check(t, numbers, {1, 2});
    }
  }
}

TEST_P(GemmTest, NoOutputs) {
  TestNumbers numbers(8);
  Check({0, 5, 3}, numbers, {1, 2});
  Check({5, 0, 3}, numbers, {1, 2});
}

INSTANTIATE_TEST_SUITE_P(Targets, GemmTest,
                         testing::ValuesIn(UsableSimdTargets()));

TEST(GemmWorkspaceTest, SmallerProductsNeedNoMore) {
  TestNumbers numbers(9);
  for (int i = 0; i < 2000; ++i) {
    const int64_t m = numbers.Below(3000), n = numbers.Below(3000),
                  k = numbers.Below(3000);
    EXPECT_LE(GemmWorkspaceBytes(numbers.Below(m + 1), numbers.Below(n + 1),
                                 numbers.Below(k + 1)),
              GemmWorkspaceBytes(m, n, k));
  }
}

TEST(GemmWorkspaceTest, LastBatchFitsTheWorkspaceOfALargerOne) {
  // 1,000 rows are cut into two blocks, 950 are one.
  ThreadPool pool(1);
  const int64_t bytes = GemmWorkspaceBytes(1000, 8, 8);
  AlignedBuffer workspace(bytes + 64);
  std::vector<float> a(950 * 8, 1.0f), b(8 * 8, 1.0f), c(950 * 8);
  const GemmArgs args = {950,
                         8,
                         8,
                         {a.data(), DType::kF32, 8, 1},
                         {b.data(), DType::kF32, 8, 1},
                         c.data(),
                         DType::kF32,
                         8,
                         nullptr,
                         DType::kF32,
                         DType::kF32};
  StoreCounter counter;
  Gemm(args, workspace.data(), pool, counter);
  for (int64_t i = bytes; i < workspace.bytes(); ++i) {
    ASSERT_EQ(workspace.data()[i], 0);
  }
  EXPECT_EQ(c.back(), 8);
}

}  // namespace
}  // namespace repro16
