// Many small matrix products of one shape, as in attention.
//
//   c[o, h, i, j] = r( sum_p a[o, h, i, p] * b[o, h, p, j] ),  p in [0, k)
//
// The sum runs in the order of engine/numerics/reduction.h, r rounds once to
// the storage type of c. A product stays on one thread, so this is for
// products that fit its caches; gemm.h spreads a large one over all threads.
#ifndef REPRO16_ENGINE_CPU_PRODUCT_BATCHED_GEMM_H_
#define REPRO16_ENGINE_CPU_PRODUCT_BATCHED_GEMM_H_

#include <cstdint>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Element (o, h, i, j) is at o * outer + h * inner + i * row + j * col. One of
// row and col being 1 is fast.
struct BatchStrides {
  int64_t outer;
  int64_t inner;
  int64_t row;
  int64_t col;

  BatchStrides Transposed() const { return {outer, inner, col, row}; }
};

// The matrices (o, h) of a tensor.
struct BatchedMatrix {
  TensorRef tensor;
  BatchStrides strides;

  BatchedMatrix Transposed() const { return {tensor, strides.Transposed()}; }
};

struct BatchedGemmArgs {
  int64_t outer;  // products are numbered (o, h) in [0, outer) x [0, inner)
  int64_t inner;
  int64_t m;
  int64_t n;
  int64_t k;          // at least 1
  BatchedMatrix a;    // [m, k]
  BatchedMatrix b;    // [k, n]
  BatchedMatrix c;    // [m, n], col is 1; overlaps neither operand
  DType accumulator;  // as in GemmArgs
};

// Bytes that BatchedGemm needs for products of at most these sizes.
int64_t BatchedGemmWorkspaceBytes(int64_t m, int64_t n, int64_t k);

// As Gemm: `workspace` has BatchedGemmWorkspaceBytes bytes, aligned to 64; adds
// to c's counter what the stores to it did; allocates nothing.
void BatchedGemm(const BatchedGemmArgs& args, void* workspace,
                 ThreadPool& pool);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PRODUCT_BATCHED_GEMM_H_
