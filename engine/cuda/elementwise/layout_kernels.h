// Moves of values from one layout to another.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_LAYOUT_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_LAYOUT_KERNELS_H_
