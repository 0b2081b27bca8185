#include "engine/cpu/machine/fma_ceiling.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/machine/fma_ceiling.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/machine/float_vector-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// Twelve chains of multiply-adds in registers, enough to hide their latency.
// Each starts from another number of `sink`, or the compiler would merge them.
// Returns operations done.
double MultiplyAddChains(float* sink) {
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

HWY_EXPORT(MultiplyAddChains);

double FmaCeiling(ThreadPool& pool) {
  constexpr int64_t kNumbers = 32;  // of a worker, in cache lines of its own
  const int64_t workers = pool.num_workers();
  std::vector<float> sinks(static_cast<size_t>(workers * kNumbers));
  std::vector<double> operations(static_cast<size_t>(workers));
  double best = 0;
  for (int run = 0; run < 10; ++run) {
    for (size_t i = 0; i < sinks.size(); ++i) {
      sinks[i] = 0.5f / static_cast<float>(i + 1);
    }
    const auto start = std::chrono::steady_clock::now();
    pool.Run(workers, [&](int64_t task, int /*worker*/) {
      operations[static_cast<size_t>(task)] = HWY_DYNAMIC_DISPATCH(
          MultiplyAddChains)(&sinks[static_cast<size_t>(task * kNumbers)]);
    });
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
            .count();
    double total = 0;
    for (const double o : operations) total += o;
    best = std::max(best, total / seconds);
  }
  return best;
}

}  // namespace repro16
#endif  // HWY_ONCE
