// Update rules as a specification names them: their slots, and the constants
// of a step, each rounded to the type of the update. update_step.h has the
// rules themselves.
#ifndef REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_
#define REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_

#include <cstdint>

#include "engine/graph/update_step.h"
#include "engine/run/run.pb.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Slots that the rule keeps for each parameter element: v; or m and v.
int NumSlots(const OptimizerSpec& spec);

// `step` counts the updates that were made, from 0. learning_rate_type is the
// type of the learning rate as a variable: f16 under FP16_BN32 also for f32
// parameters, whose other constants are f32. With r() of `type`:
//   learning_rate = r(the rate, rounded to learning_rate_type)
//   one_minus_beta_1 = r(1 - b1), taken in f64; so of beta_2 and rho
//   alpha = AdamAlpha(...)
//   inverse_loss_scale = 1 / loss_scale
UpdateConstants ConstantsOf(const OptimizerSpec& spec, DType type,
                            DType learning_rate_type, int64_t step,
                            float loss_scale);

// r(2 l2), the product taken in f64.
float L2Factor(double l2, DType type);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_
