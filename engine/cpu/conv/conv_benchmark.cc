// Convolutions of the paper's networks: nominal floating-point operations a
// second (taps on padding count, though they are skipped), and the share of
// what the machine's multiply-add units give (measured in the same run).
//
// Arguments: threads, batch, height (and width), channels, filters, kernel,
// stride; padding is "same".
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "benchmark/benchmark.h"
#include "engine/cpu/conv/conv.h"
#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/fma_ceiling.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/graph/window.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace {

enum class Pass { kForward, kInputGradient, kWeightGradient };

ImageWindow Window(const benchmark::State& state) {
  const int64_t size = state.range(2), kernel = state.range(5),
                stride = state.range(6);
  const int64_t outputs = (size + stride - 1) / stride;
  const int64_t pad =
      std::max<int64_t>(0, (outputs - 1) * stride + kernel - size) / 2;
  return {size,
          size,
          state.range(3),
          outputs,
          outputs,
          state.range(4),
          {kernel, kernel, stride, pad, pad}};
}

// A tensor of an ordinary number in each type: 0.011, 1.06, 0.011.
struct Tensor {
  Tensor(DType type, int64_t elements)
      : buffer(elements * static_cast<int64_t>(SizeOf(type))),
        ref{buffer.data(), type, elements, &counter} {
    std::memset(buffer.data(), 0x3c, static_cast<size_t>(buffer.bytes()));
  }
  AlignedBuffer buffer;
  StoreCounter counter;
  TensorRef ref;
};

void BM_Conv(benchmark::State& state, DType type, Pass what) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const int64_t batch = state.range(1);
  const ImageWindow s = Window(state);
  const int64_t outputs = batch * s.out_height * s.out_width;
  const int64_t weights =
      s.window.height * s.window.width * s.in_channels * s.out_channels;
  Tensor x(type, batch * s.in_height * s.in_width * s.in_channels);
  Tensor y(type, outputs * s.out_channels), w(type, weights);
  Tensor dw(type, weights);
  const auto kernel = MakeConv2D(s, DType::kF32);
  AlignedBuffer workspace(kernel->WorkspaceBytes(batch));

  OpBuffers buffers;
  buffers.inputs = {x.ref};
  buffers.output = buffers.output_gradient = y.ref;
  buffers.parameters = {w.ref};
  buffers.parameter_gradients = {dw.ref};
  buffers.input_gradients = {TensorRef()};
  if (what == Pass::kInputGradient) {
    buffers.parameter_gradients = {TensorRef()};
    buffers.input_gradients = {x.ref};
  }
  PassContext pass{};
  pass.pool = &pool;
  pass.workspace = workspace.data();
  pass.batch = batch;

  const double ceiling = FmaCeiling(pool);
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    if (what == Pass::kForward) {
      kernel->Forward(buffers, pass);
    } else {
      kernel->Backward(buffers, pass);
    }
    benchmark::ClobberMemory();
  }
  const std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  const double rate = 2.0 * static_cast<double>(outputs * weights) *
                      static_cast<double>(state.iterations()) / seconds.count();
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["share"] = rate / ceiling;
}

void Shapes(benchmark::internal::Benchmark* b) {
  struct Shape {
    int64_t size, channels, filters, kernel, stride;
  };
  constexpr Shape kShapes[] = {
      {32, 3, 16, 3, 1},    {32, 16, 16, 3, 1},  // ResNet-32
      {32, 16, 32, 3, 2},   {16, 32, 32, 3, 1},
      {16, 32, 64, 3, 2},   {8, 64, 64, 3, 1},
      {1, 64, 10, 1, 1},    {32, 3, 64, 3, 1},  // VGG
      {32, 64, 64, 3, 1},   {16, 128, 128, 3, 1},
      {8, 256, 256, 3, 1},  {4, 512, 512, 3, 1},
      {2, 512, 512, 3, 1},  {32, 3, 64, 3, 2},  // AlexNet
      {8, 64, 96, 3, 1},    {3, 96, 256, 3, 1},
      {3, 256, 512, 3, 1},  {32, 64, 128, 3, 2},
      {8, 256, 512, 1, 2},                       // ResNet-18
      {8, 256, 128, 1, 1},  {8, 128, 32, 3, 1},  // DenseNet
      {4, 512, 128, 1, 1},  {4, 128, 32, 3, 1},
      {2, 128, 32, 3, 1},   {1, 1024, 128, 1, 1},
      {1, 128, 32, 3, 1},   {16, 32, 16, 1, 1},  // MobileNet
      {16, 16, 96, 1, 1},   {8, 144, 24, 1, 1},
      {4, 192, 32, 1, 1},   {2, 384, 64, 1, 1},
      {2, 64, 384, 1, 1},   {1, 960, 160, 1, 1},
      {1, 320, 1280, 1, 1}, {4, 728, 728, 1, 1},  // Xception
  };
  for (const int64_t threads : {1, 2}) {
    for (const Shape& s : kShapes) {
      b->Args(
          {threads, 256, s.size, s.channels, s.filters, s.kernel, s.stride});
    }
  }
  b->UseRealTime()->Unit(benchmark::kMillisecond);
}

#define REPRO16_CONV_BENCHMARKS(name, type)                        \
  BENCHMARK_CAPTURE(BM_Conv, name##_forward, type, Pass::kForward) \
      ->Apply(Shapes);                                             \
  BENCHMARK_CAPTURE(BM_Conv, name##_input_gradient, type,          \
                    Pass::kInputGradient)                          \
      ->Apply(Shapes);                                             \
  BENCHMARK_CAPTURE(BM_Conv, name##_weight_gradient, type,         \
                    Pass::kWeightGradient)                         \
      ->Apply(Shapes)

REPRO16_CONV_BENCHMARKS(f32, DType::kF32);
REPRO16_CONV_BENCHMARKS(f16, DType::kF16);

}  // namespace
}  // namespace repro16
