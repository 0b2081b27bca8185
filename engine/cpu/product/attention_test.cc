// The kernels of attention, forward and backward, against the scalar order of
// engine/numerics/reduction.h.
#include "engine/cpu/product/attention.h"

#include <cstdint>
#include <iterator>
#include <vector>

#include "engine/cpu/testing/kernel_test_util.h"
#include "engine/numerics/reduction.h"

namespace repro16 {
namespace {

constexpr int64_t kBatch = 2;

struct Case {
  AttentionShape shape;
  DType type = DType::kF32;
  DType accumulator = DType::kF32;
  uint32_t special_every = 0;
};

std::ostream& operator<<(std::ostream& os, const Case& c) {
  return os << c.shape.tokens << " tokens, " << c.shape.heads << " heads of "
            << c.shape.key_size << " in " << Name(c.type) << ", accumulator "
            << Name(c.accumulator) << ", special " << c.special_every;
}

class Reference {
 public:
  explicit Reference(const Case& c) : c_(c), s_(c.shape) {}

  // Index of [n, i, head a, d] in features, of [n, a, i, j] in scores.
  int64_t Feature(int64_t n, int64_t a, int64_t i, int64_t d) const {
    return ((n * s_.tokens + i) * s_.heads + a) * s_.key_size + d;
  }
  int64_t Score(int64_t n, int64_t a, int64_t i, int64_t j) const {
    return ((n * s_.heads + a) * s_.tokens + i) * s_.tokens + j;
  }

  TestTensor Features() const {
    return {c_.type, kBatch, s_.tokens * s_.heads * s_.key_size};
  }
  TestTensor Scores() const {
    return {c_.type, kBatch, s_.heads * s_.tokens * s_.tokens};
  }

  // out(n, a, row, column) = sum over `terms` of a product; an index is a
  // function of (n, a, row, column).
  template <class AIndex, class BIndex, class OutIndex>
  void Product(int64_t columns, int64_t terms, const TestTensor& a,
               const AIndex& a_index, const TestTensor& b,
               const BIndex& b_index, TestTensor& out,
               const OutIndex& out_index) const {
    for (int64_t n = 0; n < kBatch; ++n) {
      for (int64_t h = 0; h < s_.heads; ++h) {
        for (int64_t row = 0; row < s_.tokens; ++row) {
          for (int64_t column = 0; column < columns; ++column) {
            DotSum sum(c_.accumulator);
            for (int64_t p = 0; p < terms; ++p) {
              sum.AddTerm(a[a_index(n, h, row, p)],
                          b[b_index(n, h, p, column)]);
            }
            out.Store(out_index(n, h, row, column), sum.Total());
          }
        }
      }
    }
  }

  auto feature() const {
    return [this](auto... at) { return Feature(at...); };
  }
  auto score() const {
    return [this](auto... at) { return Score(at...); };
  }
  template <class Index>
  static auto Transposed(const Index& index) {
    return [index](int64_t n, int64_t a, int64_t row, int64_t column) {
      return index(n, a, column, row);
    };
  }

 private:
  const Case c_;
  const AttentionShape s_;
};

std::vector<Case> Cases() {
  // Five cases a shape: its types and accumulators meet every number of
  // threads.
  const AttentionShape shapes[] = {{1, 1, 1},  {5, 3, 7},  {25, 2, 64},
                                   {33, 2, 9}, {49, 1, 5}, {3, 2, 300}};
  std::vector<Case> cases;
  for (const AttentionShape& shape : shapes) {
    for (DType type : kAllTypes) cases.push_back({shape, type});
    cases.push_back({shape, DType::kF16, DType::kF16});
    cases.push_back({shape, DType::kF16, DType::kF32, 60});
  }
  return cases;
}

class AttentionTest : public KernelTest {
 protected:
  // Forward and backward, on another number of threads at every call.
  static void Check(const Kernel& kernel, TestTensor& in0, TestTensor& in1,
                    const TestTensor& y, TestTensor& dy,
                    const TestTensor& gradient0, const TestTensor& gradient1) {
    static size_t calls = 0;
    const int threads = kThreadCounts[calls++ % std::size(kThreadCounts)];
    SCOPED_TRACE(testing::Message() << threads << " threads");
    TestTensor out(y.values.type(), kBatch, y.elements);
    TestTensor d0(y.values.type(), kBatch, gradient0.elements);
    TestTensor d1(y.values.type(), kBatch, gradient1.elements);
    OpBuffers buffers;
    buffers.inputs = {in0.ref(), in1.ref()};
    buffers.output = out.ref();
    buffers.output_gradient = dy.ref();
    buffers.input_gradients = {d0.ref(), d1.ref()};
    RunPass(kernel, kBatch, threads, [&](const PassContext& pass) {
      kernel.Forward(buffers, pass);
      kernel.Backward(buffers, pass);
    });
    EXPECT_TRUE(out == y);
    EXPECT_TRUE(d0 == gradient0);
    EXPECT_TRUE(d1 == gradient1);
  }
};

TEST_P(AttentionTest, Scores) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(testing::Message() << c);
    const Reference r(c);
    TestNumbers numbers(1, c.special_every);
    TestTensor q = r.Features(), k = r.Features(), dy = r.Scores();
    q.Fill(numbers);
    k.Fill(numbers);
    dy.Fill(numbers);
    const int64_t t = c.shape.tokens, d = c.shape.key_size;
    TestTensor y = r.Scores(), dq = r.Features(), dk = r.Features();
    r.Product(t, d, q, r.feature(), k, r.Transposed(r.feature()), y, r.score());
    r.Product(d, t, dy, r.score(), k, r.feature(), dq, r.feature());
    r.Product(d, t, dy, r.Transposed(r.score()), q, r.feature(), dk,
              r.feature());
    Check(*MakeAttentionScores(c.shape, c.accumulator), q, k, y, dy, dq, dk);
  }
}

TEST_P(AttentionTest, Context) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(testing::Message() << c);
    const Reference r(c);
    TestNumbers numbers(2, c.special_every);
    TestTensor p = r.Scores(), v = r.Features(), dy = r.Features();
    p.Fill(numbers);
    v.Fill(numbers);
    dy.Fill(numbers);
    const int64_t t = c.shape.tokens, d = c.shape.key_size;
    TestTensor y = r.Features(), dp = r.Scores(), dv = r.Features();
    r.Product(d, t, p, r.score(), v, r.feature(), y, r.feature());
    r.Product(t, d, dy, r.feature(), v, r.Transposed(r.feature()), dp,
              r.score());
    r.Product(d, t, p, r.Transposed(r.score()), dy, r.feature(), dv,
              r.feature());
    Check(*MakeAttentionContext(c.shape, c.accumulator), p, v, y, dy, dp, dv);
  }
}

TEST_P(AttentionTest, GradientsThatAreNotWantedAreLeftOut) {
  const Case c = {{5, 2, 3}};
  const Reference r(c);
  TestNumbers numbers(3);
  TestTensor q = r.Features(), k = r.Features(), dy = r.Scores();
  for (TestTensor* t : {&q, &k, &dy}) t->Fill(numbers);
  TestTensor dk = r.Features(), expected = r.Features();
  r.Product(3, 5, dy, r.Transposed(r.score()), q, r.feature(), expected,
            r.feature());
  OpBuffers buffers;
  buffers.inputs = {q.ref(), k.ref()};
  buffers.output_gradient = dy.ref();
  buffers.input_gradients = {TensorRef{}, dk.ref()};
  const auto kernel = MakeAttentionScores(c.shape, c.accumulator);
  RunPass(*kernel, kBatch, 2,
          [&](const PassContext& pass) { kernel->Backward(buffers, pass); });
  EXPECT_TRUE(dk == expected);
}

INSTANTIATE_TEST_SUITE_P(Targets, AttentionTest,
                         testing::ValuesIn(UsableSimdTargets()));

}  // namespace
}  // namespace repro16
