// One result an element. `n` elements of one storage type; results are rounded
// once and counted, but where a kernel selects or moves.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_KERNELS_H_

#include <cstdint>

#include "engine/cuda/step_state.h"
#include "engine/graph/operation_shapes.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// y[i] = f(x[i]).
struct UnaryArgs {
  UnaryFunction function;
  DType type;
  int64_t n;
  const void* x;
  void* y;
  StoreCounter* counter;
};

// dx[i] = dy[i] * f'(i). `stored` is x of GELU, else y. dx may be dy.
struct UnaryGradientArgs {
  UnaryFunction function;
  DType type;
  int64_t n;
  const void* stored;
  const void* dy;
  void* dx;
  StoreCounter* counter;
};

// y[i] = r(a[i] + b[i % period]). y may be a.
struct AddArgs {
  DType type;
  int64_t n;
  const void* a;
  const void* b;
  int64_t period;
  void* y;
  StoreCounter* counter;
};

// y[i] = r(x[i] * factor).
struct ScaleArgs {
  DType type;
  int64_t n;
  const void* x;
  float factor;
  void* y;
  StoreCounter* counter;
};

// y[i] = r(x[i] * factor) where the draw of element i of the stream of `part`,
// `seed` and the step keeps it, else +0 (engine/numerics/random_draw.h).
struct DropoutArgs {
  DType type;
  int64_t n;
  const void* x;
  float factor;
  int32_t threshold;  // DropoutThreshold
  uint64_t seed;
  uint32_t part;
  const StepState* step;
  void* y;
  StoreCounter* counter;
};

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_ELEMENTWISE_KERNELS(K) \
  K(Unary, UnaryArgs)                  \
  K(UnaryGradient, UnaryGradientArgs)  \
  K(Add, AddArgs)                      \
  K(Scale, ScaleArgs)                  \
  K(Dropout, DropoutArgs)

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_ELEMENTWISE_KERNELS_H_
