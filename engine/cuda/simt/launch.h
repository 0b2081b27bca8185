// Starts kernels; for the host code that stands in one file with them.
#ifndef REPRO16_ENGINE_CUDA_SIMT_LAUNCH_H_
#define REPRO16_ENGINE_CUDA_SIMT_LAUNCH_H_

#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "engine/cuda/simt/index3.h"
#include "engine/cuda/simt/simt.h"
#include "engine/cuda/simt/stream.h"
#ifdef __CUDACC__
#include <cuda_runtime_api.h>
#else
#include "engine/cuda/simt/work_queue.h"
#endif

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Keeps a parameter out of the deduction of a template's arguments.
template <class T>
struct TypeIdentity {
  using Type = T;
};

// Shared memory that a kernel may use without asking.
inline constexpr size_t kFreeSharedBytes = 48 << 10;

#ifndef __CUDACC__
// Lets the queue look at a copy of an argument. Bytes between members hold
// anything, addresses too, and are cleared; where the compiler cannot do that,
// structures are not looked at.
template <class T>
void CheckArgument(const emulator::LaunchQueue& queue, T argument) {
#if __has_builtin(__builtin_clear_padding)
  __builtin_clear_padding(&argument);
#else
  if (std::is_class_v<T>) return;
#endif
  queue.CheckArgument(&argument, sizeof(argument));
}
#endif

// Enqueues a kernel; arguments are converted to its parameters and copied. A
// grid of no blocks does nothing.
template <class... Params>
void Launch(Stream& stream, void (*kernel)(Params...), Index3 grid,
            unsigned threads, size_t shared_bytes,
            const typename TypeIdentity<Params>::Type&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#ifdef __CUDACC__
  if (shared_bytes > kFreeSharedBytes) {
    stream.Fail(cudaFuncSetAttribute(
        kernel, cudaFuncAttributeMaxDynamicSharedMemorySize,
        static_cast<int>(shared_bytes)));
  }
  kernel<<<dim3(grid.x, grid.y, grid.z), threads, shared_bytes,
           static_cast<cudaStream_t>(stream.handle())>>>(args...);
  stream.Fail(cudaGetLastError());
#else
  auto* queue = static_cast<emulator::LaunchQueue*>(stream.handle());
  (CheckArgument(*queue, args), ...);
  queue->Enqueue([=] {
    emulator::Run(grid, threads, shared_bytes, [&] { kernel(args...); });
  });
#endif
}

// Threads of a block where each takes one element at a time.
inline constexpr unsigned kElementThreads = 256;

// Blocks of kElementThreads for n elements.
inline Index3 ElementGrid(int64_t n) {
  return {static_cast<unsigned>((n + kElementThreads - 1) / kElementThreads)};
}

// The element of a thread of such a launch; may be n or more.
SIMT_FUNCTION int ElementIndex() {
  return static_cast<int>(BlockIndex().x * kElementThreads + ThreadIndex());
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_LAUNCH_H_
