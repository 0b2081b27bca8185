#include "engine/cpu/batch_norm.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/cpu/channel_sums.h"
#include "engine/cpu/visit_dtype.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/round_to_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/batch_norm.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/channel_sums-inl.h"
#include "engine/numerics/elementary-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

// Before a loop over an array of vectors, so that these stay in registers.
#undef REPRO16_UNROLL
#if HWY_COMPILER_CLANG
#define REPRO16_UNROLL _Pragma("clang loop unroll(full)")
#else
#define REPRO16_UNROLL _Pragma("GCC unroll 16")
#endif

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

// --- Sums over rows

struct Rows {
  int64_t count;
  int64_t channels;
};

// Few channels: so many chunks side by side, since one chain of additions
// cannot run faster than its latency.
constexpr int64_t kNarrow = 64;
constexpr int64_t kChunksAtOnce = 4;
// Many channels: a task is so many of one chunk.
constexpr int64_t kChannelsPerTask = 256;

struct LoadWhole {
  template <class T>
  HWY_INLINE FloatVector operator()(const T* p) const {
    return LoadF32(FloatTag(), p);
  }
};

struct LoadFirst {
  size_t count;
  template <class T>
  HWY_INLINE FloatVector operator()(const T* p) const {
    return LoadF32N(FloatTag(), p, count);
  }
};

// Adds `rows` rows of one vector of channels to the sums of kChunks chunks;
// `at` is the first element. Sum j of chunk k is at
// sums[j * sum_stride + k * chunk_stride], and `first` when it starts from 0.
template <int64_t kChunks, class Step, class Load>
HWY_INLINE void AddRows(const Step& step, const Load& load, int64_t at,
                        int64_t rows, int64_t channels, bool first,
                        float* HWY_RESTRICT sums, int64_t sum_stride,
                        int64_t chunk_stride) {
  const FloatTag d;
  FloatVector sum[kChunks][Step::kSums];
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      const float* from = sums + j * sum_stride + k * chunk_stride;
      sum[k][j] = first ? hn::Zero(d) : hn::Load(d, from);
    }
  }
  for (int64_t row = 0; row < rows; ++row, at += channels) {
    REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
      step.Add(load, at + k * kReductionChunk * channels, sum[k]);
    }
  }
  REPRO16_UNROLL for (int64_t k = 0; k < kChunks; ++k) {
    REPRO16_UNROLL for (int64_t j = 0; j < Step::kSums; ++j) {
      hn::Store(sum[k][j], d, sums + j * sum_stride + k * chunk_stride);
    }
  }
}

// The sums of chunks [chunk, chunk + kChunks) for channels [begin, end).
// Rows are taken in small groups for which all channels are visited, so that
// memory is read nearly in order.
template <int64_t kChunks, class Step>
void SumChunks(Rows rows, Step step, int64_t chunk, int64_t begin, int64_t end,
               float* sums) {
  constexpr int64_t kGroup = kChunks == 1 ? 8 : 16;
  const int64_t padded = PaddedChannels(rows.channels);
  const int64_t sum_stride = ReductionChunks(rows.count) * padded;
  const int64_t first_row = chunk * kReductionChunk;
  const int64_t chunk_rows = std::min(kReductionChunk, rows.count - first_row);
  for (int64_t r = 0; r < chunk_rows; r += kGroup) {
    const int64_t group = std::min(kGroup, chunk_rows - r);
    const int64_t last_row =
        first_row + (kChunks - 1) * kReductionChunk + r + group - 1;
    for (int64_t c = begin; c < end; c += kLanes) {
      step.SetChannels(c);
      const int64_t at = (first_row + r) * rows.channels + c;
      float* to = sums + chunk * padded + c;
      // A last vector of a row reads on into the next row, where there is one.
      const bool whole =
          last_row * rows.channels + c + kLanes <= rows.count * rows.channels;
      if (HWY_LIKELY(whole)) {
        AddRows<kChunks>(step, LoadWhole(), at, group, rows.channels, r == 0,
                         to, sum_stride, padded);
      } else {
        const LoadFirst load = {static_cast<size_t>(rows.channels - c)};
        AddRows<kChunks>(step, load, at, group, rows.channels, r == 0, to,
                         sum_stride, padded);
      }
    }
  }
}

// sums: [Step::kSums][chunks][padded]; leaves the sums over all rows in each
// one's first chunk.
template <class Step>
void SumRows(Rows rows, const Step& step, float* sums, ThreadPool& pool) {
  const int64_t chunks = ReductionChunks(rows.count);
  const int64_t at_once = rows.channels <= kNarrow ? kChunksAtOnce : 1;
  const int64_t blocks =
      (rows.channels + kChannelsPerTask - 1) / kChannelsPerTask;
  const int64_t tasks = (chunks + at_once - 1) / at_once * blocks;
  pool.Run(tasks, [&](int64_t task, int /*worker*/) HWY_ATTR {
    const int64_t begin = task % blocks * kChannelsPerTask;
    const int64_t end = std::min(begin + kChannelsPerTask, rows.channels);
    int64_t chunk = task / blocks * at_once;
    const int64_t last = std::min(chunk + at_once, chunks);
    if (at_once == kChunksAtOnce &&
        (chunk + kChunksAtOnce) * kReductionChunk <= rows.count) {
      return SumChunks<kChunksAtOnce>(rows, step, chunk, begin, end, sums);
    }
    for (; chunk < last; ++chunk) {
      SumChunks<1>(rows, step, chunk, begin, end, sums);
    }
  });
  const int64_t padded = PaddedChannels(rows.channels);
  for (int64_t j = 0; j < Step::kSums; ++j) {
    AddChunkSums(chunks, padded, sums + j * chunks * padded);
  }
}

// --- What is known of a channel

// Arrays by channel that start over after the last one, so that a vector can
// start at any channel: element c + channels equals element c, for one vector.
struct Channels {
  float* mean;
  float* inv;
  float* scale;
  float* beta;
  float* mean_gradient;  // s1 / n
  float* slope;          // k
  float* sums;           // [2][chunks][padded]
};

Channels MakeChannels(int64_t channels, uint8_t* workspace) {
  const int64_t stride = PaddedChannels(channels) + kWidestVector;
  float* p = reinterpret_cast<float*>(workspace);
  return {p,
          p + stride,
          p + 2 * stride,
          p + 3 * stride,
          p + 4 * stride,
          p + 5 * stride,
          p + 6 * stride};
}

void StartOver(int64_t channels, float* a) {
  for (int64_t c = channels; c < channels + kLanes; ++c) a[c] = a[c - channels];
}

// In place of the variance, which stands in `inv`.
void InvertVariance(int64_t channels, double epsilon, const Channels& of) {
  const FloatTag d;
  const auto eps = hn::Set(d, static_cast<float>(epsilon));
  for (int64_t c = 0; c < channels; c += kLanes) {
    hn::Store(Rsqrt(d, hn::Add(hn::Load(d, of.inv + c), eps)), d, of.inv + c);
  }
}

// scale and beta; inv is known.
void ReadScaleAndBeta(int64_t channels, const OpBuffers& buffers,
                      const Channels& of) {
  const FloatTag d;
  ReadParameter(buffers.parameters[0], channels, of.scale);
  ReadParameter(buffers.parameters[1], channels, of.beta);
  for (int64_t c = 0; c < channels; c += kLanes) {
    const auto gamma = hn::Load(d, of.scale + c);
    hn::Store(hn::Mul(gamma, hn::Load(d, of.inv + c)), d, of.scale + c);
  }
}

// fma(x - mean, scale, beta) from the channel of the first lane.
HWY_INLINE FloatVector Normalized(const Channels& of, int64_t c,
                                  FloatVector x) {
  const FloatTag d;
  return hn::MulAdd(hn::Sub(x, hn::LoadU(d, of.mean + c)),
                    hn::LoadU(d, of.scale + c), hn::LoadU(d, of.beta + c));
}

// The channel of the first element after a vector.
HWY_INLINE int64_t NextChannel(int64_t c, int64_t channels) {
  c += kLanes % channels;
  return c >= channels ? c - channels : c;
}

// --- Activations

// Calls fn with a std::integral_constant.
template <class Fn>
void VisitActivation(FusedActivation activation, const Fn& fn) {
  using A = FusedActivation;
  switch (activation) {
    case A::kNone:
      return fn(std::integral_constant<A, A::kNone>());
    case A::kRelu:
      return fn(std::integral_constant<A, A::kRelu>());
    case A::kRelu6:
      return fn(std::integral_constant<A, A::kRelu6>());
  }
}

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

// The gradient before the activation, where v is what it rounded and selected.
template <FusedActivation kActivation, class T>
HWY_INLINE FloatVector Gate(FloatVector v, FloatVector dy, T /*type*/) {
  const FloatTag d;
  if constexpr (kActivation == FusedActivation::kNone) return dy;
  const auto y = RoundTo<T>(d, v);
  const auto passed = hn::IfThenElseZero(hn::Gt(y, hn::Zero(d)), dy);
  if constexpr (kActivation == FusedActivation::kRelu) return passed;
  return hn::IfThenElseZero(hn::Lt(y, hn::Set(d, 6.0f)), passed);
}

// --- Forward

template <class T>
struct SumStep {
  static constexpr int64_t kSums = 1;
  const T* x;
  HWY_INLINE void SetChannels(int64_t /*c*/) {}
  template <class Load>
  HWY_INLINE void Add(const Load& load, int64_t at, FloatVector* sum) const {
    sum[0] = hn::Add(sum[0], load(x + at));
  }
};

template <class T>
struct SquaresStep {
  static constexpr int64_t kSums = 1;
  const T* x;
  const float* means;
  FloatVector mean;
  HWY_INLINE void SetChannels(int64_t c) {
    mean = hn::Load(FloatTag(), means + c);
  }
  template <class Load>
  HWY_INLINE void Add(const Load& load, int64_t at, FloatVector* sum) const {
    const auto deviation = hn::Sub(load(x + at), mean);
    sum[0] = hn::MulAdd(deviation, deviation, sum[0]);
  }
};

// to[c] = from[c] / divisor
void Divide(int64_t channels, const float* from, float divisor, float* to) {
  const FloatTag d;
  for (int64_t c = 0; c < channels; c += kLanes) {
    hn::Store(hn::Div(hn::Load(d, from + c), hn::Set(d, divisor)), d, to + c);
  }
}

void MoveStatistic(int64_t channels, const float* batch, double momentum,
                   const TensorRef& statistic) {
  VisitDType(statistic.type, [&](auto tag) HWY_ATTR {
    using P = decltype(tag);
    const FloatTag d;
    const auto rate = hn::Set(d, RoundToType(1.0 - momentum, statistic.type));
    P* moving = static_cast<P*>(statistic.data);
    for (int64_t c = 0; c < channels; c += kLanes) {
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
void BatchStatistics(Rows rows, bool image,
                     const BatchNormAttributes& attributes,
                     const OpBuffers& buffers, const Channels& of,
                     ThreadPool& pool) {
  const T* x = static_cast<const T*>(buffers.inputs[0].data);
  const float n = static_cast<float>(rows.count);
  SumRows(rows, SumStep<T>{x}, of.sums, pool);
  Divide(rows.channels, of.sums, n, of.mean);
  SumRows(rows, SquaresStep<T>{x, of.mean, hn::Zero(FloatTag())}, of.sums,
          pool);
  Divide(rows.channels, of.sums, image ? n - 1.0f : n, of.inv);
  MoveStatistic(rows.channels, of.mean, attributes.momentum,
                buffers.parameters[2]);
  MoveStatistic(rows.channels, of.inv, attributes.momentum,
                buffers.parameters[3]);
  Divide(rows.channels, of.sums, n, of.inv);
}

template <FusedActivation kActivation, class T>
void NormalizeElements(const Channels& of, int64_t channels, const T* x, T* y,
                       int64_t begin, int64_t end, StoreCounter& counter) {
  const FloatTag d;
  int64_t c = begin % channels;
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes, c = NextChannel(c, channels)) {
    StoreActivated<kActivation>(Normalized(of, c, LoadF32(d, x + i)), y + i,
                                counter);
  }
  if (i == end) return;
  const auto count = static_cast<size_t>(end - i);
  const auto v = Normalized(of, c, LoadF32N(d, x + i, count));
  HWY_ALIGN T buffer[kLanes];
  StoreActivated<kActivation>(hn::IfThenElseZero(hn::FirstN(d, count), v),
                              buffer, counter);
  hwy::CopyBytes(buffer, y + i, count * sizeof(T));
}

void NormalizeBatch(int64_t n, int64_t channels, bool image,
                    const BatchNormAttributes& attributes,
                    const OpBuffers& buffers, const PassContext& pass) {
  const Rows rows = {n, channels};
  const Channels of = MakeChannels(channels, pass.workspace);
  const TensorRef& x = buffers.inputs[0];
  const TensorRef& y = buffers.output;
  const int64_t padded = PaddedChannels(rows.channels);
  VisitDType(x.type, [&](auto tag) HWY_ATTR {
    using T = decltype(tag);
    if (pass.training) {
      BatchStatistics<T>(rows, image, attributes, buffers, of, *pass.pool);
    } else {
      ReadParameter(buffers.parameters[2], rows.channels, of.mean);
      ReadParameter(buffers.parameters[3], rows.channels, of.inv);
    }
    InvertVariance(rows.channels, attributes.epsilon, of);
    ReadScaleAndBeta(rows.channels, buffers, of);
    if (pass.training) {
      float* saved = reinterpret_cast<float*>(buffers.saved);
      std::copy_n(of.mean, padded, saved);
      std::copy_n(of.inv, padded, saved + padded);
    }
    for (float* a : {of.mean, of.scale, of.beta}) StartOver(rows.channels, a);
    VisitActivation(attributes.activation, [&](auto activation) HWY_ATTR {
      ParallelElements(
          pass, rows.count * rows.channels, *y.counter,
          [&](int64_t begin, int64_t end, StoreCounter& counter) HWY_ATTR {
            NormalizeElements<decltype(activation)::value>(
                of, rows.channels, static_cast<const T*>(x.data),
                static_cast<T*>(y.data), begin, end, counter);
          });
    });
  });
}

// --- Backward

template <FusedActivation kActivation, class T>
struct GradientStep {
  static constexpr int64_t kSums = 2;
  const T* x;
  const T* dy;
  const Channels* of;
  FloatVector mean, scale, beta;
  HWY_INLINE void SetChannels(int64_t c) {
    const FloatTag d;
    mean = hn::Load(d, of->mean + c);
    scale = hn::Load(d, of->scale + c);
    beta = hn::Load(d, of->beta + c);
  }
  template <class Load>
  HWY_INLINE void Add(const Load& load, int64_t at, FloatVector* sum) const {
    const auto deviation = hn::Sub(load(x + at), mean);
    const auto dz = Gate<kActivation>(hn::MulAdd(deviation, scale, beta),
                                      load(dy + at), T());
    sum[0] = hn::Add(sum[0], dz);
    sum[1] = hn::MulAdd(dz, deviation, sum[1]);
  }
};

// dgamma in place of s2; mean_gradient and slope.
void FinishSums(int64_t channels, float n, float* s1, float* s2,
                const Channels& of) {
  const FloatTag d;
  for (int64_t c = 0; c < channels; c += kLanes) {
    const auto count = hn::Set(d, n);
    const auto inv = hn::Load(d, of.inv + c);
    const auto sum2 = hn::Load(d, s2 + c);
    hn::Store(hn::Div(hn::Load(d, s1 + c), count), d, of.mean_gradient + c);
    hn::Store(hn::Mul(hn::Div(sum2, count), hn::Mul(inv, inv)), d,
              of.slope + c);
    hn::Store(hn::Mul(sum2, inv), d, s2 + c);
  }
}

template <FusedActivation kActivation, class T>
HWY_INLINE FloatVector InputGradient(const Channels& of, int64_t c,
                                     FloatVector x, FloatVector dy) {
  const FloatTag d;
  const auto deviation = hn::Sub(x, hn::LoadU(d, of.mean + c));
  const auto scale = hn::LoadU(d, of.scale + c);
  const auto dz = Gate<kActivation>(
      hn::MulAdd(deviation, scale, hn::LoadU(d, of.beta + c)), dy, T());
  const auto centred = hn::Sub(dz, hn::LoadU(d, of.mean_gradient + c));
  return hn::Mul(scale,
                 hn::NegMulAdd(deviation, hn::LoadU(d, of.slope + c), centred));
}

template <FusedActivation kActivation, class T>
void GradientElements(const Channels& of, int64_t channels, const T* x,
                      const T* dy, T* dx, int64_t begin, int64_t end,
                      StoreCounter& counter) {
  const FloatTag d;
  int64_t c = begin % channels;
  int64_t i = begin;
  for (; i + kLanes <= end; i += kLanes, c = NextChannel(c, channels)) {
    const auto v = InputGradient<kActivation, T>(of, c, LoadF32(d, x + i),
                                                 LoadF32(d, dy + i));
    StoreRounded(d, v, dx + i, counter);
  }
  if (i == end) return;
  const auto count = static_cast<size_t>(end - i);
  const auto v = InputGradient<kActivation, T>(of, c, LoadF32N(d, x + i, count),
                                               LoadF32N(d, dy + i, count));
  StoreRoundedN(d, v, dx + i, count, counter);
}

template <FusedActivation kActivation, class T>
void BackwardOf(Rows rows, const OpBuffers& buffers, const PassContext& pass,
                const Channels& of) {
  const T* x = static_cast<const T*>(buffers.inputs[0].data);
  const T* dy = static_cast<const T*>(buffers.output_gradient.data);
  const FloatVector zero = hn::Zero(FloatTag());
  SumRows(rows, GradientStep<kActivation, T>{x, dy, &of, zero, zero, zero},
          of.sums, *pass.pool);
  float* s1 = of.sums;
  float* s2 = s1 + ReductionChunks(rows.count) * PaddedChannels(rows.channels);
  FinishSums(rows.channels, static_cast<float>(rows.count), s1, s2, of);
  WriteParameterGradient(s2, rows.channels, buffers.parameter_gradients[0]);
  WriteParameterGradient(s1, rows.channels, buffers.parameter_gradients[1]);

  const TensorRef& dx = buffers.input_gradients[0];
  if (dx.data == nullptr) return;
  for (float* a : {of.mean, of.scale, of.beta, of.mean_gradient, of.slope}) {
    StartOver(rows.channels, a);
  }
  ParallelElements(pass, rows.count * rows.channels, *dx.counter,
                   [&](int64_t begin, int64_t end, StoreCounter& counter)
                       HWY_ATTR {
                         GradientElements<kActivation>(of, rows.channels, x, dy,
                                                       static_cast<T*>(dx.data),
                                                       begin, end, counter);
                       });
}

void BatchGradients(int64_t n, int64_t channels,
                    const BatchNormAttributes& attributes,
                    const OpBuffers& buffers, const PassContext& pass) {
  const Rows rows = {n, channels};
  const Channels of = MakeChannels(rows.channels, pass.workspace);
  const int64_t padded = PaddedChannels(rows.channels);
  const float* saved = reinterpret_cast<const float*>(buffers.saved);
  std::copy_n(saved, padded, of.mean);
  std::copy_n(saved + padded, padded, of.inv);
  ReadScaleAndBeta(rows.channels, buffers, of);
  VisitDType(buffers.inputs[0].type, [&](auto tag) HWY_ATTR {
    VisitActivation(attributes.activation, [&](auto activation) HWY_ATTR {
      BackwardOf<decltype(activation)::value, decltype(tag)>(rows, buffers,
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
    const int64_t chunks = ReductionChunks(max_batch * rows_per_example_);
    return static_cast<int64_t>(sizeof(float)) *
           (6 * (padded + kWidestVector) + 2 * chunks * padded);
  }

  int64_t SavedBytes(int64_t /*max_batch*/) const override {
    return static_cast<int64_t>(sizeof(float)) * 2 * PaddedChannels(channels_);
  }

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
