// Softmax, and softmax with cross entropy as one operation from logits.
#ifndef REPRO16_ENGINE_CPU_ELEMENTWISE_SOFTMAX_H_
#define REPRO16_ENGINE_CPU_ELEMENTWISE_SOFTMAX_H_

#include <cstdint>
#include <memory>

#include "engine/cpu/kernel.h"

namespace repro16 {

// Both use, per row x of C logits, in f32: m = max_c x[c] (NaN if any is), e[c]
// = exp(x[c] - m), s = e[0] + e[1] + ... in this order.

// p[c] = e[c] / s, rounded to the storage type, over rows of `cols` elements,
// at most kMaxRow; an example is one row or more. Backward, from the stored
// output: dx[c] = r(p[c] * (dy[c] - t)), t = sum_c dy[c] * p[c] in f32 (DotSum;
// one chunk). Output may be the input's memory, dx that of dy.
std::unique_ptr<Kernel> MakeSoftmax(int64_t cols);

// PassContext::labels must be below the number of classes: the kernel reads and
// writes at them and does not check.
//
// loss = (log(s) + m) - x[label], f32. Backward, from the stored logits:
//   dx[c] = (e[c] / s - (c == label)) * (loss_scale / batch),
// rounded once: the 1/batch of the mean and the loss scale act before the
// rounding. Forward adds to *PassContext::correct each row whose argmax (lowest
// index on ties) is its label; a row with a NaN is wrong.
std::unique_ptr<Kernel> MakeSoftmaxCrossEntropy();

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_ELEMENTWISE_SOFTMAX_H_
