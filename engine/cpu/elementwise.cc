#include "engine/cpu/elementwise.h"

#include <cmath>
#include <cstring>

#include "engine/cpu/visit_dtype.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/round_to_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/elementwise.cc"
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

// y[i] = f(x[i]).
template <class T, class F>
void Map(const T* x, T* y, size_t n, StoreCounter& counter, const F& f) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreRounded(d, f(d, LoadF32(d, x + i)), y + i, counter);
  }
  if (i < n) {
    StoreRoundedN(d, f(d, LoadF32N(d, x + i, n - i)), y + i, n - i, counter);
  }
}

// y[i] = f(a[i], b[i]).
template <class T, class F>
void Map(const T* a, const T* b, T* y, size_t n, StoreCounter& counter,
         const F& f) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreRounded(d, f(d, LoadF32(d, a + i), LoadF32(d, b + i)), y + i, counter);
  }
  if (i < n) {
    const V va = LoadF32N(d, a + i, n - i);
    const V vb = LoadF32N(d, b + i, n - i);
    StoreRoundedN(d, f(d, va, vb), y + i, n - i, counter);
  }
}

void UnaryForward(UnaryFunction function, DType type, const void* x, void* y,
                  size_t n, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    switch (function) {
      case UnaryFunction::kRelu:
        return Map(from, to, n, counter, [](D d, V v) {
          return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
        });
      case UnaryFunction::kTanh:
        return Map(from, to, n, counter, [](D d, V v) { return Tanh(d, v); });
      case UnaryFunction::kRelu6:
      case UnaryFunction::kGelu:
        return;
    }
  });
}

void UnaryBackward(UnaryFunction function, DType type, const void* y,
                   const void* dy, void* dx, size_t n, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* output = static_cast<const T*>(y);
    const T* gradient = static_cast<const T*>(dy);
    T* to = static_cast<T*>(dx);
    switch (function) {
      case UnaryFunction::kRelu:
        return Map(output, gradient, to, n, counter, [](D d, V out, V g) {
          return hn::IfThenElseZero(hn::Gt(out, hn::Zero(d)), g);
        });
      case UnaryFunction::kTanh:
        return Map(output, gradient, to, n, counter, [](D d, V out, V g) {
          return hn::Mul(g, hn::NegMulAdd(out, out, hn::Set(d, 1.0f)));
        });
      case UnaryFunction::kRelu6:
      case UnaryFunction::kGelu:
        return;
    }
  });
}

// y[i] = keep[i] ? x[i] * scale : 0.
void MaskedScale(DType type, const void* x, const uint8_t* keep, float scale,
                 void* y, size_t n, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* from = static_cast<const T*>(x);
    T* to = static_cast<T*>(y);
    const D d;
    const hn::RebindToUnsigned<D> du;
    const hn::Rebind<uint8_t, D> d8;
    const size_t lanes = hn::Lanes(d);
    const V factor = hn::Set(d, scale);
    // `keep` is padded to a whole vector by the caller.
    const auto masked = [&](size_t i, V v) {
      const auto kept =
          hn::Ne(hn::PromoteTo(du, hn::LoadU(d8, keep + i)), hn::Zero(du));
      return hn::IfThenElseZero(hn::RebindMask(d, kept), hn::Mul(v, factor));
    };
    size_t i = 0;
    for (; i + lanes <= n; i += lanes) {
      StoreRounded(d, masked(i, LoadF32(d, from + i)), to + i, counter);
    }
    if (i < n) {
      StoreRoundedN(d, masked(i, LoadF32N(d, from + i, n - i)), to + i, n - i,
                    counter);
    }
  });
}

void Sum(DType type, const void* a, const void* b, void* y, size_t n,
         StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    Map(static_cast<const T*>(a), static_cast<const T*>(b), static_cast<T*>(y),
        n, counter, [](D /*d*/, V va, V vb) { return hn::Add(va, vb); });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(UnaryForward);
HWY_EXPORT(UnaryBackward);
HWY_EXPORT(MaskedScale);
HWY_EXPORT(Sum);

const uint8_t* At(const void* p, DType type, int64_t i) {
  return static_cast<const uint8_t*>(p) +
         i * static_cast<int64_t>(SizeOf(type));
}

uint8_t* At(void* p, DType type, int64_t i) {
  return static_cast<uint8_t*>(p) + i * static_cast<int64_t>(SizeOf(type));
}

void Copy(const PassContext& pass, const TensorRef& from, const TensorRef& to) {
  if (from.data == to.data) return;
  ParallelElements(
      pass, pass.batch * to.elements, *to.counter,
      [&](int64_t begin, int64_t end, StoreCounter& /*counter*/) {
        std::memcpy(At(to.data, to.type, begin), At(from.data, to.type, begin),
                    static_cast<size_t>(end - begin) * SizeOf(to.type));
      });
}

class UnaryKernel : public Kernel {
 public:
  explicit UnaryKernel(UnaryFunction function) : function_(function) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    ParallelElements(pass, pass.batch * y.elements, *y.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       HWY_DYNAMIC_DISPATCH(UnaryForward)
                       (function_, y.type, At(x.data, x.type, begin),
                        At(y.data, y.type, begin),
                        static_cast<size_t>(end - begin), counter);
                     });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const TensorRef& y = buffers.output;
    const TensorRef& dy = buffers.output_gradient;
    ParallelElements(pass, pass.batch * dx.elements, *dx.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       HWY_DYNAMIC_DISPATCH(UnaryBackward)
                       (function_, dx.type, At(y.data, y.type, begin),
                        At(dy.data, dy.type, begin),
                        At(dx.data, dx.type, begin),
                        static_cast<size_t>(end - begin), counter);
                     });
  }

 private:
  const UnaryFunction function_;
};

class CopyKernel : public Kernel {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Copy(pass, buffers.inputs[0], buffers.output);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    if (buffers.input_gradients[0].data == nullptr) return;
    Copy(pass, buffers.output_gradient, buffers.input_gradients[0]);
  }
};

class AddKernel : public Kernel {
 public:
  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& y = buffers.output;
    ParallelElements(pass, pass.batch * y.elements, *y.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       HWY_DYNAMIC_DISPATCH(Sum)
                       (y.type, At(buffers.inputs[0].data, y.type, begin),
                        At(buffers.inputs[1].data, y.type, begin),
                        At(y.data, y.type, begin),
                        static_cast<size_t>(end - begin), counter);
                     });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    for (const TensorRef& dx : buffers.input_gradients) {
      if (dx.data != nullptr) Copy(pass, buffers.output_gradient, dx);
    }
  }
};

class DropoutKernel : public Kernel {
 public:
  DropoutKernel(double rate, uint32_t stream) : rate_(rate), stream_(stream) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    if (pass.training) {
      Apply(buffers.inputs[0], buffers.output, pass);
    } else {
      Copy(pass, buffers.inputs[0], buffers.output);
    }
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    if (buffers.input_gradients[0].data == nullptr) return;
    Apply(buffers.output_gradient, buffers.input_gradients[0], pass);
  }

 private:
  void Apply(const TensorRef& from, const TensorRef& to,
             const PassContext& pass) const {
    const float scale = RoundToType(1.0 / (1.0 - rate_), to.type);
    const RandomStream stream(pass.seed, RandomPurpose::kDropout,
                              static_cast<uint32_t>(pass.step), stream_);
    ParallelElements(pass, pass.batch * to.elements, *to.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       const auto n = static_cast<size_t>(end - begin);
                       uint32_t words[kElementsPerTask];
                       uint8_t keep[kElementsPerTask + HWY_MAX_BYTES];
                       stream.FillUniformU32(static_cast<uint64_t>(begin),
                                             absl::MakeSpan(words, n));
                       for (size_t i = 0; i < n; ++i) {
                         keep[i] =
                             RandomStream::UnitInterval(words[i]) >= rate_;
                       }
                       HWY_DYNAMIC_DISPATCH(MaskedScale)
                       (to.type, At(from.data, to.type, begin), keep, scale,
                        At(to.data, to.type, begin),
                        static_cast<size_t>(end - begin), counter);
                     });
  }

  const double rate_;
  const uint32_t stream_;
};

}  // namespace

std::unique_ptr<Kernel> MakeUnary(UnaryFunction function) {
  return std::make_unique<UnaryKernel>(function);
}

std::unique_ptr<Kernel> MakeDropout(double rate, uint32_t stream) {
  return std::make_unique<DropoutKernel>(rate, stream);
}

std::unique_ptr<Kernel> MakeScale(const ScaleAttributes& /*a*/) {
  return nullptr;
}

std::unique_ptr<Kernel> MakePositionEmbedding() { return nullptr; }

std::unique_ptr<Kernel> MakeCopy() { return std::make_unique<CopyKernel>(); }

std::unique_ptr<Kernel> MakeAdd() { return std::make_unique<AddKernel>(); }

void Accumulate(const PassContext& pass, DType type, int64_t n,
                const void* term, void* sum, StoreCounter& counter) {
  ParallelElements(
      pass, n, counter, [&](int64_t begin, int64_t end, StoreCounter& part) {
        HWY_DYNAMIC_DISPATCH(Sum)
        (type, At(sum, type, begin), At(term, type, begin),
         At(sum, type, begin), static_cast<size_t>(end - begin), part);
      });
}

}  // namespace repro16
#endif  // HWY_ONCE
