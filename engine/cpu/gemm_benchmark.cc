// Matrix products: floating-point operations a second, and the share of what
// the machine's multiply-add units give (measured in the same run).
//
// Arguments: threads, m, n, k.
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "benchmark/benchmark.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/thread_pool.h"
#include "engine/tensor/buffer.h"
#include "engine/tensor/dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/gemm_benchmark.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/gemm-inl.h"
#include "hwy/highway.h"
#include "hwy/timer.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// Twelve chains of multiply-adds in registers, enough to hide their latency.
// Each starts from another number of `sink`, or the compiler would merge them.
// Returns operations done.
double MultiplyAdds(float* sink) {
  constexpr int kChains = 12;
  constexpr int kSteps = 100000;
  const FloatTag d;
  FloatVector acc[kChains];
  const FloatVector a = hn::Set(d, sink[0]);
  REPRO16_UNROLL for (int j = 0; j < kChains; ++j) acc[j] = hn::Set(d, sink[j]);
  for (int i = 0; i < kSteps; ++i) {
    REPRO16_UNROLL for (int j = 0; j < kChains; ++j) {
      acc[j] = hn::MulAdd(a, acc[j], a);
    }
  }
  REPRO16_UNROLL for (int j = 0; j < kChains; ++j) {
    sink[j] += hn::ReduceSum(d, acc[j]);
  }
  return 2.0 * kChains * kSteps * static_cast<double>(kLanes);
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(MultiplyAdds);

// Operations a second with all workers busy; the best of some runs.
double Ceiling(ThreadPool& pool) {
  constexpr int64_t kNumbers = 32;  // of a worker, in cache lines of its own
  const int64_t workers = pool.num_workers();
  std::vector<float> sinks(static_cast<size_t>(workers * kNumbers));
  std::vector<double> operations(static_cast<size_t>(workers));
  double best = 0;
  for (int run = 0; run < 10; ++run) {
    for (size_t i = 0; i < sinks.size(); ++i) {
      sinks[i] = 0.5f / static_cast<float>(i + 1);
    }
    const double start = hwy::platform::Now();
    pool.Run(workers, [&](int64_t task, int /*worker*/) {
      operations[static_cast<size_t>(task)] =
          HWY_DYNAMIC_DISPATCH(MultiplyAdds)(&sinks[task * kNumbers]);
    });
    const double seconds = hwy::platform::Now() - start;
    benchmark::DoNotOptimize(sinks.data());
    double total = 0;
    for (const double o : operations) total += o;
    best = std::max(best, total / seconds);
  }
  return best;
}

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
  const double ceiling = Ceiling(pool);
  const double start = hwy::platform::Now();
  for (auto _ : state) {
    Gemm(args, workspace.data(), pool, counter);
    benchmark::ClobberMemory();
  }
  const double seconds = hwy::platform::Now() - start;
  const double rate = 2.0 * static_cast<double>(m) * static_cast<double>(n) *
                      static_cast<double>(k) *
                      static_cast<double>(state.iterations()) / seconds;
  state.counters["GFLOP/s"] = rate * 1e-9;
  state.counters["ceiling"] = ceiling * 1e-9;
  state.counters["share"] = rate / ceiling;
}

// The products of the MNIST network's training step, and a square one.
void Forward(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 1024, 1024, 1024});
    b->Args({threads, 128, 512, 784});
    b->Args({threads, 128, 256, 512});
    b->Args({threads, 128, 10, 256});
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

void InputGradient(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 128, 512, 256});
    b->Args({threads, 128, 256, 10});
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
}

void WeightGradient(benchmark::internal::Benchmark* b) {
  for (const int64_t threads : {1, 2}) {
    b->Args({threads, 784, 512, 128});
    b->Args({threads, 512, 256, 128});
    b->Args({threads, 256, 10, 128});
  }
  b->UseRealTime()->Unit(benchmark::kMicrosecond);
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
#endif  // HWY_ONCE
