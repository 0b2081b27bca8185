// Every product is compared bit for bit, counters included, with the scalar
// order of engine/numerics/reduction.h, on every instruction set of the
// machine.
#include "engine/cpu/gemm.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "engine/cpu/thread_pool.h"
#include "engine/cpu/typed_array.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/simd_target.h"
#include "engine/tensor/buffer.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr DType kTypes[] = {DType::kF32, DType::kF16, DType::kBF16};
constexpr int kThreads[] = {1, 2, 3, 7};
enum class Layout { kRowMajor, kTransposed, kStrided };
constexpr Layout kLayouts[] = {Layout::kRowMajor, Layout::kTransposed,
                               Layout::kStrided};
constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

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

// Numbers whose products overflow, underflow and cancel in every type. One in
// `special_every` is a zero, infinity, NaN or subnormal; 0: none.
class Numbers {
 public:
  explicit Numbers(uint32_t seed, int special_every = 0)
      : engine_(seed), special_every_(special_every) {}

  int64_t Below(int64_t n) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n));
  }
  template <class T, size_t kSize>
  T Pick(const T (&values)[kSize]) {
    return values[Below(kSize)];
  }
  float Next() {
    constexpr float kSpecial[] = {0.0f,     -0.0f,      kInfinity, -kInfinity,
                                  kNan,     0x1p-24f,   -0x1p-16f, 0x1p-140f,
                                  65504.0f, 0x1.fep127f};
    if (special_every_ != 0 && Below(special_every_) == 0) {
      return Pick(kSpecial);
    }
    const float fraction =
        static_cast<float>(static_cast<int32_t>(engine_() >> 8) - (1 << 23));
    return std::ldexp(fraction, static_cast<int>(Below(24)) - 38);
  }

 private:
  std::mt19937 engine_;
  int special_every_;
};

void Fill(Matrix& matrix, int64_t rows, int64_t cols, Numbers& numbers) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t c = 0; c < cols; ++c) matrix.Set(r, c, numbers.Next());
  }
}

class GemmTest : public testing::TestWithParam<std::string> {
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

  // Runs the case on each of `threads`.
  void Check(const Case& t, Numbers& numbers, const std::vector<int>& threads) {
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
      RunGuarded(args, Pool(count), counter);
      EXPECT_TRUE(c == expected);  // the padding of c included
      EXPECT_TRUE(counter == expected_counter)
          << counter.infinite << " " << counter.nan << " " << counter.underflow
          << " for " << expected_counter.infinite << " " << expected_counter.nan
          << " " << expected_counter.underflow;
    }
  }

  // Gemm in a workspace that starts as NaN and must not be overrun.
  static void RunGuarded(const GemmArgs& args, ThreadPool& pool,
                         StoreCounter& counter) {
    const int64_t bytes = GemmWorkspaceBytes(args.m, args.n, args.k);
    AlignedBuffer workspace(bytes + 64);
    std::fill_n(workspace.data(), workspace.bytes(), uint8_t{0xff});
    Gemm(args, workspace.data(), pool, counter);
    for (int64_t i = bytes; i < workspace.bytes(); ++i) {
      ASSERT_EQ(workspace.data()[i], 0xff) << "beyond the workspace";
    }
  }
};

Case RandomCase(Numbers& numbers) {
  Case t;
  t.a = numbers.Pick(kTypes);
  t.b = numbers.Pick(kTypes);
  t.c = numbers.Pick(kTypes);
  t.a_layout = numbers.Pick(kLayouts);
  t.b_layout = numbers.Pick(kLayouts);
  t.bias = numbers.Below(2) == 0;
  t.bias_type = numbers.Pick(kTypes);
  t.c_padding = numbers.Below(3);
  return t;
}

TEST_P(GemmTest, RandomShapes) {
  Numbers numbers(1);
  for (int i = 0; i < 150; ++i) {
    Case t = RandomCase(numbers);
    t.m = 1 + numbers.Below(70);
    t.n = 1 + numbers.Below(70);
    t.k = 1 + numbers.Below(70);
    Check(t, numbers, {kThreads[i % 4]});
  }
}

TEST_P(GemmTest, TermsAcrossChunksAndBlocks) {
  Numbers numbers(2);
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
  Numbers numbers(3);
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
  Numbers numbers(4);
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
  Numbers numbers(5, /*special_every=*/40);
  for (int i = 0; i < 100; ++i) {
    Case t = RandomCase(numbers);
    t.accumulator = i % 3 == 0 ? DType::kF16 : DType::kF32;
    t.m = 1 + numbers.Below(30);
    t.n = 1 + numbers.Below(40);
    t.k = 1 + numbers.Below(40);
    Check(t, numbers, {kThreads[i % 4]});
  }
  Numbers only_special(6, /*special_every=*/1);
  for (int i = 0; i < 30; ++i) {
    Case t = RandomCase(only_special);
    t.m = 1 + only_special.Below(20);
    t.n = 1 + only_special.Below(40);
    t.k = 1 + only_special.Below(2);
    Check(t, only_special, {kThreads[i % 4]});
  }
}

TEST_P(GemmTest, NoTerms) {
  Numbers numbers(7);
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
  Numbers numbers(8);
  Check({0, 5, 3}, numbers, {1, 2});
  Check({5, 0, 3}, numbers, {1, 2});
}

INSTANTIATE_TEST_SUITE_P(Targets, GemmTest,
                         testing::ValuesIn(UsableSimdTargets()));

TEST(GemmWorkspaceTest, SmallerProductsNeedNoMore) {
  Numbers numbers(9);
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
