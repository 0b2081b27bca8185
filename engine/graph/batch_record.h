// What one batch left behind, with the names of what it is about.
#ifndef REPRO16_ENGINE_GRAPH_BATCH_RECORD_H_
#define REPRO16_ENGINE_GRAPH_BATCH_RECORD_H_

#include <cstdint>
#include <string>
#include <vector>

#include "engine/graph/step_record.h"
#include "engine/numerics/store_counter.h"

namespace repro16 {

// What the stores to one tensor did during a step.
struct TensorRecord {
  std::string tensor;  // as in BatchRecord::first_non_finite
  RoundingTotals::Kind kind;
  uint64_t stored = 0;
  StoreCounter counter;
};

struct BatchRecord {
  float loss = 0;  // mean over the batch, f32, without L2
  int64_t examples = 0;
  int64_t correct = 0;  // argmax of the logits is the label; ties go to the
                        // lowest index, and logits with a NaN are wrong
  // Of an evaluation, only activations are counted.
  RoundingTotals rounding;
  // The first tensor, in order of computation, that an infinity or NaN was
  // stored to; "" if none.
  std::string first_non_finite;
  bool skipped = false;  // dynamic loss scaling dropped the update
  float loss_scale = 1;  // during this step
  // In order of computation, parameters last (none where the step was
  // skipped). Empty unless compiled with record_tensors.
  std::vector<TensorRecord> tensors;
};

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_BATCH_RECORD_H_
