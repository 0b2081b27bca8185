// Depthwise convolutions.
#ifndef REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_
#define REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_DEPTHWISE_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_CONV_DEPTHWISE_KERNELS_H_
