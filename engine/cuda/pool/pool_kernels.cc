#include "engine/cuda/pool/pool_kernels.h"

#include <limits>

#include "engine/cuda/simt/divisor.h"
#include "engine/cuda/simt/launch.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/store.h"
#include "engine/cuda/sums/column_chains.h"
#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

// --- Windows

// [begin, end)
struct Range {
  int begin;
  int end;
  SIMT_FUNCTION int size() const { return end - begin; }
};

SIMT_FUNCTION Range InputsOf(const PoolAxis& axis, int output) {
  const int first = output * axis.stride - axis.pad;
  const int end = first + axis.size;
  return {first > 0 ? first : 0, end < axis.inputs ? end : axis.inputs};
}

// The outputs whose windows have an input.
SIMT_FUNCTION Range OutputsOf(const PoolAxis& axis, const Divisor& stride,
                              int input) {
  int rest;
  const int last = stride.Divide(input + axis.pad, &rest);
  // The first window ends behind the input.
  const int before = input + axis.pad - axis.size;
  return {before < 0 ? 0 : stride.Divide(before, &rest) + 1,
          last + 1 < axis.outputs ? last + 1 : axis.outputs};
}

// A shape, and what divides an index into it.
struct Pool {
  explicit Pool(const PoolShape& s)
      : rows(s.rows),
        cols(s.cols),
        channels(static_cast<int>(s.channels)),
        inputs(static_cast<int>(s.batch * s.rows.inputs * s.cols.inputs *
                                s.channels)),
        outputs(static_cast<int>(s.batch * s.rows.outputs * s.cols.outputs *
                                 s.channels)),
        channel_divisor(s.channels),
        row_inputs(s.rows.inputs),
        col_inputs(s.cols.inputs),
        row_outputs(s.rows.outputs),
        col_outputs(s.cols.outputs),
        row_stride(s.rows.stride),
        col_stride(s.cols.stride) {}

  struct Position {
    int image;
    int row;
    int col;
    int channel;
  };
  SIMT_FUNCTION Position InputAt(int at) const {
    return PositionAt(at, row_inputs, col_inputs);
  }
  SIMT_FUNCTION Position OutputAt(int at) const {
    return PositionAt(at, row_outputs, col_outputs);
  }
  SIMT_FUNCTION Position PositionAt(int at, const Divisor& height,
                                    const Divisor& width) const {
    Position p;
    const int pixel = channel_divisor.Divide(at, &p.channel);
    const int line = width.Divide(pixel, &p.col);
    p.image = height.Divide(line, &p.row);
    return p;
  }

  // Elements, of the image and channel of `p`.
  SIMT_FUNCTION int Input(const Position& p, int row, int col) const {
    return ((p.image * rows.inputs + row) * cols.inputs + col) * channels +
           p.channel;
  }
  SIMT_FUNCTION int Output(const Position& p, int row, int col) const {
    return ((p.image * rows.outputs + row) * cols.outputs + col) * channels +
           p.channel;
  }

  // Calls fn(element of the input) for the window of output (row, col),
  // ascending, while it returns true.
  template <class Fn>
  SIMT_FUNCTION void ForInputs(const Position& p, int row, int col,
                               const Fn& fn) const {
    const Range window_rows = InputsOf(rows, row);
    const Range window_cols = InputsOf(cols, col);
    for (int i = window_rows.begin; i < window_rows.end; ++i) {
      for (int j = window_cols.begin; j < window_cols.end; ++j) {
        if (!fn(Input(p, i, j))) return;
      }
    }
  }

  // Calls fn(row, col) for the outputs whose windows have input p, ascending.
  template <class Fn>
  SIMT_FUNCTION void ForOutputs(const Position& p, const Fn& fn) const {
    const Range out_rows = OutputsOf(rows, row_stride, p.row);
    const Range out_cols = OutputsOf(cols, col_stride, p.col);
    for (int i = out_rows.begin; i < out_rows.end; ++i) {
      for (int j = out_cols.begin; j < out_cols.end; ++j) fn(i, j);
    }
  }

  SIMT_FUNCTION float WindowSize(int row, int col) const {
    return static_cast<float>(InputsOf(rows, row).size() *
                              InputsOf(cols, col).size());
  }

  const PoolAxis rows;
  const PoolAxis cols;
  const int channels;
  const int inputs;
  const int outputs;
  const Divisor channel_divisor;
  const Divisor row_inputs, col_inputs, row_outputs, col_outputs;
  const Divisor row_stride, col_stride;
};

// --- Maxima

template <class I>
constexpr I kLeast = std::numeric_limits<I>::min();
template <class I>
constexpr I kMost = std::numeric_limits<I>::max();

// Bits of a float, of whatever type, as a signed integer of the same order: its
// own inverse. +0 comes above -0 and the canonical NaN, the only one that is
// ever stored, above all numbers.
template <class I>
SIMT_FUNCTION I OrderedKey(I bits) {
  return bits < 0 ? static_cast<I>(bits ^ kMost<I>) : bits;
}

// I: an integer as wide as the storage type.
template <class I>
SIMT_KERNEL(kElementThreads, 1)
MaxOfWindows(const Pool pool, const I* x, I* y) {
  const int at = ElementIndex();
  if (at >= pool.outputs) return;
  const Pool::Position p = pool.OutputAt(at);
  I largest = kLeast<I>;
  pool.ForInputs(p, p.row, p.col, [&](int input) {
    const I key = OrderedKey(x[input]);
    if (key > largest) largest = key;
    return true;
  });
  y[at] = OrderedKey(largest);
}

// Whether an input can be the one that was chosen for a maximum.
SIMT_FUNCTION bool IsMaximum(float x, float largest) {
  return x == largest || f32::IsNan(x);
}

template <class T>
SIMT_KERNEL(kElementThreads, 1)
GradientOfMaxima(const Pool pool, const PoolGradientArgs args) {
  CountsShared& shared = SharedMemory<CountsShared>();
  const int at = ElementIndex();
  StoreCounts counts;
  if (at < pool.inputs) {
    const T* x = static_cast<const T*>(args.x);
    const T* y = static_cast<const T*>(args.y);
    const T* dy = static_cast<const T*>(args.dy);
    const Pool::Position p = pool.InputAt(at);
    const float value = LoadF32(x + at);
    float chain = 0.0f;
    pool.ForOutputs(p, [&](int row, int col) {
      const int output = pool.Output(p, row, col);
      const float largest = LoadF32(y + output);
      if (!IsMaximum(value, largest)) return;
      bool first = true;
      pool.ForInputs(p, row, col, [&](int input) {
        if (input == at) return false;
        first = !IsMaximum(LoadF32(x + input), largest);
        return first;
      });
      if (first) chain = f32::Add(chain, LoadF32(dy + output));
    });
    counts.Store(chain, static_cast<T*>(args.dx) + at);
  }
  counts.AddTo(args.counter, shared);
}

// --- Averages

template <class T>
SIMT_KERNEL(kElementThreads, 1)
AverageOfWindows(const Pool pool, const PoolForwardArgs args) {
  CountsShared& shared = SharedMemory<CountsShared>();
  const int at = ElementIndex();
  StoreCounts counts;
  if (at < pool.outputs) {
    const T* x = static_cast<const T*>(args.x);
    const Pool::Position p = pool.OutputAt(at);
    float sum = 0.0f;
    pool.ForInputs(p, p.row, p.col, [&](int input) {
      sum = f32::Add(sum, LoadF32(x + input));
      return true;
    });
    counts.Store(f32::Div(sum, pool.WindowSize(p.row, p.col)),
                 static_cast<T*>(args.y) + at);
  }
  counts.AddTo(args.counter, shared);
}

template <class T>
SIMT_KERNEL(kElementThreads, 1)
GradientOfAverages(const Pool pool, const PoolGradientArgs args) {
  CountsShared& shared = SharedMemory<CountsShared>();
  const int at = ElementIndex();
  StoreCounts counts;
  if (at < pool.inputs) {
    const T* dy = static_cast<const T*>(args.dy);
    const Pool::Position p = pool.InputAt(at);
    float chain = 0.0f;
    pool.ForOutputs(p, [&](int row, int col) {
      const float share = f32::Div(LoadF32(dy + pool.Output(p, row, col)),
                                   pool.WindowSize(row, col));
      chain = f32::Add(chain, share);
    });
    counts.Store(chain, static_cast<T*>(args.dx) + at);
  }
  counts.AddTo(args.counter, shared);
}

// --- Whole images

// Terms that a thread loads at once; there are many threads.
constexpr int kPixelLoads = 16;

template <class T>
SIMT_KERNEL(kElementThreads, 1)
AverageOfImages(const GlobalPoolArgs args, Divisor channels, int outputs) {
  CountsShared& shared = SharedMemory<CountsShared>();
  const int at = ElementIndex();
  StoreCounts counts;
  if (at < outputs) {
    constexpr int kChunk = static_cast<int>(kReductionChunk);
    const int stride = static_cast<int>(args.channels);
    const int pixels = static_cast<int>(args.pixels);
    int c;
    const int image = channels.Divide(at, &c);
    const T* x = static_cast<const T*>(args.x) + image * pixels * stride + c;
    float total = -0.0f;  // -0 + x is x
    for (int begin = 0; begin < pixels; begin += kChunk) {
      const int left = pixels - begin;
      float chunk = 0.0f;
      ForTerms<kPixelLoads>(
          left < kChunk ? left : kChunk,
          [&](int i) { return Load(x + (begin + i) * stride); },
          [&](T term) { chunk = f32::Add(chunk, ToFloat(term)); });
      total = f32::Add(total, chunk);
    }
    counts.Store(f32::Div(total, static_cast<float>(pixels)),
                 static_cast<T*>(args.y) + at);
  }
  counts.AddTo(args.counter, shared);
}

template <class T>
SIMT_KERNEL(kElementThreads, 1)
GradientOfImages(const GlobalPoolArgs args, Divisor channels, Divisor image,
                 int inputs) {
  CountsShared& shared = SharedMemory<CountsShared>();
  const int at = ElementIndex();
  StoreCounts counts;
  if (at < inputs) {
    int c, rest;
    channels.Divide(at, &c);
    const int n = image.Divide(at, &rest);
    const float dy = LoadF32(static_cast<const T*>(args.x) +
                             n * static_cast<int>(args.channels) + c);
    counts.Store(f32::Div(dy, static_cast<float>(args.pixels)),
                 static_cast<T*>(args.y) + at);
  }
  counts.AddTo(args.counter, shared);
}

template <class I>
void LaunchMaxOfWindows(const PoolForwardArgs& args, Stream& stream) {
  const Pool pool(args.shape);
  Launch(stream, MaxOfWindows<I>, ElementGrid(pool.outputs), kElementThreads,
         /*shared_bytes=*/0, pool, static_cast<const I*>(args.x),
         static_cast<I*>(args.y));
}

}  // namespace

void MaxPoolForward(const PoolForwardArgs& args, Stream& stream) {
  if (SizeOf(args.type) == 4) {
    LaunchMaxOfWindows<int32_t>(args, stream);
  } else {
    LaunchMaxOfWindows<int16_t>(args, stream);
  }
}

void MaxPoolGradient(const PoolGradientArgs& args, Stream& stream) {
  const Pool pool(args.shape);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, GradientOfMaxima<decltype(type)>, ElementGrid(pool.inputs),
           kElementThreads, sizeof(CountsShared), pool, args);
  });
}

void AveragePoolForward(const PoolForwardArgs& args, Stream& stream) {
  const Pool pool(args.shape);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, AverageOfWindows<decltype(type)>, ElementGrid(pool.outputs),
           kElementThreads, sizeof(CountsShared), pool, args);
  });
}

void AveragePoolGradient(const PoolGradientArgs& args, Stream& stream) {
  const Pool pool(args.shape);
  VisitDType(args.type, [&](auto type) {
    Launch(stream, GradientOfAverages<decltype(type)>, ElementGrid(pool.inputs),
           kElementThreads, sizeof(CountsShared), pool, args);
  });
}

void GlobalAveragePoolForward(const GlobalPoolArgs& args, Stream& stream) {
  const int64_t outputs = args.batch * args.channels;
  VisitDType(args.type, [&](auto type) {
    Launch(stream, AverageOfImages<decltype(type)>, ElementGrid(outputs),
           kElementThreads, sizeof(CountsShared), args, Divisor(args.channels),
           static_cast<int>(outputs));
  });
}

void GlobalAveragePoolGradient(const GlobalPoolArgs& args, Stream& stream) {
  const int64_t inputs = args.batch * args.pixels * args.channels;
  VisitDType(args.type, [&](auto type) {
    Launch(stream, GradientOfImages<decltype(type)>, ElementGrid(inputs),
           kElementThreads, sizeof(CountsShared), args, Divisor(args.channels),
           Divisor(args.pixels * args.channels), static_cast<int>(inputs));
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
