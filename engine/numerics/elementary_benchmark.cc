// Operands a second of the elementary functions, by SIMD on the best target and
// scalar.
#include <cstddef>
#include <vector>

#include "benchmark/benchmark.h"
#include "engine/numerics/elementary.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/numerics/elementary_benchmark.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must follow foreach_target.h.
#include "engine/numerics/elementary-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

#define REPRO16_DEFINE_APPLY(f)                          \
  void Apply##f(const float* x, float* y, size_t size) { \
    const hn::ScalableTag<float> d;                      \
    for (size_t i = 0; i < size; i += hn::Lanes(d)) {    \
      hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);   \
    }                                                    \
  }
REPRO16_DEFINE_APPLY(Exp)
REPRO16_DEFINE_APPLY(Log)
REPRO16_DEFINE_APPLY(Tanh)
REPRO16_DEFINE_APPLY(Erf)
REPRO16_DEFINE_APPLY(Gelu)
REPRO16_DEFINE_APPLY(GeluDerivative)
REPRO16_DEFINE_APPLY(Rsqrt)
#undef REPRO16_DEFINE_APPLY

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

// Fits the first-level cache.
constexpr size_t kSize = 2048;

// Spread over [0.002, 4.1].
std::vector<float> Operands() {
  std::vector<float> x(kSize);
  for (size_t i = 0; i < kSize; ++i) x[i] = 0.002f * static_cast<float>(i + 1);
  return x;
}

void BenchmarkScalar(benchmark::State& state, float (*function)(float)) {
  const std::vector<float> x = Operands();
  std::vector<float> y(kSize);
  for (auto _ : state) {
    for (size_t i = 0; i < kSize; ++i) y[i] = function(x[i]);
    benchmark::DoNotOptimize(y.data());
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations() * kSize);
}

#define REPRO16_BENCHMARK(f)                                     \
  HWY_EXPORT(Apply##f);                                          \
  void f##Simd(benchmark::State& state) {                        \
    const std::vector<float> x = Operands();                     \
    std::vector<float> y(kSize);                                 \
    for (auto _ : state) {                                       \
      HWY_DYNAMIC_DISPATCH(Apply##f)(x.data(), y.data(), kSize); \
      benchmark::DoNotOptimize(y.data());                        \
      benchmark::ClobberMemory();                                \
    }                                                            \
    state.SetItemsProcessed(state.iterations() * kSize);         \
  }                                                              \
  BENCHMARK(f##Simd);                                            \
  BENCHMARK_CAPTURE(BenchmarkScalar, f, f);
REPRO16_BENCHMARK(Exp)
REPRO16_BENCHMARK(Log)
REPRO16_BENCHMARK(Tanh)
REPRO16_BENCHMARK(Erf)
REPRO16_BENCHMARK(Gelu)
REPRO16_BENCHMARK(GeluDerivative)
REPRO16_BENCHMARK(Rsqrt)
#undef REPRO16_BENCHMARK

}  // namespace
}  // namespace repro16
#endif  // HWY_ONCE
