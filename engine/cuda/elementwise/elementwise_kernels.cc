#include "engine/cuda/elementwise/elementwise_kernels.h"

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/store.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/random_draw.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

// --- Functions: of a value, and of what is stored for the gradient

struct Relu {
  static SIMT_FUNCTION float Value(float x) { return x <= 0.0f ? 0.0f : x; }
  static SIMT_FUNCTION float Gradient(float y, float dy) {
    return y > 0.0f ? dy : 0.0f;
  }
};

struct Relu6 {
  static SIMT_FUNCTION float Value(float x) {
    if (x <= 0.0f) return 0.0f;
    return x >= 6.0f ? 6.0f : x;
  }
  static SIMT_FUNCTION float Gradient(float y, float dy) {
    return y > 0.0f && y < 6.0f ? dy : 0.0f;
  }
};

struct TanhFunction {
  static SIMT_FUNCTION float Value(float x) { return Tanh(x); }
  static SIMT_FUNCTION float Gradient(float y, float dy) {
    return f32::Mul(dy, f32::Fma(-y, y, 1.0f));
  }
};

struct GeluFunction {
  static SIMT_FUNCTION float Value(float x) { return Gelu(x); }
  static SIMT_FUNCTION float Gradient(float x, float dy) {
    return f32::Mul(dy, GeluDerivative(x));
  }
};

template <class Fn>
void VisitFunction(UnaryFunction function, const Fn& fn) {
  switch (function) {
    case UnaryFunction::kRelu:
      return fn(Relu());
    case UnaryFunction::kRelu6:
      return fn(Relu6());
    case UnaryFunction::kTanh:
      return fn(TanhFunction());
    case UnaryFunction::kGelu:
      return fn(GeluFunction());
  }
}

// --- Kernels: element i of each is `Value(i)` of a structure of arguments

template <class T, class Function>
struct UnaryValue {
  const T* x;
  SIMT_FUNCTION float Value(int i) const {
    return Function::Value(ToFloat(x[i]));
  }
};

template <class T, class Function>
struct GradientValue {
  const T* stored;
  const T* dy;
  SIMT_FUNCTION float Value(int i) const {
    return Function::Gradient(LoadF32(stored + i), ToFloat(dy[i]));
  }
};

template <class T>
struct SumValue {
  const T* a;
  const T* b;
  Divisor period;
  SIMT_FUNCTION float Value(int i) const {
    int rest;
    period.Divide(i, &rest);
    return f32::Add(ToFloat(a[i]), ToFloat(b[rest]));
  }
};

template <class T>
struct ScaledValue {
  const T* x;
  float factor;
  SIMT_FUNCTION float Value(int i) const {
    return f32::Mul(ToFloat(x[i]), factor);
  }
};

template <class T>
struct KeptValue {
  const T* x;
  float factor;
  int32_t threshold;
  uint64_t seed;
  uint32_t part;
  const StepState* step;
  SIMT_FUNCTION float Value(int i) const {
    const RandomStreamId stream = MakeRandomStreamId(
        seed, RandomPurpose::kDropout, static_cast<uint32_t>(step->step), part);
    const uint32_t word = RandomWord(stream, static_cast<uint64_t>(i));
    return DropoutKeeps(word, threshold) ? f32::Mul(ToFloat(x[i]), factor)
                                         : 0.0f;
  }
};

// out[i] = r(values.Value(i)); out may be what Value reads at i.
template <class T, class Values>
SIMT_KERNEL(kElementThreads, 1)
MapKernel(const Values values, int n, T* out, StoreCounter* counter) {
  auto& shared = SharedMemory<CountsShared>();
  const int i = ElementIndex();
  StoreCounts counts;
  if (i < n) counts.Store(values.Value(i), out + i);
  counts.AddTo(counter, shared);
}

template <class T, class Values>
void Map(Stream& stream, const Values& values, int64_t n, void* out,
         StoreCounter* counter) {
  Launch(stream, MapKernel<T, Values>, ElementGrid(n), kElementThreads,
         sizeof(CountsShared), values, static_cast<int>(n),
         static_cast<T*>(out), counter);
}

}  // namespace

void Unary(const UnaryArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    VisitFunction(args.function, [&](auto function) {
      const UnaryValue<T, decltype(function)> values = {
          static_cast<const T*>(args.x)};
      Map<T>(stream, values, args.n, args.y, args.counter);
    });
  });
}

void UnaryGradient(const UnaryGradientArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    VisitFunction(args.function, [&](auto function) {
      const GradientValue<T, decltype(function)> values = {
          static_cast<const T*>(args.stored), static_cast<const T*>(args.dy)};
      Map<T>(stream, values, args.n, args.dx, args.counter);
    });
  });
}

void Add(const AddArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    const SumValue<T> values = {static_cast<const T*>(args.a),
                                static_cast<const T*>(args.b),
                                Divisor(args.period)};
    Map<T>(stream, values, args.n, args.y, args.counter);
  });
}

void Scale(const ScaleArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    const ScaledValue<T> values = {static_cast<const T*>(args.x), args.factor};
    Map<T>(stream, values, args.n, args.y, args.counter);
  });
}

void Dropout(const DropoutArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    const KeptValue<T> values = {static_cast<const T*>(args.x),
                                 args.factor,
                                 args.threshold,
                                 args.seed,
                                 args.part,
                                 args.step};
    Map<T>(stream, values, args.n, args.y, args.counter);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
