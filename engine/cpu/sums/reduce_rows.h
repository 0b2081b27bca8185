// Column sums, as in the gradient of a bias.
#ifndef REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_
#define REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_

#include <cstdint>

#include "engine/cpu/machine/thread_pool.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ReduceRowsArgs {
  int64_t rows;  // 0: sums are +0
  int64_t cols;
  const void* in;  // [rows, cols], row-major
  DType in_type;
  void* out;  // [cols]
  DType out_type;
};

// out[j] = r( sum_i in[i, j] ), summed in f32 in the order of RowSum
// (engine/numerics/reduction.h), rounded once to out_type. Adds to `counter`
// what the stores did.
void ReduceRows(const ReduceRowsArgs& args, ThreadPool& pool,
                StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_
