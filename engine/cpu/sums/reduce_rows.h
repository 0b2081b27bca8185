// Column sums, as in the gradient of a bias.
#ifndef REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_
#define REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_

#include <cstdint>

#include "engine/cpu/kernel.h"

namespace repro16 {

// Scratch that ReduceRows needs.
int64_t ReduceRowsWorkspaceBytes(int64_t rows, int64_t cols);

// out[j] = r( sum_i in[i, j] ) for the parameter's gradient `out`, [cols], over
// the rows of `in`, [batch of the pass, ..., cols]: summed in f32 in the order
// of RowSum (engine/numerics/reduction.h), rounded once to out's type. Without
// rows sums are +0.
void ReduceRows(const TensorRef& in, const TensorRef& out,
                const PassContext& pass);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_SUMS_REDUCE_ROWS_H_
