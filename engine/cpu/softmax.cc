#include "engine/cpu/softmax.h"

#include <cmath>
#include <cstddef>

#include "engine/cpu/visit_dtype.h"
#include "engine/graph/graph.h"
#include "engine/numerics/reduction.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/softmax.cc"
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

// A row's sum is one chunk of the contract's order: a chain.
static_assert(kMaxClasses <= kReductionChunk);

// Per row, in f32: exponentials of x - max, their sum in order of the index,
// and the max.
struct Row {
  HWY_ALIGN float e[kMaxClasses + HWY_MAX_BYTES / sizeof(float)];
  float max;
  float sum;
};

template <class T>
float ToF32(const T* x) {
  const hn::CappedTag<float, 1> d1;
  return hn::GetLane(LoadF32(d1, x));
}

// Whole vectors are computed; what lies beyond `classes` is never read.
template <class T>
void Exponentials(const T* x, size_t classes, Row& row) {
  float max = ToF32(x);
  for (size_t c = 1; c < classes; ++c) {
    const float v = ToF32(x + c);
    if (v > max || std::isnan(v)) max = v;
  }
  row.max = max;

  const D d;
  const size_t lanes = hn::Lanes(d);
  for (size_t c = 0; c < classes; c += lanes) {
    const V v = LoadF32N(d, x + c, classes - c);
    hn::Store(Exp(d, hn::Sub(v, hn::Set(d, max))), d, row.e + c);
  }
  row.sum = row.e[0];
  for (size_t c = 1; c < classes; ++c) row.sum += row.e[c];
}

void SoftmaxRows(DType type, const void* x, void* p, size_t rows,
                 size_t classes, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(p);
    const D d;
    const size_t lanes = hn::Lanes(d);
    Row row;
    for (size_t n = 0; n < rows; ++n, from += classes, to += classes) {
      Exponentials(from, classes, row);
      const V sum = hn::Set(d, row.sum);
      for (size_t c = 0; c < classes; c += lanes) {
        const V v = hn::Div(hn::Load(d, row.e + c), sum);
        const size_t count = classes - c < lanes ? classes - c : lanes;
        StoreRoundedN(d, v, to + c, count, counter);
      }
    }
  });
}

float LogF32(float x) {
  const hn::CappedTag<float, 1> d1;
  return hn::GetLane(Log(d1, hn::Set(d1, x)));
}

// Returns the number of rows whose argmax is their label.
int64_t LossRows(DType type, const void* x, const uint8_t* labels, float* loss,
                 size_t rows, size_t classes, StoreCounter& counter) {
  int64_t correct = 0;
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    const hn::CappedTag<float, 1> d1;
    Row row;
    for (size_t n = 0; n < rows; ++n, from += classes) {
      Exponentials(from, classes, row);
      const float value = (LogF32(row.sum) + row.max) - ToF32(from + labels[n]);
      StoreRounded(d1, hn::Set(d1, value), loss + n, counter);
      // The lowest class that reaches the maximum; none does if it is NaN.
      size_t argmax = 0;
      while (argmax < classes && ToF32(from + argmax) != row.max) ++argmax;
      if (argmax == labels[n]) ++correct;
    }
  });
  return correct;
}

void LossGradientRows(DType type, const void* x, const uint8_t* labels,
                      float factor, void* dx, size_t rows, size_t classes,
                      StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(dx);
    const D d;
    const size_t lanes = hn::Lanes(d);
    Row row;
    for (size_t n = 0; n < rows; ++n, from += classes, to += classes) {
      Exponentials(from, classes, row);
      for (size_t c = 0; c < classes; ++c) row.e[c] /= row.sum;
      row.e[labels[n]] -= 1.0f;
      for (size_t c = 0; c < classes; c += lanes) {
        const V v = hn::Mul(hn::Load(d, row.e + c), hn::Set(d, factor));
        const size_t count = classes - c < lanes ? classes - c : lanes;
        StoreRoundedN(d, v, to + c, count, counter);
      }
    }
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
HWY_EXPORT(LossRows);
HWY_EXPORT(LossGradientRows);

class SoftmaxKernel : public Kernel {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    HWY_DYNAMIC_DISPATCH(SoftmaxRows)
    (y.type, buffers.inputs[0].data, y.data, static_cast<size_t>(pass.batch),
     static_cast<size_t>(y.elements), *y.counter);
  }

  void Backward(const OpBuffers& /*buffers*/,
                const PassContext& /*pass*/) const override {}
};

class SoftmaxCrossEntropyKernel : public Kernel {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    *pass.correct += HWY_DYNAMIC_DISPATCH(LossRows)(
        x.type, x.data, pass.labels, static_cast<float*>(buffers.output.data),
        static_cast<size_t>(pass.batch), static_cast<size_t>(x.elements),
        *buffers.output.counter);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    HWY_DYNAMIC_DISPATCH(LossGradientRows)
    (dx.type, x.data, pass.labels,
     pass.loss_scale / static_cast<float>(pass.batch), dx.data,
     static_cast<size_t>(pass.batch), static_cast<size_t>(x.elements),
     *dx.counter);
  }
};

}  // namespace

std::unique_ptr<Kernel> MakeSoftmax(int64_t /*cols*/) {
  return std::make_unique<SoftmaxKernel>();
}

std::unique_ptr<Kernel> MakeSoftmaxCrossEntropy() {
  return std::make_unique<SoftmaxCrossEntropyKernel>();
}

}  // namespace repro16
#endif  // HWY_ONCE
