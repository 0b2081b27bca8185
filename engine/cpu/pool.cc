#include "engine/cpu/pool.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <type_traits>

#include "engine/cpu/visit_dtype.h"
#include "engine/cpu/window_taps.h"
#include "engine/numerics/reduction.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/pool.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must come after foreach_target.h.
#include "engine/cpu/channel_vectors-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;
using V = hn::VFromD<D>;

// Vectors of channels side by side.
constexpr size_t kGroup = 4;

// Calls fn(out row, out column) over the outputs, ascending.
template <class Fn>
HWY_INLINE void ForEachOutput(const ImageTaps& taps, const Fn& fn) {
  for (int64_t h = 0; h < taps.output_rows.positions(); ++h) {
    for (int64_t v = 0; v < taps.output_cols.positions(); ++v) fn(h, v);
  }
}

// Calls fn(element of the pixel's first channel) over the inputs of an output's
// window, ascending.
template <class Fn>
HWY_INLINE void ForEachInput(const ImageWindow& shape, const ImageTaps& taps,
                             int64_t h, int64_t v, const Fn& fn) {
  for (const auto& row : taps.output_rows[h]) {
    for (const auto& col : taps.output_cols[v]) {
      fn((row.source * shape.in_width + col.source) * shape.in_channels);
    }
  }
}

// --- Maximum

// Bits of a float, of whatever type, as a signed integer of the same order: its
// own inverse. +0 comes above -0 and the canonical NaN, the only one that is
// ever stored, above all numbers.
template <class DI, class VI = hn::VFromD<DI>>
HWY_INLINE VI OrderedKey(DI d, VI bits) {
  using I = hn::TFromD<DI>;
  const VI negative = hn::ShiftRight<sizeof(I) * 8 - 1>(bits);
  const VI magnitude = hn::Set(d, std::numeric_limits<I>::max());
  return hn::Xor(bits, hn::And(negative, magnitude));
}

// I: an integer as wide as the storage type.
template <class I>
void MaxExample(const ImageWindow& shape, const ImageTaps& taps, const I* x,
                I* y) {
  const hn::ScalableTag<I> d;
  using VI = hn::VFromD<decltype(d)>;
  const size_t lanes = hn::Lanes(d);
  ForEachOutput(taps, [&](int64_t h, int64_t v) HWY_ATTR {
    ForEachChannels<kGroup>(
        d, static_cast<size_t>(shape.in_channels),
        [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
          VI best[vectors];
          for (VI& b : best) b = hn::Set(d, std::numeric_limits<I>::min());
          ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
            const I* from = x + pixel + channels.begin;
            for (size_t i = 0; i < vectors; ++i) {
              const VI bits = narrow ? hn::LoadN(d, from, channels.end)
                                     : hn::LoadU(d, from + i * lanes);
              best[i] = hn::Max(best[i], OrderedKey(d, bits));
            }
          });
          I* to = y + (h * shape.out_width + v) * shape.in_channels +
                  channels.begin;
          for (size_t i = 0; i < vectors; ++i) {
            const VI bits = OrderedKey(d, best[i]);
            if (narrow) {
              hn::StoreN(bits, d, to, channels.end);
            } else {
              hn::StoreU(bits, d, to + i * lanes);
            }
          }
        });
  });
}

// Where `pending` still waits for the input that equals y, and this is the one:
// returns it, and clears it there. 0 elsewhere.
HWY_INLINE V TakeIfMaximum(D d, V x, V y, V& pending) {
  (void)d;
  const auto found = hn::Or(hn::Eq(x, y), hn::IsNaN(x));
  const V taken = hn::IfThenElseZero(found, pending);
  pending = hn::IfThenZeroElse(found, pending);
  return taken;
}

// Windows that do not overlap: an input has one term, or none.
template <class T>
void MaxGradientApart(const ImageWindow& shape, const ImageTaps& taps,
                      const T* x, const T* y, const T* dy, T* dx,
                      StoreCounter& counter) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  ForEachOutput(taps, [&](int64_t h, int64_t v) HWY_ATTR {
    const int64_t output = (h * shape.out_width + v) * shape.in_channels;
    ForEachChannels<kGroup>(
        d, static_cast<size_t>(shape.in_channels),
        [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
          const T* maximum = y + output + channels.begin;
          const T* gradient = dy + output + channels.begin;
          V largest[vectors], pending[vectors];
          for (size_t i = 0; i < vectors; ++i) {
            largest[i] =
                LoadChannels<narrow>(d, maximum + i * lanes, channels.end);
            // A chain starts at +0.
            pending[i] = hn::Add(
                hn::Zero(d),
                LoadChannels<narrow>(d, gradient + i * lanes, channels.end));
          }
          ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
            const int64_t first = pixel + static_cast<int64_t>(channels.begin);
            for (size_t i = 0; i < vectors; ++i) {
              const V value =
                  LoadChannels<narrow>(d, x + first + i * lanes, channels.end);
              StoreChannels(d, TakeIfMaximum(d, value, largest[i], pending[i]),
                            dx + first + i * lanes, channels, counter);
            }
          });
        });
  });
}

// Any windows. chains: [pixels, lanes], the chains of a vector of channels.
template <class T>
void MaxGradient(const ImageWindow& shape, const ImageTaps& taps, const T* x,
                 const T* y, const T* dy, T* dx, float* HWY_RESTRICT chains,
                 StoreCounter& counter) {
  const D d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t pixels = shape.in_height * shape.in_width;
  ForEachChannels<1>(
      d, static_cast<size_t>(shape.in_channels),
      [&](auto /*vectors*/, auto narrow, const Channels& channels) HWY_ATTR {
        const int64_t begin = static_cast<int64_t>(channels.begin);
        std::memset(chains, 0,
                    static_cast<size_t>(pixels * lanes) * sizeof(float));
        ForEachOutput(taps, [&](int64_t h, int64_t v) HWY_ATTR {
          const int64_t output =
              (h * shape.out_width + v) * shape.in_channels + begin;
          const V largest = LoadChannels<narrow>(d, y + output, channels.end);
          V pending = LoadChannels<narrow>(d, dy + output, channels.end);
          ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
            const V value =
                LoadChannels<narrow>(d, x + pixel + begin, channels.end);
            float* chain = chains + pixel / shape.in_channels * lanes;
            // Adding +0 to a chain leaves it as it is: it starts at +0, so it
            // is never -0.
            hn::Store(hn::Add(hn::Load(d, chain),
                              TakeIfMaximum(d, value, largest, pending)),
                      d, chain);
          });
        });
        for (int64_t pixel = 0; pixel < pixels; ++pixel) {
          StoreChannels(d, hn::Load(d, chains + pixel * lanes),
                        dx + pixel * shape.in_channels + begin, channels,
                        counter);
        }
      });
}

void MaxForward(DType type, const ImageWindow& shape, const ImageTaps& taps,
                const void* x, void* y) {
  if (SizeOf(type) == 4) {
    return MaxExample(shape, taps, static_cast<const int32_t*>(x),
                      static_cast<int32_t*>(y));
  }
  MaxExample(shape, taps, static_cast<const int16_t*>(x),
             static_cast<int16_t*>(y));
}

// chains: null if windows do not overlap.
void MaxBackward(DType type, const ImageWindow& shape, const ImageTaps& taps,
                 const void* x, const void* y, const void* dy, void* dx,
                 float* chains, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* in = static_cast<const T*>(x);
    const T* out = static_cast<const T*>(y);
    const T* gradient = static_cast<const T*>(dy);
    T* to = static_cast<T*>(dx);
    if (chains != nullptr) {
      MaxGradient(shape, taps, in, out, gradient, to, chains, counter);
    } else {
      MaxGradientApart(shape, taps, in, out, gradient, to, counter);
    }
  });
}

// --- Mean

// v / count. By a power of two, whose reciprocal is exact, a multiplication
// rounds the same quotient.
class Divider {
 public:
  explicit Divider(int64_t count)
      : exact_((count & (count - 1)) == 0),
        factor_(exact_ ? 1.0f / static_cast<float>(count)
                       : static_cast<float>(count)) {}

  HWY_INLINE V operator()(D d, V v) const {
    const V factor = hn::Set(d, factor_);
    return exact_ ? hn::Mul(v, factor) : hn::Div(v, factor);
  }

 private:
  const bool exact_;
  const float factor_;
};

int64_t InputsOf(const ImageTaps& taps, int64_t h, int64_t v) {
  return static_cast<int64_t>(taps.output_rows[h].size() *
                              taps.output_cols[v].size());
}

void AverageForward(DType type, const ImageWindow& shape, const ImageTaps& taps,
                    const void* x, void* y, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* in = static_cast<const T*>(x);
    T* out = static_cast<T*>(y);
    const D d;
    const size_t lanes = hn::Lanes(d);
    ForEachOutput(taps, [&](int64_t h, int64_t v) HWY_ATTR {
      const Divider mean(InputsOf(taps, h, v));
      ForEachChannels<kGroup>(
          d, static_cast<size_t>(shape.in_channels),
          [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
            V sum[vectors];
            for (V& s : sum) s = hn::Zero(d);
            ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
              const T* from = in + pixel + channels.begin;
              for (size_t i = 0; i < vectors; ++i) {
                sum[i] = hn::Add(
                    sum[i],
                    LoadChannels<narrow>(d, from + i * lanes, channels.end));
              }
            });
            T* to = out + (h * shape.out_width + v) * shape.in_channels +
                    channels.begin;
            for (size_t i = 0; i < vectors; ++i) {
              StoreChannels(d, mean(d, sum[i]), to + i * lanes, channels,
                            counter);
            }
          });
    });
  });
}

// The gradient of input (p, q).
template <class T>
void AverageGradient(const ImageWindow& shape, const ImageTaps& taps, int64_t p,
                     int64_t q, const T* dy, T* dx, StoreCounter& counter) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto rows = taps.input_rows[p], cols = taps.input_cols[q];
  ForEachChannels<kGroup>(
      d, static_cast<size_t>(shape.in_channels),
      [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
        V sum[vectors];
        for (V& s : sum) s = hn::Zero(d);
        // Outputs ascend as taps descend.
        for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
          for (auto col = cols.rbegin(); col != cols.rend(); ++col) {
            const Divider share(InputsOf(taps, row->source, col->source));
            const T* from = dy +
                            (row->source * shape.out_width + col->source) *
                                shape.in_channels +
                            channels.begin;
            for (size_t i = 0; i < vectors; ++i) {
              const V gradient =
                  LoadChannels<narrow>(d, from + i * lanes, channels.end);
              sum[i] = hn::Add(sum[i], share(d, gradient));
            }
          }
        }
        T* to =
            dx + (p * shape.in_width + q) * shape.in_channels + channels.begin;
        for (size_t i = 0; i < vectors; ++i) {
          StoreChannels(d, sum[i], to + i * lanes, channels, counter);
        }
      });
}

void AverageBackward(DType type, const ImageWindow& shape,
                     const ImageTaps& taps, const void* dy, void* dx,
                     StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    for (int64_t p = 0; p < shape.in_height; ++p) {
      for (int64_t q = 0; q < shape.in_width; ++q) {
        AverageGradient(shape, taps, p, q, static_cast<const T*>(dy),
                        static_cast<T*>(dx), counter);
      }
    }
  });
}

// x: [pixels, channels].
void GlobalAverageForward(DType type, int64_t pixels, int64_t channels_count,
                          const void* x, void* y, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const D d;
    const size_t lanes = hn::Lanes(d);
    const Divider mean(pixels);
    ForEachChannels<kGroup>(
        d, static_cast<size_t>(channels_count),
        [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
          V total[vectors];
          for (V& t : total) t = hn::Zero(d);
          const T* from = static_cast<const T*>(x) + channels.begin;
          for (int64_t begin = 0; begin < pixels; begin += kReductionChunk) {
            const int64_t end = std::min(begin + kReductionChunk, pixels);
            V chunk[vectors];
            for (V& c : chunk) c = hn::Zero(d);
            for (int64_t p = begin; p < end; ++p, from += channels_count) {
              for (size_t i = 0; i < vectors; ++i) {
                chunk[i] = hn::Add(
                    chunk[i],
                    LoadChannels<narrow>(d, from + i * lanes, channels.end));
              }
            }
            for (size_t i = 0; i < vectors; ++i) {
              total[i] = begin == 0 ? chunk[i] : hn::Add(total[i], chunk[i]);
            }
          }
          T* to = static_cast<T*>(y) + channels.begin;
          for (size_t i = 0; i < vectors; ++i) {
            StoreChannels(d, mean(d, total[i]), to + i * lanes, channels,
                          counter);
          }
        });
  });
}

void GlobalAverageBackward(DType type, int64_t pixels, int64_t channels_count,
                           const void* dy, void* dx, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const D d;
    const size_t lanes = hn::Lanes(d);
    const Divider share(pixels);
    ForEachChannels<kGroup>(
        d, static_cast<size_t>(channels_count),
        [&](auto vectors, auto narrow, const Channels& channels) HWY_ATTR {
          const T* from = static_cast<const T*>(dy) + channels.begin;
          V gradient[vectors];
          for (size_t i = 0; i < vectors; ++i) {
            gradient[i] = share(
                d, LoadChannels<narrow>(d, from + i * lanes, channels.end));
          }
          T* to = static_cast<T*>(dx) + channels.begin;
          for (int64_t p = 0; p < pixels; ++p, to += channels_count) {
            for (size_t i = 0; i < vectors; ++i) {
              StoreChannels(d, gradient[i], to + i * lanes, channels, counter);
            }
          }
        });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(MaxForward);
HWY_EXPORT(MaxBackward);
HWY_EXPORT(AverageForward);
HWY_EXPORT(AverageBackward);
HWY_EXPORT(GlobalAverageForward);
HWY_EXPORT(GlobalAverageBackward);

uint8_t* Example(const TensorRef& tensor, int64_t n) {
  return static_cast<uint8_t*>(tensor.data) + n * tensor.Bytes(1);
}

class MaxPoolKernel : public Kernel {
 public:
  explicit MaxPoolKernel(const ImageWindow& shape)
      : shape_(shape),
        taps_(shape),
        overlap_(shape.window.stride <
                 std::max(shape.window.height, shape.window.width)) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return overlap_ ? std::min(max_batch, kMaxTasks) * ChainBytes() : 0;
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      HWY_DYNAMIC_DISPATCH(MaxForward)
      (y.type, shape_, taps_, Example(x, n), Example(y, n));
    });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const bool leaves_gaps =
        !overlap_ && !(Covers(taps_.input_rows) && Covers(taps_.input_cols));
    const int64_t tasks = std::min(pass.batch, kMaxTasks);
    pass.pool->RunCounted(
        tasks, *dx.counter, [&](int64_t task, StoreCounter& counter) {
          float* chains = overlap_ ? reinterpret_cast<float*>(
                                         pass.workspace + task * ChainBytes())
                                   : nullptr;
          for (int64_t n = task * pass.batch / tasks;
               n < (task + 1) * pass.batch / tasks; ++n) {
            if (leaves_gaps) {
              std::memset(Example(dx, n), 0, static_cast<size_t>(dx.Bytes(1)));
            }
            HWY_DYNAMIC_DISPATCH(MaxBackward)
            (dx.type, shape_, taps_, Example(buffers.inputs[0], n),
             Example(buffers.output, n), Example(buffers.output_gradient, n),
             Example(dx, n), chains, counter);
          }
        });
  }

 private:
  // Tasks of the backward pass, each with chains of its own.
  static constexpr int64_t kMaxTasks = 32;
  static constexpr int64_t kMaxVectorBytes = 64;

  int64_t ChainBytes() const {
    return shape_.in_height * shape_.in_width * kMaxVectorBytes;
  }

  static bool Covers(const WindowTaps& inputs) {
    for (int64_t p = 0; p < inputs.positions(); ++p) {
      if (inputs[p].empty()) return false;
    }
    return true;
  }

  const ImageWindow shape_;
  const ImageTaps taps_;
  const bool overlap_;
};

class AveragePoolKernel : public Kernel {
 public:
  explicit AveragePoolKernel(const ImageWindow& shape)
      : shape_(shape), taps_(shape) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->RunCounted(
        pass.batch, *y.counter, [&](int64_t n, StoreCounter& counter) {
          HWY_DYNAMIC_DISPATCH(AverageForward)
          (y.type, shape_, taps_, Example(x, n), Example(y, n), counter);
        });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const TensorRef& dy = buffers.output_gradient;
    pass.pool->RunCounted(
        pass.batch, *dx.counter, [&](int64_t n, StoreCounter& counter) {
          HWY_DYNAMIC_DISPATCH(AverageBackward)
          (dx.type, shape_, taps_, Example(dy, n), Example(dx, n), counter);
        });
  }

 private:
  const ImageWindow shape_;
  const ImageTaps taps_;
};

class GlobalAveragePoolKernel : public Kernel {
 public:
  explicit GlobalAveragePoolKernel(const Shape& in)
      : pixels_(in[0] * in[1]), channels_(in[2]) {}

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->RunCounted(
        pass.batch, *y.counter, [&](int64_t n, StoreCounter& counter) {
          HWY_DYNAMIC_DISPATCH(GlobalAverageForward)
          (y.type, pixels_, channels_, Example(x, n), Example(y, n), counter);
        });
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    const TensorRef& dx = buffers.input_gradients[0];
    if (dx.data == nullptr) return;
    const TensorRef& dy = buffers.output_gradient;
    pass.pool->RunCounted(pass.batch, *dx.counter,
                          [&](int64_t n, StoreCounter& counter) {
                            HWY_DYNAMIC_DISPATCH(GlobalAverageBackward)
                            (dx.type, pixels_, channels_, Example(dy, n),
                             Example(dx, n), counter);
                          });
  }

 private:
  const int64_t pixels_;
  const int64_t channels_;
};

}  // namespace

std::unique_ptr<Kernel> MakeMaxPool(const ImageWindow& shape) {
  return std::make_unique<MaxPoolKernel>(shape);
}

std::unique_ptr<Kernel> MakeAveragePool(const ImageWindow& shape) {
  return std::make_unique<AveragePoolKernel>(shape);
}

std::unique_ptr<Kernel> MakeGlobalAveragePool(const Shape& in) {
  return std::make_unique<GlobalAveragePoolKernel>(in);
}

}  // namespace repro16
#endif  // HWY_ONCE
