// Update rules in elementary operations, each rounded to the type of the
// update: what a backend's kernel needs to know of them. With r() that
// rounding, eps, mu, rho, lr the hyper-parameters and l2 the factor of the
// regularisation, one step is
//   g = r(gradient * (1 / loss_scale)), the factor in f32;
//   if l2 is not 0: g = r(g + r(r(2 l2) * w)), 2 l2 taken in f64
//   SGD:      w = r(w - r(lr * g))
//   momentum: v = r(r(r(mu) * v) - r(lr * g)); w = r(w + v)
//   Adam:     m = r(m + r(r(g - m) * r(1 - b1)));
//             v = r(v + r(r(r(g * g) - v) * r(1 - b2)));
//             w = r(w - r(r(m * alpha) / r(r(sqrt(v)) + r(eps))))
//   RMSProp:  v = r(r(r(rho) * v) + r(r(1 - rho) * r(g * g)));
//             w = r(w - r(r(lr * g) * r(rsqrt(r(v + r(eps))))))
// as Keras 2.15 computes them on variables of that type; slots start at 0.
// alpha is Adam's step size with both bias corrections, n the updates made so
// far:
//   t = r(n + 1); b1t = r(r(b1)^t); b2t = r(r(b2)^t): powers in f64 by
//     squaring, the factors of t's bits from the lowest on; at an infinite t
//     0, but 1^t is 1
//   alpha = r(r(lr * r(sqrt(r(1 - b2t)))) / r(1 - b1t))
// 1 - b1, 1 - b2 and 1 - rho are taken in f64 from what was asked for, then
// rounded. lr is rounded to the type of the learning rate first.
#ifndef REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_
#define REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_

#include <cstdint>

#include "engine/run/run.pb.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Slots that the rule keeps for each parameter element: v; or m and v.
int NumSlots(const OptimizerSpec& spec);

// Constants of one step, each rounded to the type of the update.
struct UpdateConstants {
  enum Rule : uint8_t { kSgd, kSgdMomentum, kAdam, kRmsProp } rule;
  int num_slots;
  float learning_rate;
  float momentum;
  float alpha;  // Adam's bias-corrected step
  float one_minus_beta_1;
  float one_minus_beta_2;
  float rho;
  float one_minus_rho;
  float epsilon;
  float inverse_loss_scale = 1;  // multiplies the gradient first, in f32
};

// `step` counts the updates that were made, from 0. learning_rate_type is the
// type of the learning rate as a variable: f16 under FP16_BN32 also for f32
// parameters, whose other constants are f32.
UpdateConstants ConstantsOf(const OptimizerSpec& spec, DType type,
                            DType learning_rate_type, int64_t step,
                            float loss_scale);

// r(2 l2).
float L2Factor(double l2, DType type);

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_UPDATE_RULE_H_
