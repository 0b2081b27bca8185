// Batch normalisation.
#ifndef REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_BATCH_NORM_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_NORM_BATCH_NORM_KERNELS_H_
