// Dense layers, of the batch or of each of its tokens.
// The formulas: engine/cpu/product/dense.h.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_DENSE_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_DENSE_H_

#include <cstdint>
#include <memory>

#include "engine/cuda/operation.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

std::unique_ptr<Operation> MakeDense(int64_t in, int64_t units,
                                     DType accumulator);

// The same of each row of [N, rows, in]; parameters are w and, where the
// operation has a bias, b.
std::unique_ptr<Operation> MakeDenseRows(int64_t rows, int64_t in,
                                         int64_t units, DType accumulator);

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_DENSE_H_
