// A program's tensors bound to memory, once, when it is compiled: the same for
// every backend. Nothing here reads that memory, so it may be a device's.
#ifndef REPRO16_ENGINE_GRAPH_BINDING_H_
#define REPRO16_ENGINE_GRAPH_BINDING_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/graph/graph.h"
#include "engine/graph/program_layout.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A stored tensor, or null where none is wanted.
struct TensorRef {
  void* data = nullptr;
  DType type = DType::kF32;
  int64_t elements = 0;             // of one example; of a parameter, all
  StoreCounter* counter = nullptr;  // what stores to it add to

  // Of `count` examples; of a parameter, count is 1.
  int64_t Bytes(int64_t count) const {
    return elements * count * static_cast<int64_t>(SizeOf(type));
  }
};

// Where an operation's tensors live.
struct OpBuffers {
  std::vector<TensorRef> inputs;
  TensorRef output;
  TensorRef output_gradient;               // null for the loss
  std::vector<TensorRef> input_gradients;  // null where not wanted
  std::vector<TensorRef> parameters;       // as operations read them
  // Null for a moving statistic.
  std::vector<TensorRef> parameter_gradients;
  // Where it is not null, input_gradients[0] is a sum that holds what other
  // readers of the input contributed, and the backward pass adds its own
  // gradient to it, rounded first: r(sum + r(gradient)). The gradient's
  // rounding is counted as always, that of the sum here. Given to operations
  // that add (BindPass).
  StoreCounter* sum_counter = nullptr;
  // What the forward pass of training leaves for the backward pass, aligned to
  // kArenaAlignment. Null in evaluation.
  uint8_t* saved = nullptr;
};

// The blocks of a ProgramLayout.
struct ProgramBlocks {
  uint8_t* arena;
  uint8_t* kept;
  uint8_t* copies;
  uint8_t* gradients;
  uint8_t* slots;
};

// A parameter's tensors in memory.
struct BoundParameter {
  TensorRef kept;
  TensorRef read;  // the copy, or `kept`
  TensorRef gradient;
  TensorRef slots[2];
};

// By ParameterId.
std::vector<BoundParameter> BindParameters(const ProgramLayout& layout,
                                           const ProgramBlocks& blocks);

// A pass with every tensor bound to its memory.
struct BoundPass {
  const PassLayout* layout = nullptr;
  StoreCounter* counters = nullptr;  // PassLayout::num_counters
  std::vector<TensorRef> values;     // by ValueId
  std::vector<OpBuffers> buffers;    // by step
};

struct BindOptions {
  uint8_t* arena;
  StoreCounter* counters;
  // By operation; null where the pass keeps nothing (evaluation).
  std::vector<uint8_t*> saved;
  // Whether the operation's backward pass heeds OpBuffers::sum_counter. A
  // kAccumulate step that such an operation does itself, right before it, has
  // no data of its sum: input_gradients[0].data is null there.
  std::function<bool(OpId)> adds_to_gradient;
};

BoundPass BindPass(const Graph& graph, const PassLayout& layout,
                   const std::vector<BoundParameter>& parameters,
                   const BindOptions& options);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BINDING_H_
