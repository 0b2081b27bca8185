#include "engine/cpu/norm/batch_norm.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/cpu/sums/channel_sums.h"
#include "engine/graph/rounded_factors.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/norm/batch_norm.cc"
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

// --- What is known of a channel

// Arrays by channel that start over after the last one, so that a vector can
// start at any channel: element c + channels equals element c, for one vector.
struct ChannelConstants {
  ChannelConstants(int64_t channels, uint8_t* workspace)
      : sums(reinterpret_cast<float*>(workspace)) {
    for (float** a : {&mean, &inv, &scale, &beta, &mean_gradient, &slope}) {
      *a = sums;
      sums += PaddedChannels(channels) + kWidestVector;
    }
  }

  float* mean;
  float* inv;
  float* scale;
  float* beta;
  float* mean_gradient;  // s1 / n
  float* slope;          // k
  float* sums;           // SumOverRows's scratch
};

void StartOver(int64_t channels, float* a) {
  for (int64_t c = channels; c < channels + kVector; ++c)
    a[c] = a[c - channels];
}

// In place of the variance, which stands in `inv`.
void InvertVariance(int64_t channels, double epsilon,
                    const ChannelConstants& of) {
  const FloatTag d;
  const auto eps = hn::Set(d, static_cast<float>(epsilon));
  for (int64_t c = 0; c < channels; c += kVector) {
    hn::Store(Rsqrt(d, hn::Add(hn::Load(d, of.inv + c), eps)), d, of.inv + c);
  }
}

// scale and beta; inv is known.
void ReadScaleAndBeta(int64_t channels, const OpBuffers& buffers,
                      const ChannelConstants& of) {
  const FloatTag d;
  ReadParameter(buffers.parameters[0], channels, of.scale);
  ReadParameter(buffers.parameters[1], channels, of.beta);
  for (int64_t c = 0; c < channels; c += kVector) {
    const auto gamma = hn::Load(d, of.scale + c);
    hn::Store(hn::Mul(gamma, hn::Load(d, of.inv + c)), d, of.scale + c);
  }
}

// The channel of the first element after a vector.
HWY_INLINE int64_t NextChannel(int64_t c, int64_t channels) {
  c += kVector % channels;
  return c >= channels ? c - channels : c;
}

// Elements [begin, end) of [n, channels], vector by vector. op.Load(c) gives
// what is known of the channels of a vector that starts at channel c;
// op.Value(known, load, i) the result for the elements from i on, each tensor
// read through load(pointer); op.Store(value, load, i, pointer, counter) stores
// it.
template <class Op, class Counter>
void ForElements(int64_t channels, int64_t begin, int64_t end, const Op& op,
                 Counter& counter) {
  constexpr int64_t kVectorsAtOnce = 4;
  int64_t c = begin % channels;
  int64_t i = begin;
  // Where each group starts at channel c.
  if (kVectorsAtOnce * kVector % channels == 0) {
    typename Op::Known known[kVectorsAtOnce];
    REPRO16_UNROLL for (int64_t k = 0; k < kVectorsAtOnce; ++k) {
      known[k] = op.Load(c);
      c = NextChannel(c, channels);
    }
    for (; i + kVectorsAtOnce * kVector <= end; i += kVectorsAtOnce * kVector) {
      REPRO16_UNROLL for (int64_t k = 0; k < kVectorsAtOnce; ++k) {
        const int64_t at = i + k * kVector;
        op.Store(op.Value(known[k], LoadWhole(), at), LoadWhole(), at,
                 op.out + at, counter);
      }
    }
  }
  for (; i + kVector <= end; i += kVector, c = NextChannel(c, channels)) {
    op.Store(op.Value(op.Load(c), LoadWhole(), i), LoadWhole(), i, op.out + i,
             counter);
  }
  if (i == end) return;
  const auto count = static_cast<size_t>(end - i);
  const LoadFirst load = {count};
  const auto v = op.Value(op.Load(c), load, i);
  HWY_ALIGN std::remove_pointer_t<decltype(op.out)> buffer[kVector];
  op.Store(hn::IfThenElseZero(hn::FirstN(FloatTag(), count), v), load, i,
           buffer, counter);
  hwy::CopyBytes(buffer, op.out + i, count * sizeof(buffer[0]));
}

template <class Op, class Counter>
void ParallelForElements(RowExtent extent, const PassContext& pass,
                         const Op& op, Counter& total) {
  ParallelElements(pass, extent.rows * extent.channels, total,
                   [&](int64_t begin, int64_t end, Counter& counter) HWY_ATTR {
                     ForElements(extent.channels, begin, end, op, counter);
                   });
}

// --- Activations

// NaN passes.
template <FusedActivation kActivation>
HWY_INLINE FloatVector Activate(FloatVector v) {
  const FloatTag d;
  if constexpr (kActivation == FusedActivation::kNone) return v;
  const auto positive = hn::IfThenZeroElse(hn::Le(v, hn::Zero(d)), v);
  if constexpr (kActivation == FusedActivation::kRelu) return positive;
  const auto six = hn::Set(d, 6.0f);
  return hn::IfThenElse(hn::Gt(positive, six), six, positive);
}

// Stores v as normalisation and activation do one after the other. Rounding
// keeps the sign, the order and 6, so it commutes with the activation.
template <FusedActivation kActivation, class T>
HWY_INLINE void StoreActivated(FloatVector v, T* p, StoreCounter& counter) {
  const FloatTag d;
  const auto y = Activate<kActivation>(Inspect<T>(d, v, counter));
  if constexpr (sizeof(T) == 4) {
    hn::StoreU(y, d, p);
  } else {
    const hn::Rebind<uint16_t, FloatTag> du;
    hn::StoreU(RoundedBits(d, y, T()), du, reinterpret_cast<uint16_t*>(p));
  }
}

// The largest number that rounds to zero, and the smallest that rounds to 6: a
// tie goes to the even neighbour, which 6 is.
template <class T>
HWY_INLINE FloatVector RoundsToZero() {
  const hn::RebindToUnsigned<FloatTag> du;
  return hn::BitCast(FloatTag(), hn::Set(du, StoreBounds<T>::kToZero));
}
constexpr float RoundsToSix(float /*type*/) { return 6.0f; }
constexpr float RoundsToSix(Binary16 /*type*/) { return 6.0f - 0x1p-9f; }
constexpr float RoundsToSix(BFloat16 /*type*/) { return 6.0f - 0x1p-6f; }

// The gradient before the activation, where v is what it rounded and selected.
template <FusedActivation kActivation, class T>
HWY_INLINE FloatVector Gate(FloatVector v, FloatVector dy) {
  const FloatTag d;
  if constexpr (kActivation == FusedActivation::kNone) return dy;
  const auto passed = hn::IfThenElseZero(hn::Gt(v, RoundsToZero<T>()), dy);
  if constexpr (kActivation == FusedActivation::kRelu) return passed;
  return hn::IfThenElseZero(hn::Lt(v, hn::Set(d, RoundsToSix(T()))), passed);
}

// --- Forward

template <class T>
struct SquaresStep {
  static constexpr int64_t kSums = 1;
  struct Known {
    FloatVector mean;
  };
  const T* x;
  const float* mean;
  HWY_INLINE Known Load(int64_t c) const {
    return {hn::Load(FloatTag(), mean + c)};
  }
  template <class LoadVector>
  HWY_INLINE void Add(const Known& known, const LoadVector& load, int64_t at,
                      FloatVector* sum) const {
    const auto deviation = hn::Sub(load(x + at), known.mean);
    sum[0] = hn::MulAdd(deviation, deviation, sum[0]);
  }
};

// to[c] = from[c] / divisor
void Divide(int64_t channels, const float* from, float divisor, float* to) {
  const FloatTag d;
  for (int64_t c = 0; c < channels; c += kVector) {
    hn::Store(hn::Div(hn::Load(d, from + c), hn::Set(d, divisor)), d, to + c);
  }
}

void MoveStatistic(int64_t channels, const float* batch, double momentum,
                   const TensorRef& statistic) {
  VisitDType(statistic.type, [&](auto tag) HWY_ATTR {
    using P = decltype(tag);
    const FloatTag d;
    const auto rate = hn::Set(d, MovingRate(momentum, statistic.type));
    P* moving = static_cast<P*>(statistic.data);
    for (int64_t c = 0; c < channels; c += kVector) {
      const auto count = static_cast<size_t>(channels - c);
      const auto s = LoadF32N(d, moving + c, count);
      const auto b = RoundTo<P>(d, hn::Load(d, batch + c));
      const auto difference = RoundTo<P>(d, hn::Sub(s, b));
      const auto change = RoundTo<P>(d, hn::Mul(difference, rate));
      StoreRoundedN(d, hn::Sub(s, change), moving + c, count,
                    *statistic.counter);
    }
  });
}

// Leaves the mean and, in `inv`, the variance.
template <class T>
void BatchStatistics(RowExtent extent, bool image,
                     const BatchNormAttributes& attributes,
                     const OpBuffers& buffers, const ChannelConstants& of,
                     ThreadPool& pool) {
  const T* x = static_cast<const T*>(buffers.inputs[0].data);
  const float n = static_cast<float>(extent.rows);
  SumOverRows(extent, PlainSum<T>{x}, of.sums, pool);
  Divide(extent.channels, of.sums, n, of.mean);
  SumOverRows(extent, SquaresStep<T>{x, of.mean}, of.sums, pool);
  Divide(extent.channels, of.sums, image ? n - 1.0f : n, of.inv);
  MoveStatistic(extent.channels, of.mean, attributes.momentum,
                buffers.parameters[2]);
  MoveStatistic(extent.channels, of.inv, attributes.momentum,
                buffers.parameters[3]);
  Divide(extent.channels, of.sums, n, of.inv);
}

// y = act(r(fma(x - mean, scale, beta)))
template <FusedActivation kActivation, class T>
struct NormalizeOp {
  struct Known {
    FloatVector mean, scale, beta;
  };
  const ChannelConstants& of;
  const T* x;
  T* out;

  HWY_INLINE Known Load(int64_t c) const {
    const FloatTag d;
    return {hn::LoadU(d, of.mean + c), hn::LoadU(d, of.scale + c),
            hn::LoadU(d, of.beta + c)};
  }
  template <class LoadVector>
  HWY_INLINE FloatVector Value(const Known& known, const LoadVector& load,
                               int64_t i) const {
    return hn::MulAdd(hn::Sub(load(x + i), known.mean), known.scale,
                      known.beta);
  }
  template <class LoadVector>
  HWY_INLINE void Store(FloatVector v, const LoadVector& /*load*/,
                        int64_t /*i*/, T* p, StoreCounter& counter) const {
    StoreActivated<kActivation>(v, p, counter);
  }
};

void NormalizeBatch(int64_t n, int64_t channels, bool image,
                    const BatchNormAttributes& attributes,
                    const OpBuffers& buffers, const PassContext& pass) {
  const RowExtent extent = {n, channels};
  const ChannelConstants of(channels, pass.workspace);
  const TensorRef& x = buffers.inputs[0];
  const TensorRef& y = buffers.output;
  const int64_t padded = PaddedChannels(extent.channels);
  VisitDType(x.type, [&](auto tag) HWY_ATTR {
    using T = decltype(tag);
    if (pass.training) {
      BatchStatistics<T>(extent, image, attributes, buffers, of, *pass.pool);
    } else {
      ReadParameter(buffers.parameters[2], extent.channels, of.mean);
      ReadParameter(buffers.parameters[3], extent.channels, of.inv);
    }
    InvertVariance(extent.channels, attributes.epsilon, of);
    ReadScaleAndBeta(extent.channels, buffers, of);
    if (pass.training) {
      float* saved = reinterpret_cast<float*>(buffers.saved);
      std::copy_n(of.mean, padded, saved);
      std::copy_n(of.inv, padded, saved + padded);
    }
    for (float* a : {of.mean, of.scale, of.beta}) StartOver(extent.channels, a);
    VisitActivation(attributes.activation, [&](auto activation) HWY_ATTR {
      const NormalizeOp<decltype(activation)::value, T> op = {
          of, static_cast<const T*>(x.data), static_cast<T*>(y.data)};
      ParallelForElements(extent, pass, op, *y.counter);
    });
  });
}

// --- Backward

template <FusedActivation kActivation, class T>
struct GradientStep {
  static constexpr int64_t kSums = 2;
  struct Known {
    FloatVector mean, scale, beta;
  };
  const T* x;
  const T* dy;
  const ChannelConstants& of;
  HWY_INLINE Known Load(int64_t c) const {
    const FloatTag d;
    return {hn::Load(d, of.mean + c), hn::Load(d, of.scale + c),
            hn::Load(d, of.beta + c)};
  }
  template <class LoadVector>
  HWY_INLINE void Add(const Known& known, const LoadVector& load, int64_t at,
                      FloatVector* sum) const {
    const auto deviation = hn::Sub(load(x + at), known.mean);
    const auto dz = Gate<kActivation, T>(
        hn::MulAdd(deviation, known.scale, known.beta), load(dy + at));
    sum[0] = hn::Add(sum[0], dz);
    sum[1] = hn::MulAdd(dz, deviation, sum[1]);
  }
};

// dgamma in place of s2; mean_gradient and slope.
void FinishSums(int64_t channels, float n, float* s1, float* s2,
                const ChannelConstants& of) {
  const FloatTag d;
  for (int64_t c = 0; c < channels; c += kVector) {
    const auto count = hn::Set(d, n);
    const auto inv = hn::Load(d, of.inv + c);
    const auto sum2 = hn::Load(d, s2 + c);
    hn::Store(hn::Div(hn::Load(d, s1 + c), count), d, of.mean_gradient + c);
    hn::Store(hn::Mul(hn::Div(sum2, count), hn::Mul(inv, inv)), d,
              of.slope + c);
    hn::Store(hn::Mul(sum2, inv), d, s2 + c);
  }
}

// dx = r(scale * fma(-(x - mean), k, dz - s1 / n))
template <FusedActivation kActivation, class T>
struct GradientOp {
  struct Known {
    FloatVector mean, scale, beta, mean_gradient, slope;
  };
  const ChannelConstants& of;
  const T* x;
  const T* dy;
  T* out;

  HWY_INLINE Known Load(int64_t c) const {
    const FloatTag d;
    return {hn::LoadU(d, of.mean + c), hn::LoadU(d, of.scale + c),
            hn::LoadU(d, of.beta + c), hn::LoadU(d, of.mean_gradient + c),
            hn::LoadU(d, of.slope + c)};
  }
  template <class LoadVector>
  HWY_INLINE FloatVector Value(const Known& known, const LoadVector& load,
                               int64_t i) const {
    const auto deviation = hn::Sub(load(x + i), known.mean);
    const auto dz = Gate<kActivation, T>(
        hn::MulAdd(deviation, known.scale, known.beta), load(dy + i));
    const auto centred = hn::Sub(dz, known.mean_gradient);
    return hn::Mul(known.scale, hn::NegMulAdd(deviation, known.slope, centred));
  }
  template <class LoadVector>
  HWY_INLINE void Store(FloatVector v, const LoadVector& /*load*/,
                        int64_t /*i*/, T* p, StoreCounter& counter) const {
    StoreRounded(FloatTag(), v, p, counter);
  }
};

// What the roundings of a gradient, and of the sum that it is added to, did.
struct SumCounter {
  StoreCounter gradient;
  StoreCounter sum;

  bool any() const { return gradient.any() || sum.any(); }
  SumCounter& operator+=(const SumCounter& other) {
    gradient += other.gradient;
    sum += other.sum;
    return *this;
  }
};

// sum = r(sum + r(dx))
template <FusedActivation kActivation, class T>
struct AddGradientOp : GradientOp<kActivation, T> {
  template <class LoadVector>
  HWY_INLINE void Store(FloatVector v, const LoadVector& load, int64_t i, T* p,
                        SumCounter& counter) const {
    const FloatTag d;
    const auto dx = RoundTo<T>(d, Inspect<T>(d, v, counter.gradient));
    StoreRounded(d, hn::Add(load(this->out + i), dx), p, counter.sum);
  }
};

template <FusedActivation kActivation, class T>
void BackwardOf(RowExtent extent, const OpBuffers& buffers,
                const PassContext& pass, const ChannelConstants& of) {
  const T* x = static_cast<const T*>(buffers.inputs[0].data);
  const T* dy = static_cast<const T*>(buffers.output_gradient.data);
  SumOverRows(extent, GradientStep<kActivation, T>{x, dy, of}, of.sums,
              *pass.pool);
  float* s1 = of.sums;
  float* s2 = s1 + PaddedChannels(extent.channels);
  FinishSums(extent.channels, static_cast<float>(extent.rows), s1, s2, of);
  WriteParameterGradient(s2, extent.channels, buffers.parameter_gradients[0]);
  WriteParameterGradient(s1, extent.channels, buffers.parameter_gradients[1]);

  const TensorRef& dx = buffers.input_gradients[0];
  if (dx.data == nullptr) return;
  for (float* a : {of.mean, of.scale, of.beta, of.mean_gradient, of.slope}) {
    StartOver(extent.channels, a);
  }
  const GradientOp<kActivation, T> op = {of, x, dy, static_cast<T*>(dx.data)};
  if (buffers.sum_counter == nullptr) {
    return ParallelForElements(extent, pass, op, *dx.counter);
  }
  SumCounter counter;
  ParallelForElements(extent, pass, AddGradientOp<kActivation, T>{op}, counter);
  *dx.counter += counter.gradient;
  *buffers.sum_counter += counter.sum;
}

void BatchGradients(int64_t n, int64_t channels,
                    const BatchNormAttributes& attributes,
                    const OpBuffers& buffers, const PassContext& pass) {
  const RowExtent extent = {n, channels};
  const ChannelConstants of(channels, pass.workspace);
  const int64_t padded = PaddedChannels(extent.channels);
  const float* saved = reinterpret_cast<const float*>(buffers.saved);
  std::copy_n(saved, padded, of.mean);
  std::copy_n(saved + padded, padded, of.inv);
  ReadScaleAndBeta(extent.channels, buffers, of);
  VisitDType(buffers.inputs[0].type, [&](auto tag) HWY_ATTR {
    VisitActivation(attributes.activation, [&](auto activation) HWY_ATTR {
      BackwardOf<decltype(activation)::value, decltype(tag)>(extent, buffers,
                                                             pass, of);
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

HWY_EXPORT(NormalizeBatch);
HWY_EXPORT(BatchGradients);

class BatchNormKernel : public Kernel {
 public:
  BatchNormKernel(const Shape& in, const BatchNormAttributes& attributes)
      : channels_(in.dims().back()),
        rows_per_example_(in.NumElements() / channels_),
        image_(in.rank() == 3),
        attributes_(attributes) {}

  int64_t WorkspaceBytes(int64_t max_batch) const override {
    const int64_t padded = PaddedChannels(channels_);
    return static_cast<int64_t>(sizeof(float)) *
           (6 * (padded + kWidestVector) +
            ChunkSumFloats(max_batch * rows_per_example_, 2 * padded));
  }

  int64_t SavedBytes(int64_t /*max_batch*/) const override {
    return static_cast<int64_t>(sizeof(float)) * 2 * PaddedChannels(channels_);
  }

  bool AddsToGradient() const override { return true; }

  void Forward(const OpBuffers& buffers,
               const PassContext& pass) const override {
    HWY_DYNAMIC_DISPATCH(NormalizeBatch)
    (pass.batch * rows_per_example_, channels_, image_, attributes_, buffers,
     pass);
  }

  void Backward(const OpBuffers& buffers,
                const PassContext& pass) const override {
    HWY_DYNAMIC_DISPATCH(BatchGradients)
    (pass.batch * rows_per_example_, channels_, attributes_, buffers, pass);
  }

 private:
  const int64_t channels_;
  const int64_t rows_per_example_;
  const bool image_;
  const BatchNormAttributes attributes_;
};

}  // namespace

std::unique_ptr<Kernel> MakeBatchNorm(const Shape& in,
                                      const BatchNormAttributes& attributes) {
  return std::make_unique<BatchNormKernel>(in, attributes);
}

}  // namespace repro16
#endif  // HWY_ONCE
