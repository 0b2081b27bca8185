// Pooling.
#ifndef REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_
#define REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_POOL_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_POOL_POOL_KERNELS_H_
