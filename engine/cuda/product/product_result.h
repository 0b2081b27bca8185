// What operations that are products have in common.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_RESULT_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_RESULT_H_

#include <algorithm>
#include <cstdint>
#include <initializer_list>

#include "engine/cuda/operation.h"
#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/product/product_plan.h"
#include "engine/cuda/sums/sum_kernels.h"
#include "engine/graph/binding.h"
#include "engine/tensor/dtype.h"

namespace repro16::cuda {

// A product's result in y; the workspace is all of the operation's.
inline ProductResult ResultIn(const TensorRef& y, DType accumulator,
                              const ProductSize& size,
                              const PassContext& pass) {
  return {y.type,
          accumulator,
          /*bias=*/nullptr,
          y.data,
          y.counter,
          reinterpret_cast<float*>(pass.workspace),
          ProductWorkspaceBytes(size)};
}

// The most that one of sizes_of(batch) needs, for batches up to max_batch: a
// larger batch can do with less.
template <class SizesOf>
int64_t MaxProductWorkspaceBytes(int64_t max_batch, const SizesOf& sizes_of) {
  int64_t bytes = 0;
  for (int64_t batch = 1; batch <= max_batch; ++batch) {
    for (const ProductSize& size : sizes_of(batch)) {
      bytes = std::max(bytes, ProductWorkspaceBytes(size));
    }
  }
  return bytes;
}

// db = the sums of dy's columns, where db is wanted. dy: [rows, columns].
inline void BiasGradient(const OpBuffers& buffers, int64_t rows,
                         int64_t columns, const PassContext& pass) {
  if (buffers.parameter_gradients.size() < 2) return;
  const TensorRef& db = buffers.parameter_gradients[1];
  if (db.data == nullptr) return;
  pass.kernels.ColumnSums(
      {db.type, buffers.output_gradient.data, rows, columns, db.data,
       db.counter, reinterpret_cast<float*>(pass.workspace)},
      pass.stream);
}

}  // namespace repro16::cuda

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_RESULT_H_
