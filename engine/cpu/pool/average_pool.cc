#include <algorithm>
#include <cstddef>

#include "engine/cpu/kernel.h"
#include "engine/cpu/pool/pool.h"
#include "engine/graph/window.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/pool/average_pool.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must come after foreach_target.h.
#include "engine/cpu/pool/pool-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;
using V = hn::VFromD<D>;

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
      ForEachChannels<kChannelGroup>(
          d, static_cast<size_t>(shape.in_channels),
          [&](auto vectors, auto narrow,
              const ChannelVectors& channels) HWY_ATTR {
            V sum[vectors];
            for (V& s : sum) s = hn::Zero(d);
            ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
              const T* from = in + pixel * shape.in_channels + channels.begin;
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
  ForEachChannels<kChannelGroup>(
      d, static_cast<size_t>(shape.in_channels),
      [&](auto vectors, auto narrow, const ChannelVectors& channels) HWY_ATTR {
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
    ForEachChannels<kChannelGroup>(
        d, static_cast<size_t>(channels_count),
        [&](auto vectors, auto narrow,
            const ChannelVectors& channels) HWY_ATTR {
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
    ForEachChannels<kChannelGroup>(
        d, static_cast<size_t>(channels_count),
        [&](auto vectors, auto narrow,
            const ChannelVectors& channels) HWY_ATTR {
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

HWY_EXPORT(AverageForward);
HWY_EXPORT(AverageBackward);
HWY_EXPORT(GlobalAverageForward);
HWY_EXPORT(GlobalAverageBackward);

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
          (y.type, shape_, taps_, ExampleOf(x, n), ExampleOf(y, n), counter);
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
          (dx.type, shape_, taps_, ExampleOf(dy, n), ExampleOf(dx, n), counter);
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
    pass.pool->RunCounted(pass.batch, *y.counter,
                          [&](int64_t n, StoreCounter& counter) {
                            HWY_DYNAMIC_DISPATCH(GlobalAverageForward)
                            (y.type, pixels_, channels_, ExampleOf(x, n),
                             ExampleOf(y, n), counter);
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
                            (dx.type, pixels_, channels_, ExampleOf(dy, n),
                             ExampleOf(dx, n), counter);
                          });
  }

 private:
  const int64_t pixels_;
  const int64_t channels_;
};

}  // namespace

std::unique_ptr<Kernel> MakeAveragePool(const ImageWindow& shape) {
  return std::make_unique<AveragePoolKernel>(shape);
}

std::unique_ptr<Kernel> MakeGlobalAveragePool(const Shape& in) {
  return std::make_unique<GlobalAveragePoolKernel>(in);
}

}  // namespace repro16
#endif  // HWY_ONCE
