// Dense: y[n, o] = sum_i x[n, i] * w[i, o] + b[o], one operation, rounded once.
#ifndef REPRO16_ENGINE_CPU_PRODUCT_DENSE_H_
#define REPRO16_ENGINE_CPU_PRODUCT_DENSE_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"

namespace repro16 {

// x [N, in], w [in, units], b [units], y [N, units]. Gradients:
//   dx = dy w^T (sum over units), dw = x^T dy and db = column sums of dy (sums
//   over the batch; db is a RowSum in f32),
// each rounded once; sums run in the order of engine/numerics/reduction.h, with
// `accumulator` as in PrecisionPolicy.
std::unique_ptr<Kernel> MakeDense(int64_t in, int64_t units, DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PRODUCT_DENSE_H_
