#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>

#include "engine/cpu/kernel.h"
#include "engine/cpu/pool/pool.h"
#include "engine/cpu/sums/channel_sums.h"
#include "engine/graph/window.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/pool/max_pool.cc"
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
    ForEachChannels<kChannelGroup>(
        d, static_cast<size_t>(shape.in_channels),
        [&](auto vectors, auto narrow, const ChannelVectors& channels)
            HWY_ATTR {
              VI best[vectors];
              for (VI& b : best) b = hn::Set(d, std::numeric_limits<I>::min());
              ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
                const I* from = x + pixel * shape.in_channels + channels.begin;
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
    ForEachChannels<kChannelGroup>(
        d, static_cast<size_t>(shape.in_channels),
        [&](auto vectors, auto narrow,
            const ChannelVectors& channels) HWY_ATTR {
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
            const int64_t first = pixel * shape.in_channels +
                                  static_cast<int64_t>(channels.begin);
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

// Any windows. chains: [pixels, chain_stride], one for each input.
template <class T>
void MaxGradient(const ImageWindow& shape, const ImageTaps& taps, const T* x,
                 const T* y, const T* dy, T* dx, float* HWY_RESTRICT chains,
                 int64_t chain_stride, StoreCounter& counter) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const int64_t pixels = shape.in_height * shape.in_width;
  const size_t channels_count = static_cast<size_t>(shape.in_channels);
  std::memset(chains, 0,
              static_cast<size_t>(pixels * chain_stride) * sizeof(float));
  ForEachOutput(taps, [&](int64_t h, int64_t v) HWY_ATTR {
    const int64_t output = (h * shape.out_width + v) * shape.in_channels;
    ForEachChannels<1>(
        d, channels_count,
        [&](auto /*vectors*/, auto narrow, const ChannelVectors& channels)
            HWY_ATTR {
              const T* from = x + channels.begin;
              float* to = chains + channels.begin;
              const V largest = LoadChannels<narrow>(
                  d, y + output + channels.begin, channels.end);
              // Lanes of the vector before this one have been added.
              V pending = hn::IfThenZeroElse(
                  hn::FirstN(d, channels.first),
                  LoadChannels<narrow>(d, dy + output + channels.begin,
                                       channels.end));
              ForEachInput(shape, taps, h, v, [&](int64_t pixel) HWY_ATTR {
                const V value = LoadChannels<narrow>(
                    d, from + pixel * shape.in_channels, channels.end);
                float* chain = to + pixel * chain_stride;
                // Adding +0 to a chain leaves it as it is: it starts at +0, so
                // it is never -0.
                hn::StoreU(hn::Add(hn::LoadU(d, chain),
                                   TakeIfMaximum(d, value, largest, pending)),
                           d, chain);
              });
            });
  });
  for (int64_t pixel = 0; pixel < pixels; ++pixel) {
    const float* from = chains + pixel * chain_stride;
    T* to = dx + pixel * shape.in_channels;
    ForEachChannels<kChannelGroup>(
        d, channels_count,
        [&](auto vectors, auto /*narrow*/,
            const ChannelVectors& channels) HWY_ATTR {
          for (size_t i = 0; i < vectors; ++i) {
            const size_t c = channels.begin + i * lanes;
            StoreChannels(d, hn::LoadU(d, from + c), to + c, channels, counter);
          }
        });
  }
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
                 float* chains, int64_t chain_stride, StoreCounter& counter) {
  VisitDType(type, [&](auto tag) {
    using T = decltype(tag);
    const T* in = static_cast<const T*>(x);
    const T* out = static_cast<const T*>(y);
    const T* gradient = static_cast<const T*>(dy);
    T* to = static_cast<T*>(dx);
    if (chains != nullptr) {
      MaxGradient(shape, taps, in, out, gradient, to, chains, chain_stride,
                  counter);
    } else {
      MaxGradientApart(shape, taps, in, out, gradient, to, counter);
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

HWY_EXPORT(MaxForward);
HWY_EXPORT(MaxBackward);

class MaxPoolKernel : public Kernel {
 public:
  explicit MaxPoolKernel(const ImageWindow& shape)
      : shape_(shape),
        taps_(shape),
        overlap_(shape.window.stride <
                 std::max(shape.window.height, shape.window.width)),
        chain_stride_(PaddedChannels(shape.in_channels)) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    return overlap_ ? std::min(max_batch, kMaxTasks) * ChainBytes() : 0;
  }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    const TensorRef& x = buffers.inputs[0];
    const TensorRef& y = buffers.output;
    pass.pool->Run(pass.batch, [&](int64_t n, int /*worker*/) {
      HWY_DYNAMIC_DISPATCH(MaxForward)
      (y.type, shape_, taps_, ExampleOf(x, n), ExampleOf(y, n));
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
              std::memset(ExampleOf(dx, n), 0,
                          static_cast<size_t>(dx.Bytes(1)));
            }
            HWY_DYNAMIC_DISPATCH(MaxBackward)
            (dx.type, shape_, taps_, ExampleOf(buffers.inputs[0], n),
             ExampleOf(buffers.output, n),
             ExampleOf(buffers.output_gradient, n), ExampleOf(dx, n), chains,
             chain_stride_, counter);
          }
        });
  }

 private:
  // Tasks of the backward pass, each with chains of its own.
  static constexpr int64_t kMaxTasks = 32;

  int64_t ChainBytes() const {
    return shape_.in_height * shape_.in_width * chain_stride_ *
           static_cast<int64_t>(sizeof(float));
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
  const int64_t chain_stride_;  // of a pixel's channels, whole vectors
};

}  // namespace

std::unique_ptr<Kernel> MakeMaxPool(const ImageWindow& shape) {
  return std::make_unique<MaxPoolKernel>(shape);
}

}  // namespace repro16
#endif  // HWY_ONCE
