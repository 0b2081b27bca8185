// Walks over the windows of an image, per Highway target.
#if defined(REPRO16_ENGINE_CPU_POOL_POOL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef REPRO16_ENGINE_CPU_POOL_POOL_INL_H_
#undef REPRO16_ENGINE_CPU_POOL_POOL_INL_H_
#else
#define REPRO16_ENGINE_CPU_POOL_POOL_INL_H_
#endif

#include <cstdint>

#include "engine/cpu/sums/channel_vectors-inl.h"
#include "engine/graph/window.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {

// Calls fn(out row, out column) over the outputs, ascending.
template <class Fn>
HWY_INLINE void ForEachOutput(const ImageTaps& taps, const Fn& fn) {
  for (int64_t h = 0; h < taps.output_rows.positions(); ++h) {
    for (int64_t v = 0; v < taps.output_cols.positions(); ++v) fn(h, v);
  }
}

// Calls fn(pixel of an image) over the inputs of an output's window, ascending.
template <class Fn>
HWY_INLINE void ForEachInput(const ImageWindow& shape, const ImageTaps& taps,
                             int64_t h, int64_t v, const Fn& fn) {
  for (const auto& row : taps.output_rows[h]) {
    for (const auto& col : taps.output_cols[v]) {
      fn(row.source * shape.in_width + col.source);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#endif  // REPRO16_ENGINE_CPU_POOL_POOL_INL_H_
