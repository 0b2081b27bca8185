// Batches, records and state of a program.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_PROGRAM_KERNELS(K)

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_
