#include "engine/cuda/norm/batch_norm_kernels.h"

#include <type_traits>

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/run_time_type.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/sums/column_chains.h"
#include "engine/graph/moving_average.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

using Activation = FusedActivation;

// --- Activations

// v as normalisation and activation store it one after the other. NaN passes.
template <Activation kActivation, class T>
SIMT_FUNCTION T RoundAndActivate(float v, StoreCounts& counts) {
  const T stored = counts.Round<T>(v);
  if constexpr (kActivation != Activation::kNone) {
    const float y = ToFloat(stored);
    if (y <= 0.0f) return RoundToStored<T>(0.0f);
    if (kActivation == Activation::kRelu6 && y > 6.0f) {
      return RoundToStored<T>(6.0f);
    }
  }
  return stored;
}

// The largest number that rounds to zero, and the smallest that rounds to 6: a
// tie goes to the even neighbour.
template <class T>
SIMT_FUNCTION float RoundsToZero() {
  if constexpr (std::is_same_v<T, Binary16>) return 0x1p-25f;
  if constexpr (std::is_same_v<T, BFloat16>) return 0x1p-134f;
  return 0.0f;
}
template <class T>
SIMT_FUNCTION float RoundsToSix() {
  if constexpr (std::is_same_v<T, Binary16>) return 6.0f - 0x1p-9f;
  if constexpr (std::is_same_v<T, BFloat16>) return 6.0f - 0x1p-6f;
  return 6.0f;
}

// The gradient before the activation, where v is what it rounded and selected.
template <Activation kActivation, class T>
SIMT_FUNCTION float Gate(float v, float dy) {
  if constexpr (kActivation == Activation::kNone) return dy;
  const bool passes =
      v > RoundsToZero<T>() &&
      (kActivation == Activation::kRelu || v < RoundsToSix<T>());
  return passes ? dy : 0.0f;
}

// --- What is known of a channel

struct Channel {
  float mean;
  float scale;
  float beta;
};

SIMT_FUNCTION Channel ReadChannel(const BatchNormInput& in, int c) {
  const float gamma = LoadAs(in.gamma.type, in.gamma.data, c);
  return {in.mean[c], f32::Mul(gamma, in.inv[c]),
          LoadAs(in.beta.type, in.beta.data, c)};
}

SIMT_FUNCTION float Deviation(const Channel& of, float x) {
  return f32::Sub(x, of.mean);
}
SIMT_FUNCTION float Normalized(const Channel& of, float deviation) {
  return f32::Fma(deviation, of.scale, of.beta);
}

// --- Statistics of a batch

template <class T>
struct SquareTerms {
  static constexpr int kSums = 1;
  static constexpr int kLoads = kChainLoads;

  SIMT_FUNCTION float OfColumn(int c) const { return mean[c]; }
  SIMT_FUNCTION T Load(int /*row*/, int at) const {
    return REPRO16_CUDA_TARGET::Load(x + at);
  }
  SIMT_FUNCTION void Add(float column_mean, T term, float* sum) const {
    const float deviation = f32::Sub(ToFloat(term), column_mean);
    sum[0] = f32::Fma(deviation, deviation, sum[0]);
  }

  const T* x;
  const float* mean;
};

SIMT_FUNCTION void MoveStatistic(const ChannelArray& moving, int c, float batch,
                                 float rate, StoreCounts& counts) {
  VisitDTypeOnDevice(moving.type, [&](auto tag) {
    using T = decltype(tag);
    T* statistic = static_cast<T*>(moving.data) + c;
    counts.Store(MovedStatistic<T>(ToFloat(*statistic), batch, rate),
                 statistic);
  });
}

SIMT_FUNCTION float InverseDeviation(float variance, float epsilon) {
  return Rsqrt(f32::Add(variance, epsilon));
}

struct StoreMean {
  static constexpr int kSums = 1;
  static constexpr int kStores = 1;

  SIMT_FUNCTION void Store(int c, const float* totals,
                           StoreCounts* counts) const {
    const float mean = f32::Div(totals[0], rows);
    args.in.mean[c] = mean;
    MoveStatistic(args.moving_mean, c, mean, args.rate, counts[0]);
  }
  SIMT_FUNCTION StoreCounter* counter(int /*i*/) const {
    return args.moving_mean.counter;
  }

  const BatchNormStatisticsArgs args;
  const float rows;
};

struct StoreInv {
  static constexpr int kSums = 1;
  static constexpr int kStores = 1;

  SIMT_FUNCTION void Store(int c, const float* totals,
                           StoreCounts* counts) const {
    args.in.inv[c] = InverseDeviation(f32::Div(totals[0], rows), args.epsilon);
    MoveStatistic(args.moving_variance, c,
                  f32::Div(totals[0], args.moving_rows), args.rate, counts[0]);
  }
  SIMT_FUNCTION StoreCounter* counter(int /*i*/) const {
    return args.moving_variance.counter;
  }

  const BatchNormStatisticsArgs args;
  const float rows;
};

SIMT_KERNEL(kElementThreads, 1)
ReadMovingStatistics(const MovingStatisticsArgs args) {
  const int c = ElementIndex();
  if (c >= args.in.channels) return;
  args.in.mean[c] = LoadAs(args.moving_mean.type, args.moving_mean.data, c);
  args.in.inv[c] = InverseDeviation(
      LoadAs(args.moving_variance.type, args.moving_variance.data, c),
      args.epsilon);
}

// --- Passes over the elements

// Rows of a thread, which lie a part of the batch apart: it takes one channel,
// and reads once what is known of it.
constexpr int kRowsOfThread = 8;

// Of Op,
//   kStores                        is the number of counters,
//   OfChannel(c)                   what is known of a channel,
//   Load(at)                       what memory has of an element, which `Store`
//                                  may overwrite,
//   Store(of_channel, term, at, counts) writes the result,
//   counter(i)                     is that of counts[i].
template <class Op>
SIMT_KERNEL(kElementThreads, 1)
ForElements(const Op op, Divisor channels, unsigned threads,
            unsigned elements) {
  struct Shared {
    CountsShared counts[Op::kStores];
  };
  const auto thread = static_cast<unsigned>(ElementIndex());
  StoreCounts counts[Op::kStores];
  if (thread < threads) {
    int c;
    channels.Divide(static_cast<int>(thread), &c);
    const auto of_channel = op.OfChannel(c);
    decltype(op.Load(0)) terms[kRowsOfThread];
    SIMT_UNROLL for (unsigned i = 0; i < kRowsOfThread; ++i) {
      const unsigned at = thread + i * threads;
      terms[i] = op.Load(at < elements ? at : thread);
    }
    SIMT_UNROLL for (unsigned i = 0; i < kRowsOfThread; ++i) {
      const unsigned at = thread + i * threads;
      if (at < elements) op.Store(of_channel, terms[i], at, counts);
    }
  }
  Shared& shared = SharedMemory<Shared>();
  SIMT_UNROLL for (int i = 0; i < Op::kStores; ++i) {
    counts[i].AddTo(op.counter(i), shared.counts[i]);
  }
}

template <class Op>
void LaunchForElements(const Op& op, const BatchNormInput& in, Stream& stream) {
  const int64_t threads = CeilDiv(in.rows, kRowsOfThread) * in.channels;
  Launch(stream, ForElements<Op>, ElementGrid(threads), kElementThreads,
         Op::kStores * sizeof(CountsShared), op, Divisor(in.channels),
         static_cast<unsigned>(threads),
         static_cast<unsigned>(in.rows * in.channels));
}

template <Activation kActivation, class T>
struct NormalizeOp {
  static constexpr int kStores = 1;

  SIMT_FUNCTION Channel OfChannel(int c) const {
    return ReadChannel(args.in, c);
  }
  SIMT_FUNCTION T Load(unsigned at) const {
    return static_cast<const T*>(args.in.x)[at];
  }
  SIMT_FUNCTION void Store(const Channel& of, T x, unsigned at,
                           StoreCounts* counts) const {
    static_cast<T*>(args.y)[at] = RoundAndActivate<kActivation, T>(
        Normalized(of, Deviation(of, ToFloat(x))), counts[0]);
  }
  SIMT_FUNCTION StoreCounter* counter(int /*i*/) const { return args.counter; }

  const BatchNormForwardArgs args;
};

// --- Backward

template <class T>
struct GradientTerm {
  T x;
  T dy;
};

template <Activation kActivation, class T>
SIMT_FUNCTION float GatedGradient(const Channel& of, float deviation, T dy) {
  return Gate<kActivation, T>(Normalized(of, deviation), ToFloat(dy));
}

template <Activation kActivation, class T>
struct GradientTerms {
  static constexpr int kSums = 2;
  static constexpr int kLoads = kChainLoads;

  SIMT_FUNCTION Channel OfColumn(int c) const {
    return ReadChannel(args.in, c);
  }
  SIMT_FUNCTION GradientTerm<T> Load(int /*row*/, int at) const {
    return {REPRO16_CUDA_TARGET::Load(static_cast<const T*>(args.in.x) + at),
            REPRO16_CUDA_TARGET::Load(static_cast<const T*>(args.dy) + at)};
  }
  SIMT_FUNCTION void Add(const Channel& of, const GradientTerm<T>& term,
                         float* sum) const {
    const float deviation = Deviation(of, ToFloat(term.x));
    const float dz = GatedGradient<kActivation, T>(of, deviation, term.dy);
    sum[0] = f32::Add(sum[0], dz);
    sum[1] = f32::Fma(dz, deviation, sum[1]);
  }

  const BatchNormSumsArgs args;
};

struct StoreSums {
  static constexpr int kSums = 2;
  static constexpr int kStores = 2;

  SIMT_FUNCTION void Store(int c, const float* totals,
                           StoreCounts* counts) const {
    const float inv = args.in.inv[c];
    args.mean_gradient[c] = f32::Div(totals[0], rows);
    args.slope[c] = f32::Mul(f32::Div(totals[1], rows), f32::Mul(inv, inv));
    StoreAs(args.gamma_gradient.type, f32::Mul(totals[1], inv),
            args.gamma_gradient.data, c, counts[0]);
    StoreAs(args.beta_gradient.type, totals[0], args.beta_gradient.data, c,
            counts[1]);
  }
  SIMT_FUNCTION StoreCounter* counter(int i) const {
    return i == 0 ? args.gamma_gradient.counter : args.beta_gradient.counter;
  }

  const BatchNormSumsArgs args;
  const float rows;
};

struct GradientChannel {
  Channel channel;
  float mean_gradient;
  float slope;
};

template <Activation kActivation, class T>
struct GradientOp {
  static constexpr int kStores = 1;

  SIMT_FUNCTION GradientChannel OfChannel(int c) const {
    return {ReadChannel(args.in, c), args.mean_gradient[c], args.slope[c]};
  }
  SIMT_FUNCTION GradientTerm<T> Load(unsigned at) const {
    return {static_cast<const T*>(args.in.x)[at],
            static_cast<const T*>(args.dy)[at]};
  }
  SIMT_FUNCTION float Gradient(const GradientChannel& of,
                               const GradientTerm<T>& term) const {
    const float deviation = Deviation(of.channel, ToFloat(term.x));
    const float dz =
        GatedGradient<kActivation, T>(of.channel, deviation, term.dy);
    return f32::Mul(of.channel.scale, f32::Fma(-deviation, of.slope,
                                               f32::Sub(dz, of.mean_gradient)));
  }
  SIMT_FUNCTION void Store(const GradientChannel& of,
                           const GradientTerm<T>& term, unsigned at,
                           StoreCounts* counts) const {
    counts[0].Store(Gradient(of, term), static_cast<T*>(args.dx) + at);
  }
  SIMT_FUNCTION StoreCounter* counter(int /*i*/) const { return args.counter; }

  const BatchNormGradientArgs args;
};

template <Activation kActivation, class T>
struct AddGradientOp {
  static constexpr int kStores = 2;
  using Op = GradientOp<kActivation, T>;
  struct Term {
    GradientTerm<T> gradient;
    T sum;
  };

  SIMT_FUNCTION GradientChannel OfChannel(int c) const {
    return op.OfChannel(c);
  }
  SIMT_FUNCTION Term Load(unsigned at) const {
    return {op.Load(at), static_cast<const T*>(op.args.dx)[at]};
  }
  SIMT_FUNCTION void Store(const GradientChannel& of, const Term& term,
                           unsigned at, StoreCounts* counts) const {
    const T dx = counts[0].Round<T>(op.Gradient(of, term.gradient));
    counts[1].Store(f32::Add(ToFloat(term.sum), ToFloat(dx)),
                    static_cast<T*>(op.args.dx) + at);
  }
  SIMT_FUNCTION StoreCounter* counter(int i) const {
    return i == 0 ? op.args.counter : op.args.sum_counter;
  }

  const Op op;
};

// Calls fn with constants of the activation and of the type.
template <class Fn>
void VisitInput(const BatchNormInput& in, const Fn& fn) {
  VisitDType(in.type, [&](auto type) {
    VisitActivation(in.activation,
                    [&](auto activation) { fn(activation, type); });
  });
}

}  // namespace

void BatchNormStatistics(const BatchNormStatisticsArgs& args, Stream& stream) {
  const BatchNormInput& in = args.in;
  const auto rows = static_cast<float>(in.rows);
  VisitDType(in.type, [&](auto type) {
    using T = decltype(type);
    const T* x = static_cast<const T*>(in.x);
    SumColumns(PlainTerms<T>{x}, StoreMean{args, rows}, in.rows, in.channels,
               args.workspace, stream);
    SumColumns(SquareTerms<T>{x, in.mean}, StoreInv{args, rows}, in.rows,
               in.channels, args.workspace, stream);
  });
}

void MovingStatistics(const MovingStatisticsArgs& args, Stream& stream) {
  Launch(stream, ReadMovingStatistics, ElementGrid(args.in.channels),
         kElementThreads, /*shared_bytes=*/0, args);
}

void BatchNormForward(const BatchNormForwardArgs& args, Stream& stream) {
  VisitInput(args.in, [&](auto activation, auto type) {
    LaunchForElements(NormalizeOp<activation(), decltype(type)>{args}, args.in,
                      stream);
  });
}

void BatchNormSums(const BatchNormSumsArgs& args, Stream& stream) {
  const BatchNormInput& in = args.in;
  const auto rows = static_cast<float>(in.rows);
  VisitInput(in, [&](auto activation, auto type) {
    SumColumns(GradientTerms<activation(), decltype(type)>{args},
               StoreSums{args, rows}, in.rows, in.channels, args.workspace,
               stream);
  });
}

void BatchNormGradient(const BatchNormGradientArgs& args, Stream& stream) {
  VisitInput(args.in, [&](auto activation, auto type) {
    const GradientOp<activation(), decltype(type)> op = {args};
    if (args.sum_counter == nullptr) {
      LaunchForElements(op, args.in, stream);
    } else {
      LaunchForElements(AddGradientOp<activation(), decltype(type)>{op},
                        args.in, stream);
    }
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
