// Pooling over windows and whole images. The formulas: engine/cpu/pool/pool.h.
#ifndef REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_
#define REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_

#include <cstdint>

#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_POOL_KERNELS(K)               \
  K(MaxPoolForward, PoolForwardArgs)          \
  K(MaxPoolGradient, PoolGradientArgs)        \
  K(AveragePoolForward, PoolForwardArgs)      \
  K(AveragePoolGradient, PoolGradientArgs)    \
  K(GlobalAveragePoolForward, GlobalPoolArgs) \
  K(GlobalAveragePoolGradient, GlobalPoolArgs)

namespace repro16 {

// One axis of the windows: output o has the inputs o * stride - pad + k, 0 <= k
// < size, that are in [0, inputs).
struct PoolAxis {
  int inputs;
  int outputs;
  int size;
  int stride;
  int pad;
};

// x and dx [batch, rows.inputs, cols.inputs, channels], y and dy [batch,
// rows.outputs, cols.outputs, channels].
struct PoolShape {
  int64_t batch;
  PoolAxis rows;
  PoolAxis cols;
  int64_t channels;
};

struct PoolForwardArgs {
  DType type;
  PoolShape shape;
  const void* x;
  void* y;
  StoreCounter* counter;  // of averages; a maximum is selected
};

// dx of an input: one chain over the outputs whose windows have it, of dy /
// (inputs of the window), or of the dy whose first maximum it is.
struct PoolGradientArgs {
  DType type;
  PoolShape shape;
  const void* x;  // of a maximum, as is y
  const void* y;
  const void* dy;
  void* dx;
  StoreCounter* counter;
};

// Forward: y[n, c] = r(RowSum of x[n, p, c] over the pixels / pixels).
// Gradient: y[n, p, c] = r(x[n, c] / pixels), x being dy and y being dx.
struct GlobalPoolArgs {
  DType type;
  int64_t batch;
  int64_t pixels;
  int64_t channels;
  const void* x;
  void* y;
  StoreCounter* counter;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_
