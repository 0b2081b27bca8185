// The optimizer.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_UPDATE_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_UPDATE_KERNELS_H_
