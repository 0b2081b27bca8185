// What a kernel is written with. One source of a kernel is compiled twice: by
// nvcc for a GPU, into namespace on_device, and by the host's compiler for the
// emulator (emulator.h), into namespace emulated; it gives the same bits there.
//
//   namespace repro16 {
//   namespace REPRO16_CUDA_TARGET {
//   template <class T>
//   SIMT_KERNEL(kMaxThreads, kMinBlocks) Name(const Args args) { ... }
//   }
//   }
//
// Blocks have one dimension; a multiprocessor shall hold kMinBlocks of them,
// which limits registers. Numbers are added, multiplied and divided through
// namespace f32 alone (engine/numerics/host_device.h): each operation there
// rounds once, and none is contracted.
#ifndef REPRO16_ENGINE_CUDA_SIMT_SIMT_H_
#define REPRO16_ENGINE_CUDA_SIMT_SIMT_H_

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "engine/cuda/simt/index3.h"
#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/rounding.h"
#ifndef __CUDACC__
#include "engine/cuda/simt/emulator.h"
#endif

#ifdef __CUDACC__
#define REPRO16_CUDA_TARGET on_device
#define SIMT_KERNEL(max_threads, min_blocks) \
  __global__ void __launch_bounds__(max_threads, min_blocks)
#define SIMT_FUNCTION __device__ __forceinline__
#define SIMT_UNROLL _Pragma("unroll")
#else
#define REPRO16_CUDA_TARGET emulated
#define SIMT_KERNEL(max_threads, min_blocks) inline void
#define SIMT_FUNCTION inline __attribute__((always_inline))
// g++ makes vectors of loops, and compiles much faster.
#define SIMT_UNROLL
#endif

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// --- Threads

#ifdef __CUDACC__

SIMT_FUNCTION unsigned ThreadIndex() { return threadIdx.x; }
SIMT_FUNCTION Index3 BlockIndex() {
  return {blockIdx.x, blockIdx.y, blockIdx.z};
}
SIMT_FUNCTION Index3 GridSize() { return {gridDim.x, gridDim.y, gridDim.z}; }

// Every thread of the block waits here for the others.
SIMT_FUNCTION void Barrier() { __syncthreads(); }
// The same; true for all of them if `mine` is true for one.
SIMT_FUNCTION bool BarrierOr(bool mine) { return __syncthreads_or(mine); }

// The block's shared memory, undefined at its start; a launch gives sizeof(T)
// bytes of it. The comment goes into the PTX, for those who read the size
// there.
template <class T>
SIMT_FUNCTION T& SharedMemory() {
  extern __shared__ __align__(16) unsigned char shared_memory[];
  asm volatile("// SharedMemory %0" ::"n"(static_cast<int>(sizeof(T))));
  return *reinterpret_cast<T*>(shared_memory);
}

#else

SIMT_FUNCTION unsigned ThreadIndex() { return emulator::position.thread; }
SIMT_FUNCTION Index3 BlockIndex() { return emulator::position.block; }
SIMT_FUNCTION Index3 GridSize() { return emulator::position.grid; }

// The default arguments name the line of the call.
SIMT_FUNCTION void Barrier(const char* file = __builtin_FILE(),
                           int line = __builtin_LINE()) {
  emulator::Wait(false, {file, line});
}
SIMT_FUNCTION bool BarrierOr(bool mine, const char* file = __builtin_FILE(),
                             int line = __builtin_LINE()) {
  return emulator::Wait(mine, {file, line});
}

template <class T>
SIMT_FUNCTION T& SharedMemory() {
  return *static_cast<T*>(emulator::SharedMemory(sizeof(T)));
}

#endif

// --- Sums that many threads add to: of integers alone, as a sum of floats
// would depend on the order of the threads

SIMT_FUNCTION void AtomicAdd(uint32_t* to, uint32_t x) {
#ifdef __CUDACC__
  atomicAdd(to, x);
#else
  __atomic_fetch_add(to, x, __ATOMIC_RELAXED);
#endif
}

SIMT_FUNCTION void AtomicAdd(uint64_t* to, uint64_t x) {
#ifdef __CUDACC__
  static_assert(sizeof(unsigned long long) == sizeof(uint64_t));
  atomicAdd(reinterpret_cast<unsigned long long*>(to), x);
#else
  __atomic_fetch_add(to, x, __ATOMIC_RELAXED);
#endif
}

SIMT_FUNCTION void AtomicMin(uint32_t* to, uint32_t x) {
#ifdef __CUDACC__
  atomicMin(to, x);
#else
  uint32_t old = __atomic_load_n(to, __ATOMIC_RELAXED);
  while (x < old &&
         !__atomic_compare_exchange_n(to, &old, x, /*weak=*/true,
                                      __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
  }
#endif
}

// --- Memory

// Reads what no thread of the launch writes.
SIMT_FUNCTION float Load(const float* p) {
#ifdef __CUDACC__
  return __ldg(p);
#else
  return *p;
#endif
}

// Binary16 or BFloat16.
template <class T>
SIMT_FUNCTION T Load(const T* p) {
  static_assert(sizeof(T) == sizeof(uint16_t));
#ifdef __CUDACC__
  return {__ldg(&p->bits)};
#else
  return *p;
#endif
}

// x[i] in f32.
template <class T>
SIMT_FUNCTION float LoadF32(const T* x) {
  return ToFloat(Load(x));
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_SIMT_H_
