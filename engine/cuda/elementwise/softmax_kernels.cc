#include "engine/cuda/elementwise/softmax_kernels.h"

#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/sums/row_tile.h"
#include "engine/numerics/elementary.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

// A thread for each row of a block's tile.
constexpr int kThreads = 64;

struct RowShared {
  float x[kTileFloats];
  float sum[kThreads];
  CountsShared counts;
};

SIMT_FUNCTION int Row() { return static_cast<int>(ThreadIndex()); }

// The block's rows as they are stored; they may be overwritten after the next
// barrier.
template <class T>
SIMT_FUNCTION void ReadRows(const RowTile& tile, const void* x, float* to) {
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    to[tile.Place(row, column)] = ToFloat(static_cast<const T*>(x)[at]);
  });
}

// Of `columns` numbers; NaN if one is.
SIMT_FUNCTION float Largest(const float* x, int columns) {
  float largest = x[0];
  for (int i = 1; i < columns; ++i) {
    if (x[i] > largest || f32::IsNan(x[i])) largest = x[i];
  }
  return largest;
}

// x[i] = exp(x[i] - largest); returns the sum.
SIMT_FUNCTION float Exponentials(float* x, int columns, float largest) {
  float sum = 0.0f;
  for (int i = 0; i < columns; ++i) {
    x[i] = Exp(f32::Sub(x[i], largest));
    sum = f32::Add(sum, x[i]);
  }
  return sum;
}

// After a barrier: shared.x holds the exponentials, shared.sum the rows' sums.
template <class T>
SIMT_FUNCTION void ReadExponentials(const RowTile& tile, const void* x,
                                    RowShared& shared) {
  ReadRows<T>(tile, x, shared.x);
  Barrier();
  if (Row() < tile.Rows()) {
    float* row = shared.x + tile.Place(Row(), 0);
    shared.sum[Row()] =
        Exponentials(row, tile.columns(), Largest(row, tile.columns()));
  }
}

template <class T>
SIMT_KERNEL(kThreads, 1)
SoftmaxOfRows(const SoftmaxForwardArgs args, const RowTile tile) {
  RowShared& shared = SharedMemory<RowShared>();
  ReadExponentials<T>(tile, args.x, shared);
  Barrier();
  StoreCounts counts;
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    counts.Store(f32::Div(shared.x[tile.Place(row, column)], shared.sum[row]),
                 static_cast<T*>(args.p) + at);
  });
  counts.AddTo(args.counter, shared.counts);
}

struct GradientShared {
  float p[kTileFloats];
  float dy[kTileFloats];
  float dot[kThreads];
  CountsShared counts;
};

template <class T>
SIMT_KERNEL(kThreads, 1)
SoftmaxGradientOfRows(const SoftmaxGradientArgs args, const RowTile tile) {
  GradientShared& shared = SharedMemory<GradientShared>();
  ReadRows<T>(tile, args.p, shared.p);
  ReadRows<T>(tile, args.dy, shared.dy);
  Barrier();
  if (Row() < tile.Rows()) {
    const int first = tile.Place(Row(), 0);
    float dot = 0.0f;
    for (int i = first; i < first + tile.columns(); ++i) {
      dot = f32::Fma(shared.dy[i], shared.p[i], dot);
    }
    shared.dot[Row()] = dot;
  }
  Barrier();
  StoreCounts counts;
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    const int place = tile.Place(row, column);
    counts.Store(
        f32::Mul(shared.p[place], f32::Sub(shared.dy[place], shared.dot[row])),
        static_cast<T*>(args.dx) + at);
  });
  counts.AddTo(args.counter, shared.counts);
}

template <class T>
SIMT_KERNEL(kThreads, 1)
LossOfRows(const CrossEntropyArgs args, const RowTile tile) {
  RowShared& shared = SharedMemory<RowShared>();
  ReadRows<T>(tile, args.x, shared.x);
  Barrier();
  StoreCounts counts;
  if (Row() < tile.Rows()) {
    float* row = shared.x + tile.Place(Row(), 0);
    const int example = tile.FirstRow() + Row();
    const int label = args.labels[example];
    const float of_label = row[label];
    const float largest = Largest(row, tile.columns());
    // The lowest class that reaches the maximum; none does if it is NaN.
    int argmax = 0;
    while (argmax < label && row[argmax] != largest) ++argmax;
    if (argmax == label && of_label == largest) {
      AtomicAdd(args.correct, uint64_t{1});
    }
    const float sum = Exponentials(row, tile.columns(), largest);
    counts.Store(f32::Sub(f32::Add(Log(sum), largest), of_label),
                 static_cast<float*>(args.result) + example);
  }
  counts.AddTo(args.counter, shared.counts);
}

template <class T>
SIMT_KERNEL(kThreads, 1)
LossGradientOfRows(const CrossEntropyArgs args, const RowTile tile,
                   float batch) {
  RowShared& shared = SharedMemory<RowShared>();
  ReadExponentials<T>(tile, args.x, shared);
  Barrier();
  const float factor = f32::Div(*args.loss_scale, batch);
  StoreCounts counts;
  tile.ForElements<kThreads>([&](int at, int row, int column) {
    float p = f32::Div(shared.x[tile.Place(row, column)], shared.sum[row]);
    if (column == args.labels[tile.FirstRow() + row]) p = f32::Sub(p, 1.0f);
    counts.Store(f32::Mul(p, factor), static_cast<T*>(args.result) + at);
  });
  counts.AddTo(args.counter, shared.counts);
}

template <class Args>
RowTile TileOf(const Args& args) {
  return RowTile(args.rows, args.columns, kThreads);
}

}  // namespace

void SoftmaxForward(const SoftmaxForwardArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, SoftmaxOfRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(RowShared), args, tile);
  });
}

void SoftmaxGradient(const SoftmaxGradientArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, SoftmaxGradientOfRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(GradientShared), args, tile);
  });
}

void CrossEntropyForward(const CrossEntropyArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, LossOfRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(RowShared), args, tile);
  });
}

void CrossEntropyGradient(const CrossEntropyArgs& args, Stream& stream) {
  const RowTile tile = TileOf(args);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, LossGradientOfRows<decltype(type)>, tile.Grid(), kThreads,
           sizeof(RowShared), args, tile, static_cast<float>(args.rows));
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
