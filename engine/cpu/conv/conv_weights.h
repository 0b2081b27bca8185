// The gradients of a convolution's weights and bias:
//
//   dw[kr, kc, i, o] = r( sum_(n, oy, ox) x[n, iy, ix, i] * dy[n, oy, ox, o] ),
//   db[o] = r( sum_(n, oy, ox) dy[n, oy, ox, o] )   (RowSum, in f32),
//   iy = oy * stride - pad_top + kr, ix = ox * stride - pad_left + kc;
//   terms on padding are absent.
#ifndef REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_
#define REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_

#include <cstdint>

#include "engine/cpu/kernel.h"
#include "engine/cpu/machine/thread_pool.h"
#include "engine/graph/window.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

struct ConvWeightsArgs {
  int64_t batch;
  TensorRef x;
  TensorRef dy;
  TensorRef dw;       // [height, width, in_channels, out_channels]
  TensorRef db;       // [out_channels]; null where not wanted
  DType accumulator;  // of dw: kF32 or kF16 (DotSum)
};

// Bytes that ConvWeights needs for batches up to this.
int64_t ConvWeightsWorkspaceBytes(const ImageWindow& shape, int64_t max_batch);

// Writes dw and db, and counts the stores with theirs; `workspace` is aligned
// to 64, its contents mean nothing.
void ConvWeights(const ImageWindow& shape, const ConvWeightsArgs& args,
                 void* workspace, ThreadPool& pool);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_CONV_CONV_WEIGHTS_H_
