// Where everything that a compiled program stores lies, and what is counted
// where: the same for every backend.
#ifndef REPRO16_ENGINE_GRAPH_PROGRAM_LAYOUT_H_
#define REPRO16_ENGINE_GRAPH_PROGRAM_LAYOUT_H_

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/graph/backend.h"
#include "engine/graph/batch_record.h"
#include "engine/graph/graph.h"
#include "engine/graph/schedule.h"
#include "engine/graph/step_record.h"
#include "engine/numerics/policy.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// A tensor's place in a block of memory.
struct Placed {
  int64_t offset = 0;  // bytes, a multiple of kArenaAlignment
  DType type = DType::kF32;
  int64_t elements = 0;  // of one example; of a parameter, all; 0: not stored

  // Of `count` examples; of a parameter, count is 1.
  int64_t Bytes(int64_t count) const {
    return elements * count * static_cast<int64_t>(SizeOf(type));
  }
};

// The tensors of one parameter, each in the block of its kind.
struct ParameterLayout {
  Placed kept;
  Placed copy;      // as operations read it, where that is not `kept`
  Placed gradient;  // of a trained one
  std::array<Placed, 2> slots;

  bool has_copy() const { return copy.elements > 0; }
};

// A pass of training (forward and backward) or of evaluation.
//
// What its stores do is counted in an array of num_counters(): one counter for
// each value, one for each step (what a kAccumulate stores), one for each
// parameter's gradient, one for each parameter with slots and copy.
struct PassLayout {
  Schedule schedule;
  std::vector<Placed> values;  // by ValueId, in the arena
  // In the order of computation; from first_update_store on those of the
  // update, in the order of the parameters.
  std::vector<StoreSite> stores;
  std::vector<std::string> store_names;  // of stores
  size_t first_update_store = 0;
  int num_parameters = 0;

  int CounterOfValue(ValueId id) const { return id; }
  int CounterOfSum(int step) const {
    return static_cast<int>(values.size()) + step;
  }
  int CounterOfGradient(ParameterId id) const {
    return CounterOfSum(static_cast<int>(schedule.steps.size())) + id;
  }
  int CounterOfParameter(ParameterId id) const {
    return CounterOfGradient(num_parameters) + id;
  }
  int num_counters() const { return CounterOfParameter(num_parameters); }
};

struct ProgramLayout {
  PassLayout training;  // without steps where the program cannot train
  PassLayout evaluation;
  std::vector<ParameterLayout> parameters;  // by ParameterId
  // Of the blocks. Both passes share one arena.
  int64_t arena_bytes = 0;
  int64_t kept_bytes = 0;
  int64_t copy_bytes = 0;
  int64_t gradient_bytes = 0;
  int64_t slot_bytes = 0;

  // All but the workspace, which is the backend's.
  ProgramMemory memory() const {
    ProgramMemory memory;
    memory.arena = arena_bytes;
    memory.parameters = kept_bytes + copy_bytes;
    memory.gradients = gradient_bytes;
    memory.slots = slot_bytes;
    return memory;
  }
};

// Of a graph as it is compiled, with fused operations.
ProgramLayout LayOutProgram(const Graph& graph, const PrecisionPolicy& policy,
                            const CompileOptions& options);

// A record with the names of the pass that it was made by. `counters` are those
// of the pass's stores in their order, or empty where tensors are not recorded.
BatchRecord NameRecord(const StepRecord& record, const PassLayout& pass,
                       absl::Span<const StoreCounter> counters);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_PROGRAM_LAYOUT_H_
