// Every kernel: functions that enqueue one on a stream, compiled for a GPU and
// for the emulator.
//
// A family of kernels is a header with the structures of their arguments and a
// list, REPRO16_..._KERNELS(K), of K(Name, Arguments), and a file of kernels
// that defines
//
//   void Name(const Arguments& arguments, Stream& stream);
//
// in namespace REPRO16_CUDA_TARGET (engine/cuda/simt/simt.h).
#ifndef REPRO16_ENGINE_CUDA_KERNELS_H_
#define REPRO16_ENGINE_CUDA_KERNELS_H_

#include "engine/cuda/conv/depthwise_kernels.h"
#include "engine/cuda/elementwise/elementwise_kernels.h"
#include "engine/cuda/elementwise/layout_kernels.h"
#include "engine/cuda/elementwise/softmax_kernels.h"
#include "engine/cuda/elementwise/update_kernels.h"
#include "engine/cuda/norm/batch_norm_kernels.h"
#include "engine/cuda/norm/layer_norm_kernels.h"
#include "engine/cuda/pool/pool_kernels.h"
#include "engine/cuda/product/product_kernels.h"
#include "engine/cuda/program/program_kernels.h"
#include "engine/cuda/simt/stream.h"
#include "engine/cuda/sums/sum_kernels.h"

#define REPRO16_CUDA_KERNELS(K)  \
  REPRO16_BATCH_NORM_KERNELS(K)  \
  REPRO16_DEPTHWISE_KERNELS(K)   \
  REPRO16_ELEMENTWISE_KERNELS(K) \
  REPRO16_LAYER_NORM_KERNELS(K)  \
  REPRO16_LAYOUT_KERNELS(K)      \
  REPRO16_POOL_KERNELS(K)        \
  REPRO16_PRODUCT_KERNELS(K)     \
  REPRO16_PROGRAM_KERNELS(K)     \
  REPRO16_SOFTMAX_KERNELS(K)     \
  REPRO16_SUM_KERNELS(K)         \
  REPRO16_UPDATE_KERNELS(K)

namespace repro16 {

// One form of all kernels.
struct Kernels {
#define REPRO16_KERNEL(name, Arguments) \
  void (*name)(const Arguments& arguments, Stream& stream);
  REPRO16_CUDA_KERNELS(REPRO16_KERNEL)
#undef REPRO16_KERNEL
};

const Kernels& DeviceKernels();
const Kernels& EmulatedKernels();

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_KERNELS_H_
