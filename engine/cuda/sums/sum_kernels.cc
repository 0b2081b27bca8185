#include "engine/cuda/sums/sum_kernels.h"

#include "engine/cuda/simt/run_time_type.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/sums/column_chains.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

template <class T>
struct PlainTerms {
  static constexpr int kSums = 1;
  static constexpr int kLoads = kChainLoads;
  struct OfColumnType {};

  SIMT_FUNCTION OfColumnType OfColumn(int /*column*/) const { return {}; }
  SIMT_FUNCTION T Load(int /*row*/, int at) const {
    return REPRO16_CUDA_TARGET::Load(x + at);
  }
  SIMT_FUNCTION void Add(OfColumnType, T term, float* sum) const {
    sum[0] = f32::Add(sum[0], ToFloat(term));
  }

  const T* x;
};

struct StoreTotal {
  static constexpr int kSums = 1;
  static constexpr int kStores = 1;

  SIMT_FUNCTION void Store(int column, const float* totals,
                           StoreCounts* counts) const {
    StoreAs(args.type, totals[0], args.y, column, counts[0]);
  }
  SIMT_FUNCTION StoreCounter* counter(int /*i*/) const { return args.counter; }

  const ColumnSumsArgs args;
};

}  // namespace

void ColumnSums(const ColumnSumsArgs& args, Stream& stream) {
  VisitDType(args.type, [&](auto tag) {
    using T = decltype(tag);
    SumColumns(PlainTerms<T>{static_cast<const T*>(args.x)}, StoreTotal{args},
               args.rows, args.columns, args.workspace, stream);
  });
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16
