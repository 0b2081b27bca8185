#include "engine/cpu/sums/reduce_rows.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/round_up.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/sums/reduce_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using FloatTag = hn::ScalableTag<float>;
using FloatVector = hn::VFromD<FloatTag>;

// Columns of a task: chains of additions side by side hide their latency.
constexpr int64_t kMaxVectors = 4;

// The sums of kVectors vectors of columns, over `rows` rows of `cols` elements;
// a last vector of which only `count` columns exist has the others 0.
template <int64_t kVectors, class T, class Store>
HWY_INLINE void SumColumns(const T* in, int64_t rows, int64_t cols,
                           size_t count, const Store& store) {
  const FloatTag d;
  const size_t lanes = hn::Lanes(d);
  FloatVector total[kVectors];
  for (auto& t : total) t = hn::Zero(d);
  for (int64_t begin = 0; begin < rows; begin += kReductionChunk) {
    const int64_t end = std::min(begin + kReductionChunk, rows);
    FloatVector chunk[kVectors];
    for (auto& c : chunk) c = hn::Zero(d);
    for (int64_t row = begin; row < end; ++row) {
      const T* from = in + row * cols;
      for (int64_t v = 0; v < kVectors; ++v) {
        const auto term =
            count == lanes ? LoadF32(d, from + static_cast<size_t>(v) * lanes)
                           : LoadF32N(d, from, count);
        chunk[v] = hn::Add(chunk[v], term);
      }
    }
    for (int64_t v = 0; v < kVectors; ++v) {
      total[v] = begin == 0 ? chunk[v] : hn::Add(total[v], chunk[v]);
    }
  }
  for (int64_t v = 0; v < kVectors; ++v) store(v, total[v]);
}

// Columns [begin, end).
template <class In, class Out>
void ReduceColumns(const In* in, int64_t rows, int64_t cols, int64_t begin,
                   int64_t end, Out* out, StoreCounter& counter) {
  const FloatTag d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t col = begin;
  const auto store = [&](int64_t v, FloatVector sum) HWY_ATTR {
    StoreRounded(d, sum, out + col + v * lanes, counter);
  };
  const size_t full = static_cast<size_t>(lanes);
  for (; col + kMaxVectors * lanes <= end; col += kMaxVectors * lanes) {
    SumColumns<kMaxVectors>(in + col, rows, cols, full, store);
  }
  for (; col + lanes <= end; col += lanes) {
    SumColumns<1>(in + col, rows, cols, full, store);
  }
  if (col == end) return;
  const size_t count = static_cast<size_t>(end - col);
  SumColumns<1>(in + col, rows, cols, count,
                [&](int64_t /*v*/, FloatVector sum) HWY_ATTR {
                  StoreRoundedN(d, sum, out + col, count, counter);
                });
}

void ReduceRowsKernel(const ReduceRowsArgs& args, ThreadPool& pool,
                      StoreCounter& counter) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(FloatTag()));
  const int64_t vectors = CeilDiv(args.cols, lanes);
  const int64_t cols_per_task =
      lanes * std::clamp<int64_t>(vectors / pool.num_workers(), 1, kMaxVectors);
  const int64_t tasks = CeilDiv(args.cols, cols_per_task);
  pool.RunCounted(
      tasks, counter, [&](int64_t task, StoreCounter& task_counter) {
        const int64_t begin = task * cols_per_task;
        const int64_t end = std::min(begin + cols_per_task, args.cols);
        VisitDType(args.in_type, [&](auto in) {
          VisitDType(args.out_type, [&](auto out) {
            ReduceColumns(static_cast<const decltype(in)*>(args.in), args.rows,
                          args.cols, begin, end,
                          static_cast<decltype(out)*>(args.out), task_counter);
          });
        });
      });
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {

HWY_EXPORT(ReduceRowsKernel);

void ReduceRows(const ReduceRowsArgs& args, ThreadPool& pool,
                StoreCounter& counter) {
  HWY_DYNAMIC_DISPATCH(ReduceRowsKernel)(args, pool, counter);
}

}  // namespace repro16
#endif  // HWY_ONCE
