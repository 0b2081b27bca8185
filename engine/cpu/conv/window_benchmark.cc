// Depthwise convolutions and pools at the shapes of MobileNetV2, Xception,
// AlexNet, VGG and DenseNet: bytes of tensors read and written a second (each
// once), beside what a plain copy moves.
//
// Arguments: threads, height and width, channels, window, stride. Batch 256.
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "benchmark/benchmark.h"
#include "engine/cpu/conv/depthwise_conv.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/pool/pool.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"
#include "hwy/timer.h"

namespace repro16 {
namespace {

constexpr int64_t kBatch = 256;

// kBackward of a depthwise convolution is both gradients.
enum class Pass { kForward, kBackward, kWeightGradient };

struct Tensor {
  Tensor(int64_t elements, int64_t batch, DType type)
      : buffer(elements * batch * static_cast<int64_t>(SizeOf(type))),
        ref{buffer.data(), type, elements, &counter} {
    // An ordinary number in each type.
    std::memset(buffer.data(), 0x3c, static_cast<size_t>(buffer.bytes()));
  }

  AlignedBuffer buffer;
  StoreCounter counter;
  TensorRef ref;
};

ImageWindow SameWindow(const benchmark::State& state) {
  const int64_t size = state.range(1), channels = state.range(2);
  const int64_t window = state.range(3), stride = state.range(4);
  const int64_t out = (size + stride - 1) / stride;
  const int64_t pad = std::max<int64_t>(0, (out - 1) * stride + window - size);
  return {size,
          size,
          channels,
          out,
          out,
          channels,
          {window, window, stride, pad / 2, pad / 2}};
}

// Copies of the same size as the tensors.
double CopyBytesPerSecond(ThreadPool& pool) {
  constexpr int64_t kBytes = 32 << 20;
  AlignedBuffer from(kBytes), to(kBytes);
  std::memset(from.data(), 1, kBytes);
  double best = 0;
  for (int run = 0; run < 5; ++run) {
    const double start = hwy::platform::Now();
    pool.Run(16, [&](int64_t task, int /*worker*/) {
      const int64_t bytes = kBytes / 16;
      std::memcpy(to.data() + task * bytes, from.data() + task * bytes,
                  static_cast<size_t>(bytes));
    });
    const double seconds = hwy::platform::Now() - start;
    best = std::max(best, 2.0 * kBytes / seconds);
  }
  return best;
}

template <class Run>
void Report(benchmark::State& state, ThreadPool& pool, int64_t bytes,
            const Run& run) {
  const double copy = CopyBytesPerSecond(pool);
  run();
  const double start = hwy::platform::Now();
  for (auto _ : state) {
    run();
    benchmark::ClobberMemory();
  }
  const double seconds = hwy::platform::Now() - start;
  const double rate = static_cast<double>(bytes) *
                      static_cast<double>(state.iterations()) / seconds;
  state.counters["GB/s"] = rate * 1e-9;
  state.counters["copy"] = copy * 1e-9;
}

void BM_Depthwise(benchmark::State& state, DType type, Pass which) {
  const ImageWindow shape = SameWindow(state);
  ThreadPool pool(static_cast<int>(state.range(0)));
  const int64_t in = shape.in_height * shape.in_width * shape.in_channels;
  const int64_t out = shape.out_height * shape.out_width * shape.in_channels;
  Tensor x(in, kBatch, type), dx(in, kBatch, type);
  Tensor y(out, kBatch, type), dy(out, kBatch, type);
  const int64_t weights =
      shape.window.height * shape.window.width * shape.in_channels;
  Tensor w(weights, 1, type), dw(weights, 1, type);
  OpBuffers buffers;
  buffers.inputs = {x.ref};
  buffers.output = y.ref;
  buffers.output_gradient = dy.ref;
  buffers.input_gradients = {which == Pass::kBackward ? dx.ref : TensorRef{}};
  buffers.parameters = {w.ref};
  buffers.parameter_gradients = {dw.ref};
  const auto kernel = MakeDepthwiseConv2D(shape, DType::kF32);
  AlignedBuffer workspace(kernel->WorkspaceBytes(kBatch));
  PassContext pass{};
  pass.pool = &pool;
  pass.workspace = workspace.data();
  pass.batch = kBatch;
  const int64_t passes = which == Pass::kBackward ? 2 : 1;
  Report(state, pool, passes * (x.buffer.bytes() + y.buffer.bytes()), [&] {
    if (which == Pass::kForward) {
      kernel->Forward(buffers, pass);
    } else {
      kernel->Backward(buffers, pass);
    }
  });
}

void BM_Pool(benchmark::State& state, DType type, bool maximum, Pass which) {
  const ImageWindow shape = SameWindow(state);
  ThreadPool pool(static_cast<int>(state.range(0)));
  const int64_t in = shape.in_height * shape.in_width * shape.in_channels;
  const int64_t out = shape.out_height * shape.out_width * shape.in_channels;
  Tensor x(in, kBatch, type), dx(in, kBatch, type);
  Tensor y(out, kBatch, type), dy(out, kBatch, type);
  OpBuffers buffers;
  buffers.inputs = {x.ref};
  buffers.output = y.ref;
  buffers.output_gradient = dy.ref;
  buffers.input_gradients = {dx.ref};
  const auto kernel = maximum ? MakeMaxPool(shape) : MakeAveragePool(shape);
  AlignedBuffer workspace(kernel->WorkspaceBytes(kBatch) + 64);
  PassContext pass{};
  pass.pool = &pool;
  pass.workspace = workspace.data();
  pass.batch = kBatch;
  // The maximum's backward pass reads x and y too.
  const int64_t passes = maximum && which == Pass::kBackward ? 2 : 1;
  Report(state, pool, passes * (x.buffer.bytes() + y.buffer.bytes()), [&] {
    if (which == Pass::kForward) {
      kernel->Forward(buffers, pass);
    } else {
      kernel->Backward(buffers, pass);
    }
  });
}

void DepthwiseShapes(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 16, 96, 3, 1})->Args({threads, 16, 96, 3, 2});
    b->Args({threads, 8, 192, 3, 1})->Args({threads, 8, 192, 3, 2});
    b->Args({threads, 4, 384, 3, 1})->Args({threads, 15, 128, 3, 1});
    b->Args({threads, 4, 728, 3, 1})->Args({threads, 1, 960, 3, 1});
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

void PoolShapes(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 32, 64, 2, 2});  // VGG
    b->Args({threads, 16, 64, 2, 2});  // AlexNet
    b->Args({threads, 8, 96, 3, 2});   // AlexNet
    b->Args({threads, 18, 64, 3, 2});  // DenseNet
    b->Args({threads, 8, 256, 2, 2});  // DenseNet, averages
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

#define REPRO16_WINDOW_BENCHMARKS(type)                                      \
  BENCHMARK_CAPTURE(BM_Depthwise, type##_forward, DType::k##type,            \
                    Pass::kForward)                                          \
      ->Apply(DepthwiseShapes);                                              \
  BENCHMARK_CAPTURE(BM_Depthwise, type##_backward, DType::k##type,           \
                    Pass::kBackward)                                         \
      ->Apply(DepthwiseShapes);                                              \
  BENCHMARK_CAPTURE(BM_Depthwise, type##_weight_gradient, DType::k##type,    \
                    Pass::kWeightGradient)                                   \
      ->Apply(DepthwiseShapes);                                              \
  BENCHMARK_CAPTURE(BM_Pool, type##_max_forward, DType::k##type, true,       \
                    Pass::kForward)                                          \
      ->Apply(PoolShapes);                                                   \
  BENCHMARK_CAPTURE(BM_Pool, type##_max_backward, DType::k##type, true,      \
                    Pass::kBackward)                                         \
      ->Apply(PoolShapes);                                                   \
  BENCHMARK_CAPTURE(BM_Pool, type##_average_forward, DType::k##type, false,  \
                    Pass::kForward)                                          \
      ->Apply(PoolShapes);                                                   \
  BENCHMARK_CAPTURE(BM_Pool, type##_average_backward, DType::k##type, false, \
                    Pass::kBackward)                                         \
      ->Apply(PoolShapes)

REPRO16_WINDOW_BENCHMARKS(F32);
REPRO16_WINDOW_BENCHMARKS(F16);

}  // namespace
}  // namespace repro16
