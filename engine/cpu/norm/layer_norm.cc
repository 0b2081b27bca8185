#include "engine/cpu/norm/layer_norm.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/cpu/sums/channel_sums.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/norm/layer_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/sums/channel_sums-inl.h"
#include "engine/numerics/elementary-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

static_assert(kMaxRow <= kReductionChunk);
static_assert(kReductionChunk % kVector == 0);

// --- Rows in lanes: the sums over a row are chains, so lanes are rows

// kVector rows by columns: element (row, col) is at[col * kVector + row].
struct Columns {
  HWY_ALIGN float at[kMaxRow * kVector];
};

// Rows a, b, c, e hold four columns of four rows in each 16 bytes; turns each
// of these squares over.
HWY_INLINE void TransposeSquares(float* p) {
  const FloatTag d;
  const hn::Repartition<uint64_t, FloatTag> pair;
  const auto a = hn::Load(d, p);
  const auto b = hn::Load(d, p + kVector);
  const auto c = hn::Load(d, p + 2 * kVector);
  const auto e = hn::Load(d, p + 3 * kVector);
  const auto ab_low = hn::BitCast(pair, hn::InterleaveLower(d, a, b));
  const auto ce_low = hn::BitCast(pair, hn::InterleaveLower(d, c, e));
  const auto ab_high = hn::BitCast(pair, hn::InterleaveUpper(d, a, b));
  const auto ce_high = hn::BitCast(pair, hn::InterleaveUpper(d, c, e));
  const auto store = [&](auto v, int64_t row) HWY_ATTR {
    hn::Store(hn::BitCast(d, v), d, p + row * kVector);
  };
  store(hn::InterleaveLower(pair, ab_low, ce_low), 0);
  store(hn::InterleaveUpper(pair, ab_low, ce_low), 1);
  store(hn::InterleaveLower(pair, ab_high, ce_high), 2);
  store(hn::InterleaveUpper(pair, ab_high, ce_high), 3);
}

// `rows` in [1, kVector] rows of `cols`; the last one fills up the lanes.
template <class T>
void ReadColumns(const T* x, int64_t rows, int64_t cols, Columns& to) {
  const hn::CappedTag<float, 4> d4;
  for (int64_t row = 0; row < kVector; ++row) {
    const T* from = x + std::min(row, rows - 1) * cols;
    float* p = to.at + row % 4 * kVector + row / 4 * 4;
    int64_t col = 0;
    for (; col + 4 <= cols; col += 4, p += 4 * kVector) {
      hn::Store(LoadF32(d4, from + col), d4, p);
    }
    if (col < cols) {
      const auto count = static_cast<size_t>(cols - col);
      hn::Store(LoadF32N(d4, from + col, count), d4, p);
    }
  }
  for (int64_t col = 0; col < cols; col += 4) {
    TransposeSquares(to.at + col * kVector);
  }
}

// By row.
struct RowStatistics {
  FloatVector mean;
  FloatVector inv;
};

HWY_INLINE RowStatistics StatisticsOf(const Columns& x, int64_t cols,
                                      float epsilon) {
  const FloatTag d;
  const auto n = hn::Set(d, static_cast<float>(cols));
  auto sum = hn::Zero(d);
  for (int64_t col = 0; col < cols; ++col) {
    sum = hn::Add(sum, hn::Load(d, x.at + col * kVector));
  }
  const auto mean = hn::Div(sum, n);
  auto squares = hn::Zero(d);
  for (int64_t col = 0; col < cols; ++col) {
    const auto deviation = hn::Sub(hn::Load(d, x.at + col * kVector), mean);
    squares = hn::MulAdd(deviation, deviation, squares);
  }
  const auto variance = hn::Div(squares, n);
  return {mean, Rsqrt(d, hn::Add(variance, hn::Set(d, epsilon)))};
}

// --- Columns in lanes: what each element gets

// Columns [begin, begin + count) of a row.
struct Part {
  int64_t begin;
  size_t count;

  template <class T>
  HWY_INLINE FloatVector Load(const T* row) const {
    const FloatTag d;
    return count >= kLanes ? LoadF32(d, row + begin)
                           : LoadF32N(d, row + begin, count);
  }
  template <class T>
  HWY_INLINE void Store(FloatVector v, T* row, StoreCounter& counter) const {
    const FloatTag d;
    if (count >= kLanes) {
      StoreRounded(d, v, row + begin, counter);
    } else {
      StoreRoundedN(d, v, row + begin, count, counter);
    }
  }
};

// gamma and beta in f32; then the sums of the backward pass.
struct Scratch {
  float* gamma;
  float* beta;
  float* sums;  // ChunkSums: by chunk dy * xhat, then dy
};

Scratch MakeScratch(int64_t cols, const OpBuffers& buffers,
                    uint8_t* workspace) {
  const int64_t padded = PaddedChannels(cols);
  float* p = reinterpret_cast<float*>(workspace);
  Scratch scratch;
  scratch.gamma = p;
  scratch.beta = p + padded;
  scratch.sums = p + 2 * padded;
  ReadParameter(buffers.parameters[0], cols, scratch.gamma);
  ReadParameter(buffers.parameters[1], cols, scratch.beta);
  return scratch;
}

// At most kVector rows.
template <class T>
void NormalizeBlock(const T* x, T* y, int64_t rows, int64_t cols, float epsilon,
                    const Scratch& scratch, StoreCounter& counter) {
  const FloatTag d;
  Columns columns;
  ReadColumns(x, rows, cols, columns);
  const RowStatistics statistics = StatisticsOf(columns, cols, epsilon);
  HWY_ALIGN float mean[kVector], inv[kVector];
  hn::Store(statistics.mean, d, mean);
  hn::Store(statistics.inv, d, inv);
  for (int64_t row = 0; row < rows; ++row, x += cols, y += cols) {
    for (int64_t col = 0; col < cols; col += kVector) {
      const Part part = {col, static_cast<size_t>(cols - col)};
      const auto deviation = hn::Sub(part.Load(x), hn::Set(d, mean[row]));
      const auto xhat = hn::Mul(deviation, hn::Set(d, inv[row]));
      part.Store(hn::MulAdd(xhat, hn::Load(d, scratch.gamma + col),
                            hn::Load(d, scratch.beta + col)),
                 y, counter);
    }
  }
}

// By row: what the gradient of an element needs.
struct RowGradients {
  HWY_ALIGN float mean[kVector];
  HWY_ALIGN float inv[kVector];
  HWY_ALIGN float mean_g[kVector];       // s1 / L
  HWY_ALIGN float mean_g_xhat[kVector];  // s2 / L
};

template <class T>
void ReadRowGradients(const T* x, const T* dy, int64_t rows, int64_t cols,
                      float epsilon, const float* gamma, RowGradients& to) {
  const FloatTag d;
  Columns x_columns, dy_columns;
  ReadColumns(x, rows, cols, x_columns);
  ReadColumns(dy, rows, cols, dy_columns);
  const RowStatistics of = StatisticsOf(x_columns, cols, epsilon);
  auto s1 = hn::Zero(d);
  auto s2 = hn::Zero(d);
  for (int64_t col = 0; col < cols; ++col) {
    const auto deviation =
        hn::Sub(hn::Load(d, x_columns.at + col * kVector), of.mean);
    const auto g = hn::Mul(hn::Load(d, dy_columns.at + col * kVector),
                           hn::Set(d, gamma[col]));
    s1 = hn::Add(s1, g);
    s2 = hn::MulAdd(g, hn::Mul(deviation, of.inv), s2);
  }
  const auto n = hn::Set(d, static_cast<float>(cols));
  hn::Store(of.mean, d, to.mean);
  hn::Store(of.inv, d, to.inv);
  hn::Store(hn::Div(s1, n), d, to.mean_g);
  hn::Store(hn::Div(s2, n), d, to.mean_g_xhat);
}

// At most kVector rows of a chunk, whose sums by column are added to. dx may be
// null.
template <class T>
void GradientBlock(const T* x, const T* dy, T* dx, int64_t rows, int64_t cols,
                   float epsilon, const float* gamma, float* gamma_sums,
                   float* beta_sums, StoreCounter& counter) {
  const FloatTag d;
  RowGradients of;
  ReadRowGradients(x, dy, rows, cols, epsilon, gamma, of);
  for (int64_t col = 0; col < cols; col += kVector) {
    const Part part = {col, static_cast<size_t>(cols - col)};
    const auto gamma_part = hn::Load(d, gamma + col);
    auto gamma_sum = hn::Load(d, gamma_sums + col);
    auto beta_sum = hn::Load(d, beta_sums + col);
    for (int64_t row = 0; row < rows; ++row) {
      const auto deviation =
          hn::Sub(part.Load(x + row * cols), hn::Set(d, of.mean[row]));
      const auto inv = hn::Set(d, of.inv[row]);
      const auto xhat = hn::Mul(deviation, inv);
      const auto gradient = part.Load(dy + row * cols);
      gamma_sum = hn::MulAdd(gradient, xhat, gamma_sum);
      beta_sum = hn::Add(beta_sum, gradient);
      if (dx == nullptr) continue;
      const auto centred =
          hn::Sub(hn::Mul(gradient, gamma_part), hn::Set(d, of.mean_g[row]));
      const auto inner =
          hn::NegMulAdd(xhat, hn::Set(d, of.mean_g_xhat[row]), centred);
      part.Store(hn::Mul(inv, inner), dx + row * cols, counter);
    }
    hn::Store(gamma_sum, d, gamma_sums + col);
    hn::Store(beta_sum, d, beta_sums + col);
  }
}

// --- Passes

void NormalizeRows(int64_t rows, int64_t cols, float epsilon,
                   const OpBuffers& buffers, const PassContext& pass) {
  const Scratch scratch = MakeScratch(cols, buffers, pass.workspace);
  const TensorRef& y = buffers.output;
  VisitDType(y.type, [&](auto tag) HWY_ATTR {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(buffers.inputs[0].data);
    T* to = static_cast<T*>(y.data);
    const auto rows_of_task = [&](int64_t task,
                                  StoreCounter& counter) HWY_ATTR {
      const int64_t begin = task * kReductionChunk;
      const int64_t end = std::min(begin + kReductionChunk, rows);
      for (int64_t row = begin; row < end; row += kVector) {
        NormalizeBlock(from + row * cols, to + row * cols,
                       std::min(kVector, end - row), cols, epsilon, scratch,
                       counter);
      }
    };
    pass.pool->RunCounted(ReductionChunks(rows), *y.counter, rows_of_task);
  });
}

void RowsGradients(int64_t rows, int64_t cols, float epsilon,
                   const OpBuffers& buffers, const PassContext& pass) {
  const Scratch scratch = MakeScratch(cols, buffers, pass.workspace);
  const TensorRef& dx = buffers.input_gradients[0];
  const int64_t padded = PaddedChannels(cols);
  const ChunkSums sums = {rows, 2 * padded, scratch.sums};
  StoreCounter unused;
  VisitDType(buffers.inputs[0].type, [&](auto tag) HWY_ATTR {
    using T = decltype(tag);
    const T* x = static_cast<const T*>(buffers.inputs[0].data);
    const T* dy = static_cast<const T*>(buffers.output_gradient.data);
    T* to = static_cast<T*>(dx.data);
    const auto sum = [&](const ChunkTask& task,
                         StoreCounter& counter) HWY_ATTR {
      float* gamma_sums = sums.of_chunk(task.first);
      float* beta_sums = gamma_sums + padded;
      std::fill_n(gamma_sums, sums.width, 0.0f);
      const int64_t begin = task.first * kReductionChunk;
      const int64_t end = std::min(begin + kReductionChunk, rows);
      for (int64_t row = begin; row < end; row += kVector) {
        GradientBlock(x + row * cols, dy + row * cols,
                      to == nullptr ? nullptr : to + row * cols,
                      std::min(kVector, end - row), cols, epsilon,
                      scratch.gamma, gamma_sums, beta_sums, counter);
      }
    };
    SumInChunks<F32Accumulator>(sums, /*at_once=*/1, /*blocks=*/1, *pass.pool,
                                to == nullptr ? unused : *dx.counter, sum);
  });
  WriteParameterGradient(sums.sums, cols, buffers.parameter_gradients[0]);
  WriteParameterGradient(sums.sums + padded, cols,
                         buffers.parameter_gradients[1]);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(NormalizeRows);
HWY_EXPORT(RowsGradients);

class LayerNormKernel : public Kernel {
 public:
  LayerNormKernel(const Shape& in, const LayerNormAttributes& attributes)
      : cols_(in.dims().back()),
        rows_per_example_(in.NumElements() / cols_),
        epsilon_(static_cast<float>(attributes.epsilon)) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const int64_t width = 2 * PaddedChannels(cols_);
    return static_cast<int64_t>(sizeof(float)) *
           (width + ChunkSumFloats(max_batch * rows_per_example_, width));
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    HWY_DYNAMIC_DISPATCH(NormalizeRows)
    (pass.batch * rows_per_example_, cols_, epsilon_, buffers, pass);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    HWY_DYNAMIC_DISPATCH(RowsGradients)
    (pass.batch * rows_per_example_, cols_, epsilon_, buffers, pass);
  }

 private:
  const int64_t cols_;
  const int64_t rows_per_example_;
  const float epsilon_;
};

}  // namespace

std::unique_ptr<Kernel> MakeLayerNorm(const Shape& in,
                                      const LayerNormAttributes& attributes) {
  return std::make_unique<LayerNormKernel>(in, attributes);
}

}  // namespace repro16
#endif  // HWY_ONCE
