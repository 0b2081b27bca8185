#include "engine/cpu/sums/reduce_rows.h"

#include <cstdint>

#include "engine/cpu/sums/channel_sums.h"
#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/sums/reduce_rows.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// After foreach_target.h.
#include "engine/cpu/sums/channel_sums-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

void SumColumns(const TensorRef& in, const TensorRef& out,
                const PassContext& pass) {
  const RowExtent extent = {pass.batch * in.elements / out.elements,
                            out.elements};
  float* sums = reinterpret_cast<float*>(pass.workspace);
  VisitDType(in.type, [&](auto tag) HWY_ATTR {
    using T = decltype(tag);
    const PlainSum<T> step = {static_cast<const T*>(in.data)};
    SumOverRows(extent, step, sums, *pass.pool);
  });
  WriteParameterGradient(sums, extent.channels, out);
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(SumColumns);

}  // namespace

int64_t ReduceRowsWorkspaceBytes(int64_t rows, int64_t cols) {
  return ChunkSumFloats(rows, PaddedChannels(cols)) *
         static_cast<int64_t>(sizeof(float));
}

void ReduceRows(const TensorRef& in, const TensorRef& out,
                const PassContext& pass) {
  HWY_DYNAMIC_DISPATCH(SumColumns)(in, out, pass);
}

}  // namespace repro16
#endif  // HWY_ONCE
