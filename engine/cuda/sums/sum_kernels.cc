#include "engine/cuda/sums/sum_kernels.h"

#include "engine/cuda/simt/run_time_type.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/sums/column_chains.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {
namespace {

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
