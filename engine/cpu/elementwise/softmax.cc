#include "engine/cpu/elementwise/softmax.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <limits>

#include "engine/graph/graph.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"
#include "hwy/aligned_allocator.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/elementwise/softmax.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must come after foreach_target.h.
#include "engine/numerics/elementary-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;
using V = hn::VFromD<D>;

// Elements of the rows of one task: they fit the first-level cache as f32.
constexpr int64_t kRowElements = 2048;
static_assert(kRowElements >= kMaxRow && kRowElements >= kMaxClasses);

// A row's sum is one chunk of the contract's order: a chain.
static_assert(kMaxRow <= kReductionChunk);

template <class T>
void Load(const T* from, size_t n, float* to) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    hn::StoreU(LoadF32(d, from + i), d, to + i);
  }
  if (i < n) hn::StoreN(LoadF32N(d, from + i, n - i), d, to + i, n - i);
}

template <class T>
void Store(const float* from, size_t n, T* to, StoreCounter& counter) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreRounded(d, hn::LoadU(d, from + i), to + i, counter);
  }
  if (i < n) {
    StoreRoundedN(d, hn::LoadN(d, from + i, n - i), to + i, n - i, counter);
  }
}

// NaN if there is one.
float Max(const float* x, size_t n) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const V lowest = hn::Neg(hn::Inf(d));
  V max = lowest;
  for (size_t i = 0; i < n; i += lanes) {
    const V v = hn::LoadNOr(lowest, d, x + i, n - i);
    max = hn::IfThenElse(hn::Or(hn::Gt(v, max), hn::IsNaN(v)), v, max);
  }
  return hn::AllFalse(d, hn::IsNaN(max))
             ? hn::ReduceMax(d, max)
             : std::numeric_limits<float>::quiet_NaN();
}

// x = exp(x - max x); returns the max.
float Exponentials(float* x, size_t n) {
  const D d;
  const float max = Max(x, n);
  for (size_t i = 0; i < n; i += hn::Lanes(d)) {
    const V v = hn::LoadN(d, x + i, n - i);
    hn::StoreN(Exp(d, hn::Sub(v, hn::Set(d, max))), d, x + i, n - i);
  }
  return max;
}

// Rows of f32 numbers on which a task works; what lies beyond `rows` is never
// used.
struct RowBlock {
  alignas(HWY_ALIGNMENT) float x[kRowElements];
  alignas(HWY_ALIGNMENT) float sum[kRowElements];
  alignas(HWY_ALIGNMENT) float max[kRowElements];
};

// Chains of several rows side by side hide the latency of their additions.
constexpr size_t kChains = 8;

// sum[r] = the chain of `add(sum, index)` over the elements of row r, for
// kCount rows of `cols` elements from number `begin` on.
template <size_t kCount, class Add>
HWY_INLINE void ChainRows(size_t begin, size_t cols, float* sum,
                          const Add& add) {
  float chain[kCount] = {};
  for (size_t c = 0; c < cols; ++c) {
    for (size_t r = 0; r < kCount; ++r) {
      chain[r] = add(chain[r], begin + r * cols + c);
    }
  }
  for (size_t r = 0; r < kCount; ++r) sum[r] = chain[r];
}

template <class Add>
HWY_INLINE void ChainAllRows(size_t rows, size_t cols, float* sum,
                             const Add& add) {
  size_t r = 0;
  for (; r + kChains <= rows; r += kChains) {
    ChainRows<kChains>(r * cols, cols, sum + r, add);
  }
  for (; r < rows; ++r) ChainRows<1>(r * cols, cols, sum + r, add);
}

// sum[r] = x[r, 0] + x[r, 1] + ...
void SumEachRow(const float* x, size_t rows, size_t cols, float* sum) {
  ChainAllRows(rows, cols, sum,
               [x](float chain, size_t i) { return chain + x[i]; });
}

// sum[r] = a[r, 0] * b[r, 0] + a[r, 1] * b[r, 1] + ..., fused.
void DotEachRow(const float* a, const float* b, size_t rows, size_t cols,
                float* sum) {
  ChainAllRows(rows, cols, sum, [a, b](float chain, size_t i) HWY_ATTR {
    const hn::CappedTag<float, 1> d1;
    return hn::GetLane(
        hn::MulAdd(hn::Set(d1, a[i]), hn::Set(d1, b[i]), hn::Set(d1, chain)));
  });
}

// From `rows` stored rows of logits: x = e, and sum and max of each row.
void LoadExponentials(DType type, const void* from, size_t rows, size_t cols,
                      RowBlock& to) {
  VisitDType(type, [&](auto tag) {
    Load(static_cast<const decltype(tag)*>(from), rows * cols, to.x);
  });
  for (size_t r = 0; r < rows; ++r) {
    to.max[r] = Exponentials(to.x + r * cols, cols);
  }
  SumEachRow(to.x, rows, cols, to.sum);
}

// x[r, c] /= sum[r].
void DivideRows(size_t rows, size_t cols, RowBlock& to) {
  const D d;
  for (size_t r = 0; r < rows; ++r) {
    const V sum = hn::Set(d, to.sum[r]);
    float* x = to.x + r * cols;
    for (size_t c = 0; c < cols; c += hn::Lanes(d)) {
      hn::StoreN(hn::Div(hn::LoadN(d, x + c, cols - c), sum), d, x + c,
                 cols - c);
    }
  }
}

void SoftmaxRows(DType type, const void* x, void* p, size_t rows, size_t cols,
                 StoreCounter& counter) {
  RowBlock block;
  LoadExponentials(type, x, rows, cols, block);
  DivideRows(rows, cols, block);
  VisitDType(type, [&](auto tag) {
    Store(block.x, rows * cols, static_cast<decltype(tag)*>(p), counter);
  });
}

void SoftmaxGradientRows(DType type, const void* p, const void* dy, void* dx,
                         size_t rows, size_t cols, StoreCounter& counter) {
  alignas(HWY_ALIGNMENT) float probability[kRowElements];
  RowBlock block;
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    Load(static_cast<const T*>(p), rows * cols, probability);
    Load(static_cast<const T*>(dy), rows * cols, block.x);
  });
  DotEachRow(block.x, probability, rows, cols, block.sum);
  const D d;
  for (size_t r = 0; r < rows; ++r) {
    const V sum = hn::Set(d, block.sum[r]);
    for (size_t c = 0; c < cols; c += hn::Lanes(d)) {
      const size_t i = r * cols + c;
      const V v = hn::LoadN(d, block.x + i, cols - c);
      const V factor = hn::LoadN(d, probability + i, cols - c);
      hn::StoreN(hn::Mul(factor, hn::Sub(v, sum)), d, block.x + i, cols - c);
    }
  }
  VisitDType(type, [&](auto tag) {
    Store(block.x, rows * cols, static_cast<decltype(tag)*>(dx), counter);
  });
}

// Returns the number of rows whose argmax is their label.
int64_t LossRows(DType type, const void* x, const uint8_t* labels, float* loss,
                 size_t rows, size_t cols, StoreCounter& counter) {
  alignas(HWY_ALIGNMENT) float logits[kRowElements];
  RowBlock block;
  VisitDType(type, [&](auto tag) {
    Load(static_cast<const decltype(tag)*>(x), rows * cols, logits);
  });
  LoadExponentials(type, x, rows, cols, block);
  const D d;
  for (size_t r = 0; r < rows; r += hn::Lanes(d)) {
    const V sum = hn::LoadN(d, block.sum + r, rows - r);
    const V max = hn::LoadN(d, block.max + r, rows - r);
    hn::StoreN(hn::Add(Log(d, sum), max), d, loss + r, rows - r);
  }
  int64_t correct = 0;
  for (size_t r = 0; r < rows; ++r) {
    const float* row = logits + r * cols;
    loss[r] -= row[labels[r]];
    // The lowest class that reaches the maximum; none does if it is NaN.
    size_t argmax = 0;
    while (argmax < cols && row[argmax] != block.max[r]) ++argmax;
    if (argmax == labels[r]) ++correct;
  }
  Store(loss, rows, loss, counter);
  return correct;
}

void LossGradientRows(DType type, const void* x, const uint8_t* labels,
                      float factor, void* dx, size_t rows, size_t cols,
                      StoreCounter& counter) {
  RowBlock block;
  LoadExponentials(type, x, rows, cols, block);
  DivideRows(rows, cols, block);
  for (size_t r = 0; r < rows; ++r) block.x[r * cols + labels[r]] -= 1.0f;
  for (size_t i = 0; i < rows * cols; ++i) block.x[i] *= factor;
  VisitDType(type, [&](auto tag) {
    Store(block.x, rows * cols, static_cast<decltype(tag)*>(dx), counter);
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(SoftmaxRows);
HWY_EXPORT(SoftmaxGradientRows);
HWY_EXPORT(LossRows);
HWY_EXPORT(LossGradientRows);

using HWY_NAMESPACE::kRowElements;

// Calls fn(first row, rows, counter) over `rows` rows in tasks of at most
// kRowElements elements; rows are independent.
template <class Fn>
void ParallelRows(const PassContext& pass, int64_t rows, int64_t cols,
                  StoreCounter& total, const Fn& fn) {
  const int64_t per_task = kRowElements / cols;
  const int64_t tasks = CeilDiv(rows, per_task);
  pass.pool->RunCounted(tasks, total, [&](int64_t task, StoreCounter& counter) {
    const int64_t begin = task * per_task;
    fn(begin, static_cast<size_t>(std::min(per_task, rows - begin)), counter);
  });
}

uint8_t* RowOf(const TensorRef& tensor, int64_t row, int64_t cols) {
  return static_cast<uint8_t*>(tensor.data) +
         row * cols * static_cast<int64_t>(SizeOf(tensor.type));
}

class SoftmaxKernel : public Kernel {
 public:
  explicit SoftmaxKernel(int64_t cols) : cols_(cols) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    ParallelRows(pass, RowsOf(pass, y), cols_, *y.counter,
                 [&](int64_t row, size_t rows, StoreCounter& counter) {
                   HWY_DYNAMIC_DISPATCH(SoftmaxRows)
                   (y.type, RowOf(x, row, cols_), RowOf(y, row, cols_), rows,
                    static_cast<size_t>(cols_), counter);
                 });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    const TensorRef& dy = buffers.output_gradient;
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    ParallelRows(pass, RowsOf(pass, dx), cols_, *dx.counter,
                 [&](int64_t row, size_t rows, StoreCounter& counter) {
                   HWY_DYNAMIC_DISPATCH(SoftmaxGradientRows)
                   (dx.type, RowOf(y, row, cols_), RowOf(dy, row, cols_),
                    RowOf(dx, row, cols_), rows, static_cast<size_t>(cols_),
                    counter);
                 });
  }

 private:
  int64_t RowsOf(const PassContext& pass, const TensorRef& tensor) const {
    return pass.batch * (tensor.elements / cols_);
  }

  const int64_t cols_;
};

class SoftmaxCrossEntropyKernel : public Kernel {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const int64_t classes = x.elements;
    auto* losses = static_cast<float*>(buffers.output.data);
    std::atomic<int64_t> correct = 0;
    ParallelRows(pass, pass.batch, classes, *buffers.output.counter,
                 [&](int64_t row, size_t rows, StoreCounter& counter) {
                   correct += HWY_DYNAMIC_DISPATCH(LossRows)(
                       x.type, RowOf(x, row, classes), pass.labels + row,
                       losses + row, rows, static_cast<size_t>(classes),
                       counter);
                 });
    *pass.correct += correct;
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const int64_t classes = x.elements;
    const float factor = pass.loss_scale / static_cast<float>(pass.batch);
    ParallelRows(pass, pass.batch, classes, *dx.counter,
                 [&](int64_t row, size_t rows, StoreCounter& counter) {
                   HWY_DYNAMIC_DISPATCH(LossGradientRows)
                   (dx.type, RowOf(x, row, classes), pass.labels + row, factor,
                    RowOf(dx, row, classes), rows, static_cast<size_t>(classes),
                    counter);
                 });
  }
};

}  // namespace

std::unique_ptr<Kernel> MakeSoftmax(int64_t cols) {
  return std::make_unique<SoftmaxKernel>(cols);
}

std::unique_ptr<Kernel> MakeSoftmaxCrossEntropy() {
  return std::make_unique<SoftmaxCrossEntropyKernel>();
}

}  // namespace repro16
#endif  // HWY_ONCE
