// Matrix product for every mix of storage types, the same bits everywhere.
//
//   c[i, j] = r( sum_p a[i, p] * b[p, j] + bias[j] ),  p in [0, k)
//
// The sum runs in the order of engine/numerics/reduction.h whatever the number
// of threads, the instruction set and the block sizes; r rounds once, to
// nearest even, to the storage type of c.
#ifndef REPRO16_ENGINE_CPU_PRODUCT_GEMM_H_
#define REPRO16_ENGINE_CPU_PRODUCT_GEMM_H_

#include <cstdint>

#include "engine/cpu/machine/thread_pool.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A matrix in memory: element (row, col) is data[row * row_stride + col *
// col_stride], strides in elements. Swapping them transposes it. One of them
// being 1 is fast; other strides are right, and slower.
struct GemmOperand {
  const void* data;
  DType type;
  int64_t row_stride;
  int64_t col_stride;
};

struct GemmArgs {
  int64_t m;
  int64_t n;
  int64_t k;      // 0: an empty sum is +0
  GemmOperand a;  // [m, k]
  GemmOperand b;  // [k, n]
  // [m, n], columns contiguous; overlaps neither operand.
  void* c;
  DType c_type;
  int64_t c_row_stride;
  // [n], contiguous; null: nothing is added.
  const void* bias;
  DType bias_type;
  // kF32, or kF16: every product and every sum rounds to f16 (DotSum).
  DType accumulator;
};

// Bytes that Gemm needs for a product of at most these sizes.
int64_t GemmWorkspaceBytes(int64_t m, int64_t n, int64_t k);

// `workspace` has GemmWorkspaceBytes bytes, aligned to 64; its contents before
// and after mean nothing. Adds to `counter` what the stores to c did. Allocates
// nothing.
void Gemm(const GemmArgs& args, void* workspace, ThreadPool& pool,
          StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PRODUCT_GEMM_H_
