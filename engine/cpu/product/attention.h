// The batched matrix products of multi-head attention (Vaswani et al., 2017,
// section 3.2); scaling and softmax between them are operations of their own.
//
// Shapes, with T tokens, A heads and keys of size D: queries, keys, values and
// context [N, T, A * D], head a in columns a * D + [0, D); scores and
// probabilities [N, A, T, T]. Each sum below runs over the index named, in the
// order of engine/numerics/reduction.h with `accumulator` as in
// PrecisionPolicy, and is rounded once to the storage type of its result.
#ifndef REPRO16_ENGINE_CPU_PRODUCT_ATTENTION_H_
#define REPRO16_ENGINE_CPU_PRODUCT_ATTENTION_H_

#include <memory>

#include "engine/cpu/kernel.h"
#include "engine/graph/operation_shapes.h"

namespace repro16 {

// Inputs q, k. y[n, a, i, j] = sum_d q[n, i, aD + d] * k[n, j, aD + d];
//   dq[n, i, aD + d] = sum_j dy[n, a, i, j] * k[n, j, aD + d],
//   dk[n, j, aD + d] = sum_i dy[n, a, i, j] * q[n, i, aD + d].
std::unique_ptr<Kernel> MakeAttentionScores(const AttentionShape& shape,
                                            DType accumulator);

// Inputs p, v. y[n, i, aD + d] = sum_j p[n, a, i, j] * v[n, j, aD + d];
//   dp[n, a, i, j] = sum_d dy[n, i, aD + d] * v[n, j, aD + d],
//   dv[n, j, aD + d] = sum_i p[n, a, i, j] * dy[n, i, aD + d].
std::unique_ptr<Kernel> MakeAttentionContext(const AttentionShape& shape,
                                             DType accumulator);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_PRODUCT_ATTENTION_H_
