// Sums over rows in the contract's order.
#ifndef REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_SUM_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_SUMS_SUM_KERNELS_H_
