// Update rules in elementary operations, each rounded to the type of the
// update.
#ifndef REPRO16_ENGINE_CPU_OPTIMIZER_H_
#define REPRO16_ENGINE_CPU_OPTIMIZER_H_

#include <cstdint>

#include "engine/graph/update_step.h"
#include "engine/numerics/store_counter.h"
#include "engine/run/run.pb.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Slots that the rule keeps for each parameter element.
int NumSlots(const OptimizerSpec& spec);

// A stretch of n elements of one parameter.
struct UpdateArgs {
  int64_t n;
  DType type;  // of weights, slots and arithmetic: r() rounds to it
  void* weights;
  void* slots[2];  // velocity; m and v; or the mean square
  const void* gradients;
  DType gradient_type;
  // If given, receives the weights rounded to gradient_type, as operations
  // read them (MP).
  void* rounded_weights = nullptr;
};

// `step` counts the updates that were made, from 0. learning_rate_type is the
// type of the learning rate as a variable: f16 under FP16_BN32 also for f32
// parameters.
UpdateConstants ConstantsOf(const OptimizerSpec& spec, DType type,
                            DType learning_rate_type, int64_t step,
                            float loss_scale);

// One step of the rule for each element, as UpdateStep computes it
// (engine/graph/update_step.h). Stores are counted.
void Update(const UpdateArgs& args, const UpdateConstants& constants, double l2,
            StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_OPTIMIZER_H_
