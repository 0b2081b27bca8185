// Update rules in elementary operations, each rounded to the type of the
// update.
#ifndef REPRO16_ENGINE_CPU_OPTIMIZER_H_
#define REPRO16_ENGINE_CPU_OPTIMIZER_H_

#include <cstdint>

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

// Constants of one step, each rounded to the type of the update (numerics
// contract, "Updates").
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
//
// With r() of `type`, and from the numbers of the specification in f64:
//   one_minus_beta_1 = r(1 - b1), and so of beta_2 and rho
//   t = r(step + 1); b1t = r(r(b1)^t), b2t = r(r(b2)^t): powers in f64 by
//     squaring, the factors of t's bits from the lowest on; 0 at an infinite t
//   alpha = r(r(lr * r(sqrt(r(1 - b2t)))) / r(1 - b1t))
UpdateConstants ConstantsOf(const OptimizerSpec& spec, DType type,
                            DType learning_rate_type, int64_t step,
                            float loss_scale);

// One step of the rule:
//   g = r(gradient * (1 / loss_scale)); if l2 is not 0:
//   g = r(g + r(r(2 l2) * w)), 2 l2 taken in f64
//   SGD:      w = r(w - r(lr * g))
//   momentum: v = r(r(mu * v) - r(lr * g)); w = r(w + v)
//   Adam:     m = r(m + r(r(g - m) * r(1 - b1))); v = r(v + r(r(r(g * g) - v) *
//   r(1 - b2)));
//             w = r(w - r(r(m * alpha) / r(r(sqrt(v)) + r(eps))))
//   RMSProp:  v = r(r(r(rho) * v) + r(r(1 - rho) * r(g * g)));
//             w = r(w - r(r(lr * g) * r(rsqrt(r(v + r(eps))))))
// as Keras 2.15 computes them on variables of that type; slots start at 0.
// Counted are the stores of slots, weights and rounded weights, none of the
// roundings before them.
void Update(const UpdateArgs& args, const UpdateConstants& constants, double l2,
            StoreCounter& counter);

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_OPTIMIZER_H_
