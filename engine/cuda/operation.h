// One operation of a compiled program on the device: host code that enqueues
// kernels.
#ifndef REPRO16_ENGINE_CUDA_OPERATION_H_
#define REPRO16_ENGINE_CUDA_OPERATION_H_

#include <cstdint>

#include "engine/cuda/kernels.h"
#include "engine/cuda/simt/stream.h"
#include "engine/cuda/step_state.h"
#include "engine/graph/binding.h"

namespace repro16 {

// What differs from pass to pass. All pointers are the device's.
struct PassContext {
  const Kernels& kernels;
  Stream& stream;
  uint8_t* workspace;  // Operation::WorkspaceBytes, aligned to 256
  int64_t batch;
  bool training;
  uint64_t seed = 0;                // of the dropout masks
  StepState* step = nullptr;        // of the step that runs
  const uint8_t* labels = nullptr;  // [batch], below the classes
};

// As engine/cpu/kernel.h has it, but that calls enqueue and return.
class Operation {
 public:
  virtual ~Operation() = default;

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

#endif  // REPRO16_ENGINE_CUDA_OPERATION_H_
