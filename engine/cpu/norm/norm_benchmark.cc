// Batch and layer normalisation: time of an element, and bytes a second.
//
// Bytes are those of the tensors that the passes over memory read and write:
// batch normalisation reads x three times in training (mean, squares, values)
// and writes y; its gradient reads x and dy twice and writes dx. Layer
// normalisation reads each once. Where a tensor fits in a cache, the figure is
// above what memory gives.
//
// Arguments: threads, rows, channels.
#include <cmath>
#include <cstdint>

#include "benchmark/benchmark.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/norm/batch_norm.h"
#include "engine/cpu/norm/layer_norm.h"
#include "engine/numerics/round_to_type.h"
#include "engine/tensor/buffer.h"
#include "hwy/timer.h"

namespace repro16 {
namespace {

enum class Pass { kForward, kBackward };

// A kernel on rows as examples, f32 parameters.
class Bound {
 public:
  Bound(const Kernel& kernel, DType type, int64_t rows, int64_t channels,
        ThreadPool& pool)
      : bytes_(rows * channels * static_cast<int64_t>(SizeOf(type))),
        tensors_(4 * bytes_),
        parameters_(6 * 4 * channels),
        saved_(kernel.SavedBytes(rows)),
        workspace_(kernel.WorkspaceBytes(rows)),
        pass_{&pool, workspace_.data(), rows, /*training=*/true} {
    const int64_t size = static_cast<int64_t>(SizeOf(type));
    for (int64_t i = 0; i < tensors_.bytes() / size; ++i) {
      StoreAsType(std::sin(static_cast<double>(i % 9973)), type,
                  tensors_.data() + i * size);
    }
    const auto tensor = [&](int64_t i) {
      return TensorRef{tensors_.data() + i * bytes_, type, channels, &counter_};
    };
    buffers_.inputs = {tensor(0)};
    buffers_.output = tensor(1);
    buffers_.output_gradient = tensor(2);
    buffers_.input_gradients = {tensor(3)};
    for (int64_t p = 0; p < 6; ++p) {
      uint8_t* data = parameters_.data() + p * 4 * channels;
      for (int64_t c = 0; c < channels; ++c) {
        StoreAsType(1, DType::kF32, data + 4 * c);
      }
      (p < 4 ? buffers_.parameters : buffers_.parameter_gradients)
          .push_back({data, DType::kF32, channels, &counter_});
    }
    buffers_.saved = saved_.data();
    kernel.Forward(buffers_, pass_);
  }

  void Run(const Kernel& kernel, Pass pass) {
    if (pass == Pass::kForward) {
      kernel.Forward(buffers_, pass_);
    } else {
      kernel.Backward(buffers_, pass_);
    }
  }

  int64_t tensor_bytes() const { return bytes_; }

 private:
  const int64_t bytes_;
  AlignedBuffer tensors_, parameters_, saved_, workspace_;
  StoreCounter counter_;
  OpBuffers buffers_;
  PassContext pass_;
};

void Measure(benchmark::State& state, const Kernel& kernel, DType type,
             Pass pass, int64_t tensors_moved) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const int64_t rows = state.range(1), channels = state.range(2);
  Bound bound(kernel, type, rows, channels, pool);
  const double start = hwy::platform::Now();
  for (auto _ : state) {
    bound.Run(kernel, pass);
    benchmark::ClobberMemory();
  }
  const double seconds =
      (hwy::platform::Now() - start) / static_cast<double>(state.iterations());
  state.counters["ns/element"] =
      seconds * 1e9 / static_cast<double>(rows * channels);
  state.counters["GB/s"] =
      static_cast<double>(tensors_moved * bound.tensor_bytes()) * 1e-9 /
      seconds;
}

void BM_BatchNorm(benchmark::State& state, DType type, Pass pass,
                  FusedActivation activation) {
  const auto kernel =
      MakeBatchNorm(Shape({1, 1, state.range(2)}), {1e-3, 0.99, activation});
  Measure(state, *kernel, type, pass, pass == Pass::kForward ? 4 : 5);
}

void BM_LayerNorm(benchmark::State& state, DType type, Pass pass) {
  const auto kernel = MakeLayerNorm(Shape({state.range(2)}), {1e-6});
  Measure(state, *kernel, type, pass, pass == Pass::kForward ? 2 : 3);
}

// ResNet-32 and VGG-16 at batch 256.
void Images(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 256 * 1024, 16});
    b->Args({threads, 256 * 256, 32});
    b->Args({threads, 256 * 64, 64});
    b->Args({threads, 256 * 16, 512});
  }
  b->UseRealTime();
}

// ViT-8 at batch 256.
void Tokens(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) b->Args({threads, 256 * 25, 64});
  b->UseRealTime();
}

constexpr DType kF32 = DType::kF32;
constexpr DType kF16 = DType::kF16;
constexpr FusedActivation kNone = FusedActivation::kNone;
constexpr FusedActivation kRelu = FusedActivation::kRelu;

BENCHMARK_CAPTURE(BM_BatchNorm, f32_forward, kF32, Pass::kForward, kNone)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f32_backward, kF32, Pass::kBackward, kNone)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f16_forward, kF16, Pass::kForward, kNone)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f16_backward, kF16, Pass::kBackward, kNone)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f32_relu_backward, kF32, Pass::kBackward, kRelu)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f16_relu_forward, kF16, Pass::kForward, kRelu)
    ->Apply(Images);
BENCHMARK_CAPTURE(BM_BatchNorm, f16_relu_backward, kF16, Pass::kBackward, kRelu)
    ->Apply(Images);

BENCHMARK_CAPTURE(BM_LayerNorm, f32_forward, kF32, Pass::kForward)
    ->Apply(Tokens);
BENCHMARK_CAPTURE(BM_LayerNorm, f32_backward, kF32, Pass::kBackward)
    ->Apply(Tokens);
BENCHMARK_CAPTURE(BM_LayerNorm, f16_forward, kF16, Pass::kForward)
    ->Apply(Tokens);
BENCHMARK_CAPTURE(BM_LayerNorm, f16_backward, kF16, Pass::kBackward)
    ->Apply(Tokens);

}  // namespace
}  // namespace repro16
