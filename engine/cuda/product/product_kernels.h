// Matrix products, and convolutions as products.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_PRODUCT_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_PRODUCT_KERNELS_H_
