// Softmax, and softmax with cross entropy.
#ifndef REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_
#define REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_SOFTMAX_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_ELEMENTWISE_SOFTMAX_KERNELS_H_
