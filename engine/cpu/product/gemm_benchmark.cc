// Matrix products: floating-point operations a second, and the share of what
// the machine's multiply-add units give (measured in the same run).
//
// Arguments: threads, m, n, k.
#include <chrono>
#include <cstdint>
#include <cstring>
#include <vector>

#include "benchmark/benchmark.h"
#include "engine/cpu/machine/fma_ceiling.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/cpu/product/gemm.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"

namespace repro16 {
namespace {

// Storage of all operands; F32 with f32 accumulators, or F16 with f16 ones.
struct Precision {
  DType storage;
  DType accumulator;
};
constexpr Precision kF32 = {DType::kF32, DType::kF32};
constexpr Precision kF16 = {DType::kF16, DType::kF32};
constexpr Precision kBF16 = {DType::kBF16, DType::kF32};
constexpr Precision kF16Acc16 = {DType::kF16, DType::kF16};

enum class Transpose { kNone, kA, kB };

void BM_Gemm(benchmark::State& state, Precision precision,
             Transpose transpose) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  const int64_t m = state.range(1), n = state.range(2), k = state.range(3);
  const int64_t size = static_cast<int64_t>(SizeOf(precision.storage));
  AlignedBuffer a(m * k * size), b(k * n * size), c(m * n * size);
  AlignedBuffer bias(n * size);
  AlignedBuffer workspace(GemmWorkspaceBytes(m, n, k));
  // An ordinary number in each type: 0.011, 1.06, 0.011.
  std::memset(a.data(), 0x3c, static_cast<size_t>(a.bytes()));
  std::memset(b.data(), 0x3c, static_cast<size_t>(b.bytes()));
  const bool a_t = transpose == Transpose::kA;
  const bool b_t = transpose == Transpose::kB;
  const GemmArgs args = {
      m,
      n,
      k,
      {a.data(), precision.storage, a_t ? 1 : k, a_t ? m : 1},
      {b.data(), precision.storage, b_t ? 1 : n, b_t ? k : 1},
      c.data(),
      precision.storage,
      n,
      bias.data(),
      precision.storage,
      precision.accumulator};
  StoreCounter counter;
  const double ceiling = FmaCeiling(pool);
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    Gemm(args, workspace.data(), pool, counter);
    benchmark::ClobberMemory();
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  const double rate = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                      static_cast<double>(k) *
                      static_cast<double>(state.iterations()) / seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["ceiling"] = ceiling * 1e-9;
  state.counters["share"] = rate / ceiling;
}

// Dense layers as rows, inputs, units: a square one, those of the MNIST network
// (batch 128), AlexNet's and ViT's (batch 256; ViT has 25 tokens).
struct Layer {
  int64_t rows;
  int64_t in;
  int64_t units;
};
constexpr Layer kLayers[] = {
    {1024, 1024, 1024}, {128, 784, 512},   {128, 512, 256}, {128, 256, 10},
    {256, 512, 4096},   {256, 4096, 4096}, {256, 4096, 10}, {6400, 108, 64},
    {6400, 64, 256},    {6400, 256, 64},   {6400, 64, 512}, {6400, 512, 64},
};

template <class ToProduct>
void AddLayers(benchmark::internal::Benchmark* b, const ToProduct& product) {
  for (const int64_t threads : {1, 2}) {
    for (const Layer& layer : kLayers) {
      std::vector<int64_t> args = product(layer);
      args.insert(args.begin(), threads);
      b->Args(args);
    }
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

void Forward(benchmark::internal::Benchmark* b) {
  AddLayers(b, [](const Layer& l) {
    return std::vector<int64_t>{l.rows, l.units, l.in};
  });
}

void InputGradient(benchmark::internal::Benchmark* b) {
  AddLayers(b, [](const Layer& l) {
    return std::vector<int64_t>{l.rows, l.in, l.units};
  });
}

void WeightGradient(benchmark::internal::Benchmark* b) {
  AddLayers(b, [](const Layer& l) {
    return std::vector<int64_t>{l.in, l.units, l.rows};
  });
}

#define REPRO16_GEMM_BENCHMARKS(precision)                              \
  BENCHMARK_CAPTURE(BM_Gemm, precision##_forward, k##precision,         \
                    Transpose::kNone)                                   \
      ->Apply(Forward);                                                 \
  BENCHMARK_CAPTURE(BM_Gemm, precision##_input_gradient, k##precision,  \
                    Transpose::kB)                                      \
      ->Apply(InputGradient);                                           \
  BENCHMARK_CAPTURE(BM_Gemm, precision##_weight_gradient, k##precision, \
                    Transpose::kA)                                      \
      ->Apply(WeightGradient)

REPRO16_GEMM_BENCHMARKS(F32);
REPRO16_GEMM_BENCHMARKS(F16);
REPRO16_GEMM_BENCHMARKS(BF16);
REPRO16_GEMM_BENCHMARKS(F16Acc16);

}  // namespace
}  // namespace repro16
