// The gradient of a convolution's weights:
//
//   dw[kr, kc, i, o] = r( sum_(n, oy, ox) x[n, iy, ix, i] * dy[n, oy, ox, o] ),
//   iy = oy * stride - pad_top + kr, ix = ox * stride - pad_left + kc;
//   terms on padding are absent.
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_

#include <cstdint>

#include "engine/cpu/machine/thread_pool.h"
#include "engine/graph/window.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ConvWeightsArgs {
  int64_t batch;
  const void* x;
  DType x_type;
  const void* dy;
  DType dy_type;
  void* dw;  // [height, width, in_channels, out_channels]
  DType dw_type;
  DType accumulator;  // kF32 or kF16 (DotSum)
};

// Bytes that ConvWeights needs for batches up to this.
int64_t ConvWeightsWorkspaceBytes(const ImageWindow& shape, int64_t max_batch);

// Writes dw; `workspace` is aligned to 64, its contents mean nothing.
void ConvWeights(const ImageWindow& shape, const ConvWeightsArgs& args,
                 void* workspace, ThreadPool& pool, StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_
