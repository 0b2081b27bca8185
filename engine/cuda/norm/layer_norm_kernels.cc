#include "engine/cuda/norm/layer_norm_kernels.h"

#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/run_time_type.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/sums/column_chains.h"
#include "engine/cuda/sums/row_tile.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

constexpr int kThreads = 128;
// Fewer than threads: a block for each multiprocessor counts for more than a
// row for each thread.
constexpr int kRows = 32;

RowTile TileOf(const LayerNormInput& in) {
  return RowTile(in.rows, in.columns, kRows);
}

SIMT_FUNCTION float XHat(float x, float mean, float inv) {
  return f32::Mul(f32::Sub(x, mean), inv);
}

// --- Forward

struct ForwardShared {
  float x[kTileFloats];
  float gamma[kReductionChunk];
  float beta[kReductionChunk];
  float mean[kRows];
  float inv[kRows];
  CountsShared counts;
};

// x: `columns` numbers of one row.
SIMT_FUNCTION void FindStatistics(const float* x, int columns, float epsilon,
                                  float* mean, float* inv) {
  const auto n = static_cast<float>(columns);
  float sum = 0.0f;
  for (int i = 0; i < columns; ++i) sum = f32::Add(sum, x[i]);
  *mean = f32::Div(sum, n);
  float squares = 0.0f;
  for (int i = 0; i < columns; ++i) {
    const float deviation = f32::Sub(x[i], *mean);
    squares = f32::Fma(deviation, deviation, squares);
  }
  *inv = Rsqrt(f32::Add(f32::Div(squares, n), epsilon));
}

template <class T>
SIMT_KERNEL(kThreads, 1)
NormalizeRows(const LayerNormForwardArgs args, const RowTile tile) {
  ForwardShared& shared = SharedMemory<ForwardShared>();
  const LayerNormInput& in = args.in;
  const T* x = static_cast<const T*>(in.x);
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    shared.x[tile.Place(row, column)] = ToFloat(x[at]);
  });
  const int thread = static_cast<int>(ThreadIndex());
  for (int c = thread; c < tile.columns(); c += kThreads) {
    shared.gamma[c] = LoadAs(in.gamma.type, in.gamma.data, c);
    shared.beta[c] = LoadAs(args.beta.type, args.beta.data, c);
  }
  Barrier();
  if (thread < tile.Rows()) {
    float mean, inv;
    FindStatistics(shared.x + tile.Place(thread, 0), tile.columns(),
                   args.epsilon, &mean, &inv);
    shared.mean[thread] = mean;
    shared.inv[thread] = inv;
    if (in.mean != nullptr) {
      in.mean[tile.FirstRow() + thread] = mean;
      in.inv[tile.FirstRow() + thread] = inv;
    }
  }
  Barrier();
  StoreCounts counts;
  T* y = static_cast<T*>(args.y);
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    const float xhat = XHat(shared.x[tile.Place(row, column)], shared.mean[row],
                            shared.inv[row]);
    counts.Store(f32::Fma(xhat, shared.gamma[column], shared.beta[column]),
                 y + at);
  });
  counts.AddTo(args.counter, shared.counts);
}

// --- Backward: the parameters

template <class T>
struct ParameterTerm {
  T x;
  T dy;
  float mean;
  float inv;
};

template <class T>
struct ParameterTerms {
  static constexpr int kSums = 2;
  static constexpr int kLoads = kChainLoads / 2;
  struct Column {};

  SIMT_FUNCTION Column OfColumn(int /*column*/) const { return {}; }
  SIMT_FUNCTION ParameterTerm<T> Load(int row, int at) const {
    using REPRO16_CUDA_TARGET::Load;
    return {Load(static_cast<const T*>(args.in.x) + at),
            Load(static_cast<const T*>(args.dy) + at), Load(args.in.mean + row),
            Load(args.in.inv + row)};
  }
  SIMT_FUNCTION void Add(Column, const ParameterTerm<T>& term,
                         float* sum) const {
    const float dy = ToFloat(term.dy);
    sum[0] = f32::Fma(dy, XHat(ToFloat(term.x), term.mean, term.inv), sum[0]);
    sum[1] = f32::Add(sum[1], dy);
  }

  const LayerNormGradientArgs args;
};

struct StoreParameterGradients {
  static constexpr int kSums = 2;
  static constexpr int kStores = 2;

  SIMT_FUNCTION void Store(int column, const float* totals,
                           StoreCounts* counts) const {
    SIMT_UNROLL for (int i = 0; i < kStores; ++i) {
      const ChannelArray& to = Gradient(i);
      StoreAs(to.type, totals[i], to.data, column, counts[i]);
    }
  }
  SIMT_FUNCTION StoreCounter* counter(int i) const {
    return Gradient(i).counter;
  }
  SIMT_FUNCTION const ChannelArray& Gradient(int i) const {
    return i == 0 ? args.gamma_gradient : args.beta_gradient;
  }

  const LayerNormGradientArgs args;
};

// --- Backward: the input

struct GradientShared {
  float xhat[kTileFloats];
  float g[kTileFloats];
  float mean_g[kRows];       // s1 / L
  float mean_g_xhat[kRows];  // s2 / L
  CountsShared counts;
};

template <class T>
SIMT_KERNEL(kThreads, 1)
GradientOfRows(const LayerNormGradientArgs args, const RowTile tile) {
  GradientShared& shared = SharedMemory<GradientShared>();
  const LayerNormInput& in = args.in;
  const T* x = static_cast<const T*>(in.x);
  const T* dy = static_cast<const T*>(args.dy);
  const float* mean = in.mean + tile.FirstRow();
  const float* inv = in.inv + tile.FirstRow();
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    const int place = tile.Place(row, column);
    const float gamma = LoadAs(in.gamma.type, in.gamma.data, column);
    shared.xhat[place] = XHat(ToFloat(x[at]), mean[row], inv[row]);
    shared.g[place] = f32::Mul(ToFloat(dy[at]), gamma);
  });
  Barrier();
  const int thread = static_cast<int>(ThreadIndex());
  if (thread < tile.Rows()) {
    const int first = tile.Place(thread, 0);
    float s1 = 0.0f, s2 = 0.0f;
    for (int i = first; i < first + tile.columns(); ++i) {
      s1 = f32::Add(s1, shared.g[i]);
      s2 = f32::Fma(shared.g[i], shared.xhat[i], s2);
    }
    const auto n = static_cast<float>(tile.columns());
    shared.mean_g[thread] = f32::Div(s1, n);
    shared.mean_g_xhat[thread] = f32::Div(s2, n);
  }
  Barrier();
  StoreCounts counts;
  T* dx = static_cast<T*>(args.dx);
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    const int place = tile.Place(row, column);
    const float centred = f32::Sub(shared.g[place], shared.mean_g[row]);
    counts.Store(f32::Mul(inv[row], f32::Fma(-shared.xhat[place],
                                             shared.mean_g_xhat[row], centred)),
                 dx + at);
  });
  counts.AddTo(args.counter, shared.counts);
}

}  // namespace

void LayerNormForward(const LayerNormForwardArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args.in);
  VisitDType(args.in.type, [&](auto type) {
    Launch(stream, NormalizeRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(ForwardShared), args, tile);
  });
}

void LayerNormParameterGradients(const LayerNormGradientArgs& args,
                                 Stream& stream) {
  VisitDType(args.in.type, [&](auto type) {
    SumColumns(ParameterTerms<decltype(type)>{args},
               StoreParameterGradients{args}, args.in.rows, args.in.columns,
               args.workspace, stream);
  });
}

void LayerNormGradient(const LayerNormGradientArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args.in);
  VisitDType(args.in.type, [&](auto type) {
    Launch(stream, GradientOfRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(GradientShared), args, tile);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
