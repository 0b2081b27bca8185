// One operation of a compiled program on the CPU.
#ifndef REPRO16_ENGINE_CPU_KERNEL_H_
#define REPRO16_ENGINE_CPU_KERNEL_H_

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/cpu/machine/thread_pool.h"
#include "engine/graph/binding.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/round_up.h"

namespace repro16 {

// The first byte of example n of a tensor.
inline uint8_t* ExampleOf(const TensorRef& tensor, int64_t n) {
  return static_cast<uint8_t*>(tensor.data) + n * tensor.Bytes(1);
}

// What differs from pass to pass.
struct PassContext {
  ThreadPool* pool;
  uint8_t* workspace;  // Kernel::WorkspaceBytes, aligned to 64
  int64_t batch;
  bool training;
  int64_t step = 0;  // selects dropout masks
  uint64_t seed = 0;
  const uint8_t* labels = nullptr;  // [batch], below the classes
  float loss_scale = 1;
  int64_t* correct = nullptr;  // the loss adds the examples classified right
};

// Elements of one task of an elementwise operation: fits the first-level cache
// with its operands.
inline constexpr int64_t kElementsPerTask = 4096;

// Runs fn(begin, end, counter) over [0, n) in tasks of kElementsPerTask;
// elements are independent, so the split does not touch the bits.
template <class Counter, class Fn>
void ParallelElements(const PassContext& pass, int64_t n, Counter& total,
                      const Fn& fn) {
  const int64_t tasks = CeilDiv(n, kElementsPerTask);
  if (tasks <= 1) {
    fn(int64_t{0}, n, total);
    return;
  }
  pass.pool->RunCounted(tasks, total, [&](int64_t task, Counter& counter) {
    const int64_t begin = task * kElementsPerTask;
    fn(begin, std::min(begin + kElementsPerTask, n), counter);
  });
}

class Kernel {
 public:
  virtual ~Kernel() = default;

  // Scratch that Forward and Backward need, for batches up to max_batch.
  virtual int64_t WorkspaceBytes(int64_t /*max_batch*/) const { return 0; }

  // What Forward leaves for Backward in OpBuffers::saved.
  virtual int64_t SavedBytes(int64_t /*max_batch*/) const { return 0; }

  // Writes buffers.output.
  virtual void Forward(const OpBuffers& buffers,
                       const PassContext& pass) const = 0;

  // Whether Backward heeds OpBuffers::sum_counter.
  virtual bool AddsToGradient() const { return false; }

  // Writes the wanted ones of buffers.input_gradients, and all of
  // buffers.parameter_gradients. Of an operation that is in_place (OpTraits),
  // input_gradients[0] may be output_gradient's memory, as output may be
  // inputs[0]'s.
  virtual void Backward(const OpBuffers& buffers,
                        const PassContext& pass) const = 0;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_KERNEL_H_
