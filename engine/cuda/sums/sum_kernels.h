// Sums over rows in the contract's order.
#ifndef REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_

#include <cstdint>

#include "engine/numerics/reduction.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_SUM_KERNELS(K) K(ColumnSums, ColumnSumsArgs)

namespace repro16 {

// Of `sums` sums side by side for each column.
inline int64_t ChunkSumBytes(int64_t rows, int64_t columns, int64_t sums) {
  return ReductionChunks(rows) * columns * sums *
         static_cast<int64_t>(sizeof(float));
}

// y[c] = r(RowSum of x[row, c] over the rows), counted. x: [rows, columns].
struct ColumnSumsArgs {
  DType type;  // of x and y
  const void* x;
  int64_t rows;
  int64_t columns;
  void* y;
  StoreCounter* counter;
  float* workspace;  // ColumnSumsWorkspaceBytes
};

inline int64_t ColumnSumsWorkspaceBytes(int64_t rows, int64_t columns) {
  return ChunkSumBytes(rows, columns, /*sums=*/1);
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_
