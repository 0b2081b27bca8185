// What a program does around its operations: batches, records, state.
#ifndef REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_
#define REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_

#include <cstdint>

#include "engine/cuda/step_state.h"
#include "engine/graph/step_record.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// What the host tells a pass; `correct` starts at 0.
struct BeginPassArgs {
  StepState* state;
  int64_t first;
  int64_t step;
  int64_t record;
};

// The examples of a batch, e = order[state->first + i] or state->first + i:
// input[i] = table[images[e]], batch_labels[i] = labels[e]. table: 256 values
// of `type`.
struct GatherArgs {
  DType type;
  int64_t batch;
  int64_t pixels;  // of an example
  const StepState* state;
  const uint8_t* images;
  const uint8_t* labels;
  const uint32_t* order;  // or null
  const void* table;
  void* input;
  uint8_t* batch_labels;
};

// records[state->record] of a pass (engine/graph/step_record.h) with the counts
// of sites [0, end), and the mean loss, RowSum / batch. Of a training step also
// the state that follows (AfterStep).
struct EndPassArgs {
  bool training;
  bool dynamic_loss_scale;
  int64_t batch;
  const float* losses;  // [batch]
  const StoreSite* sites;
  int end;
  const StoreCounter* counters;
  StepState* state;
  StepRecord* records;
};

// After the update, unless it was skipped: adds sites [begin, end).
struct EndUpdateArgs {
  const StoreSite* sites;
  int begin;
  int end;
  const StoreCounter* counters;
  const StepState* state;
  StepRecord* records;
};

// to[state->record, i] = counters[sites[i].counter] for the n sites of a pass;
// a row of `to` has `stride` elements.
struct KeepCountersArgs {
  const StoreSite* sites;
  int n;
  const StoreCounter* counters;
  const StepState* state;
  StoreCounter* to;
  int stride;
};

// Chains of multiply-adds that nothing slows down: kCeilingFlops for each of
// the threads of `blocks` blocks.
struct MultiplyAddsArgs {
  unsigned blocks;
  float* sink;  // one element
};
inline constexpr int kCeilingThreads = 256;
inline constexpr int kCeilingChains = 8;
inline constexpr int kCeilingRounds = 4096;
inline constexpr double kCeilingFlops = 2.0 * kCeilingChains * kCeilingRounds;

// The kernels of this header: name, arguments (engine/cuda/kernels.h).
#define REPRO16_PROGRAM_KERNELS(K)  \
  K(BeginPass, BeginPassArgs)       \
  K(Gather, GatherArgs)             \
  K(EndPass, EndPassArgs)           \
  K(EndUpdate, EndUpdateArgs)       \
  K(KeepCounters, KeepCountersArgs) \
  K(MultiplyAdds, MultiplyAddsArgs)

}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PROGRAM_PROGRAM_KERNELS_H_
