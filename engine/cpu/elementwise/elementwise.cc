#include "engine/cpu/elementwise/elementwise.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/sums/reduce_rows.h"
#include "engine/graph/rounded_factors.h"
#include "engine/numerics/random_draw.h"
#include "engine/numerics/random_stream.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/elementwise/elementwise.cc"
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
        return Map(from, to, n, counter, [](D d, V v) {
          const V six = hn::Set(d, 6.0f);
          const V capped = hn::IfThenElse(hn::Ge(v, six), six, v);
          return hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), capped);
        });
      case UnaryFunction::kGelu:
        return Map(from, to, n, counter, [](D d, V v) { return Gelu(d, v); });
    }
  });
}

// `stored` is the output, or the input where ReadsInput says so.
void UnaryBackward(UnaryFunction function, DType type, const void* stored,
                   const void* dy, void* dx, size_t n, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* value = static_cast<const T*>(stored);
    const T* gradient = static_cast<const T*>(dy);
    T* to = static_cast<T*>(dx);
    switch (function) {
      case UnaryFunction::kRelu:
        return Map(value, gradient, to, n, counter, [](D d, V out, V g) {
          return hn::IfThenElseZero(hn::Gt(out, hn::Zero(d)), g);
        });
      case UnaryFunction::kTanh:
        return Map(value, gradient, to, n, counter, [](D d, V out, V g) {
          return hn::Mul(g, hn::NegMulAdd(out, out, hn::Set(d, 1.0f)));
        });
      case UnaryFunction::kRelu6:
        return Map(value, gradient, to, n, counter, [](D d, V out, V g) {
          const auto inside =
              hn::And(hn::Gt(out, hn::Zero(d)), hn::Lt(out, hn::Set(d, 6.0f)));
          return hn::IfThenElseZero(inside, g);
        });
      case UnaryFunction::kGelu:
        return Map(value, gradient, to, n, counter, [](D d, V in, V g) {
          return hn::Mul(g, GeluDerivative(d, in));
        });
    }
  });
}

// y[i] = x[i] * factor.
void Multiply(DType type, const void* x, float factor, void* y, size_t n,
              StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    Map(static_cast<const T*>(x), static_cast<T*>(y), n, counter,
        [factor](D d, V v) { return hn::Mul(v, hn::Set(d, factor)); });
  });
}

// y[i] = DropoutKeeps(words[i], threshold) ? x[i] * factor : 0.
template <class T>
void MaskedMultiply(const T* x, const uint32_t* words, int32_t threshold,
                    float factor, T* y, size_t n, StoreCounter& counter) {
  const D d;
  const hn::RebindToSigned<D> di;
  const hn::RebindToUnsigned<D> du;
  const size_t lanes = hn::Lanes(d);
  const V scale = hn::Set(d, factor);
  const auto least = hn::Set(di, threshold);
  const auto masked = [&](V v, hn::VFromD<decltype(du)> w) HWY_ATTR {
    const auto draw = hn::BitCast(di, hn::ShiftRight<8>(w));  // not negative
    const auto kept = hn::RebindMask(d, hn::Ge(draw, least));
    return hn::IfThenElseZero(kept, hn::Mul(v, scale));
  };
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreRounded(d, masked(LoadF32(d, x + i), hn::LoadU(du, words + i)), y + i,
                 counter);
  }
  if (i < n) {
    StoreRoundedN(
        d, masked(LoadF32N(d, x + i, n - i), hn::LoadN(du, words + i, n - i)),
        y + i, n - i, counter);
  }
}

void Drop(DType type, const void* x, const uint32_t* words, int32_t threshold,
          float factor, void* y, size_t n, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    MaskedMultiply(static_cast<const T*>(x), words, threshold, factor,
                   static_cast<T*>(y), n, counter);
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
HWY_EXPORT(Multiply);
HWY_EXPORT(Drop);
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

// Of the function's gradient: the input, else the output (OpTraits).
constexpr bool ReadsInput(UnaryFunction function) {
  return function == UnaryFunction::kGelu;
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
    const TensorRef& stored =
        ReadsInput(function_) ? buffers.inputs[0] : buffers.output;
    const TensorRef& dy = buffers.output_gradient;
    ParallelElements(pass, pass.batch * dx.elements, *dx.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       HWY_DYNAMIC_DISPATCH(UnaryBackward)
                       (function_, dx.type, At(stored.data, stored.type, begin),
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
  DropoutKernel(double rate, uint32_t stream)
      : rate_(rate), threshold_(DropoutThreshold(rate)), stream_(stream) {}

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
    const float scale = DropoutFactor(rate_, to.type);
    const RandomStream stream(pass.seed, RandomPurpose::kDropout,
                              static_cast<uint32_t>(pass.step), stream_);
    ParallelElements(
        pass, pass.batch * to.elements, *to.counter,
        [&](int64_t begin, int64_t end, StoreCounter& counter) {
          constexpr int64_t kWords = 1024;  // stay in the first-level cache
          uint32_t words[kWords];
          for (int64_t i = begin; i < end; i += kWords) {
            const auto n = static_cast<size_t>(std::min(kWords, end - i));
            stream.FillUniformU32(static_cast<uint64_t>(i),
                                  absl::MakeSpan(words, n));
            HWY_DYNAMIC_DISPATCH(Drop)
            (to.type, At(from.data, to.type, i), words, threshold_, scale,
             At(to.data, to.type, i), n, counter);
          }
        });
  }

  const double rate_;
  const int32_t threshold_;
  const uint32_t stream_;
};

class ScaleKernel : public Kernel {
 public:
  explicit ScaleKernel(double factor) : factor_(factor) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    Apply(buffers.inputs[0], buffers.output, pass);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    if (buffers.input_gradients[0].data == nullptr) return;
    Apply(buffers.output_gradient, buffers.input_gradients[0], pass);
  }

 private:
  void Apply(const TensorRef& from, const TensorRef& to,
             const PassContext& pass) const {
    const float factor = RoundToType(factor_, to.type);
    ParallelElements(pass, pass.batch * to.elements, *to.counter,
                     [&](int64_t begin, int64_t end, StoreCounter& counter) {
                       HWY_DYNAMIC_DISPATCH(Multiply)
                       (to.type, At(from.data, to.type, begin), factor,
                        At(to.data, to.type, begin),
                        static_cast<size_t>(end - begin), counter);
                     });
  }

  const double factor_;
};

class PositionEmbeddingKernel : public Kernel {
 public:
  explicit PositionEmbeddingKernel(int64_t elements) : elements_(elements) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return ReduceRowsWorkspaceBytes(max_batch, elements_);
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& e = buffers.parameters[0];
    const TensorRef& y = buffers.output;
    ParallelElements(
        pass, pass.batch * y.elements, *y.counter,
        [&](int64_t begin, int64_t end, StoreCounter& counter) {
          while (begin < end) {  // up to the end of an example
            const int64_t position = begin % y.elements;
            const int64_t n = std::min(end - begin, y.elements - position);
            HWY_DYNAMIC_DISPATCH(Sum)
            (y.type, At(x.data, y.type, begin), At(e.data, y.type, position),
             At(y.data, y.type, begin), static_cast<size_t>(n), counter);
            begin += n;
          }
        });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dy = buffers.output_gradient;
    ReduceRows(dy, buffers.parameter_gradients[0], pass);
    if (buffers.input_gradients[0].data == nullptr) return;
    Copy(pass, dy, buffers.input_gradients[0]);
  }

 private:
  const int64_t elements_;
};

}  // namespace

std::unique_ptr<Kernel> MakeUnary(UnaryFunction function) {
  return std::make_unique<UnaryKernel>(function);
}

std::unique_ptr<Kernel> MakeDropout(double rate, uint32_t stream) {
  return std::make_unique<DropoutKernel>(rate, stream);
}

std::unique_ptr<Kernel> MakeScale(const ScaleAttributes& attributes) {
  return std::make_unique<ScaleKernel>(attributes.factor);
}

std::unique_ptr<Kernel> MakePositionEmbedding(const Shape& in) {
  return std::make_unique<PositionEmbeddingKernel>(in.NumElements());
}

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
