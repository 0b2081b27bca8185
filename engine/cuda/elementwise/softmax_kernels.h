// Softmax, and softmax with cross entropy. The formulas:
// engine/cpu/elementwise/softmax.h.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_

#include <cstdint>

#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_SOFTMAX_KERNELS(K)         \
  K(SoftmaxForward, SoftmaxForwardArgs)    \
  K(SoftmaxGradient, SoftmaxGradientArgs)  \
  K(CrossEntropyForward, CrossEntropyArgs) \
  K(CrossEntropyGradient, CrossEntropyArgs)

namespace repro16 {

// Matrices are [rows, columns], at most kReductionChunk columns, of one type.

// p = r(e / s); may be x.
struct SoftmaxForwardArgs {
  DType type;
  const void* x;
  int64_t rows;
  int64_t columns;
  void* p;
  StoreCounter* counter;
};

// dx = r(p * (dy - t)), t = sum dy * p of the row; may be dy.
struct SoftmaxGradientArgs {
  DType type;
  const void* p;
  const void* dy;
  int64_t rows;
  int64_t columns;
  void* dx;
  StoreCounter* counter;
};

// Forward: loss = (log(s) + m) - x[label] in f32, by row, and the rows whose
// argmax is their label are added to *correct. Gradient: dx = r((e / s -
// [label]) * (*loss_scale / rows)).
struct CrossEntropyArgs {
  DType type;  // of x and dx
  const void* x;
  int64_t rows;  // examples
  int64_t columns;
  const uint8_t* labels;  // by row, below columns
  void* result;           // the losses, or dx
  StoreCounter* counter;
  uint64_t* correct;        // of Forward
  const float* loss_scale;  // of Gradient
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_
