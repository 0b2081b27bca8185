// One step of an update rule for one element of a parameter: the scalar
// definition that the CPU's SIMD kernel is held to, and that GPU kernels use.
#ifndef REPRO16_ENGINE_GRAPH_UPDATE_STEP_H_
#define REPRO16_ENGINE_GRAPH_UPDATE_STEP_H_

#include <cmath>
#include <cstdint>

#include "engine/numerics/elementary.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// Constants of one step, rounded to the type of the update (numerics contract,
// "Updates"). Those that a rule does not use are 0.
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

// base^exponent in f64, base in [0, 1]: by squaring, the factors of the
// exponent's bits from the lowest on; or the limit where the exponent is
// infinite, as a step counter in binary16 is from 65,520 on.
REPRO16_HOST_DEVICE inline double Power(double base, double exponent) {
  if (std::isinf(exponent)) return base < 1 ? 0 : 1;
  double result = 1;
  for (auto n = static_cast<uint64_t>(exponent); n > 0; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return result;
}

// Adam's step size with both bias corrections, `updates` being those made so
// far, r() the rounding to `type`, and learning_rate rounded already:
//   t = r(updates + 1); b1t = r(r(b1)^t); b2t = r(r(b2)^t)
//   alpha = r(r(lr * r(sqrt(r(1 - b2t)))) / r(1 - b1t))
// in f64 between the roundings. A device computes it where only it knows the
// number of updates.
REPRO16_HOST_DEVICE inline float AdamAlpha(double beta_1, double beta_2,
                                           float learning_rate, DType type,
                                           int64_t updates) {
  const auto r = [type](double x) {
    return static_cast<double>(RoundToType(x, type));
  };
  const double t = r(static_cast<double>(updates + 1));
  const double power_1 = r(Power(r(beta_1), t));
  const double power_2 = r(Power(r(beta_2), t));
  const double root = r(std::sqrt(r(1 - power_2)));
  return static_cast<float>(
      r(r(static_cast<double>(learning_rate) * root) / r(1 - power_1)));
}

// An element of a parameter with its slots, of which a rule uses the first
// UpdateConstants::num_slots: the velocity; m and v; or the mean square.
struct UpdateElement {
  float weight;
  float slots[2];
};

// The gradient as the rule takes it, T being the type of the update and r()
// rounding to it: g = r(gradient * (1 / loss scale)), the factor in f32; with
// L2, g = r(g + r(r(2 l2) * w)). l2_factor is r(2 l2), or null without L2. A
// factor of 0 still applies: it makes NaN of an infinite weight.
template <class T>
REPRO16_HOST_DEVICE inline float UpdateGradient(float gradient,
                                                float inverse_loss_scale,
                                                const float* l2_factor,
                                                float weight) {
  const float g = RoundTo<T>(f32::Mul(gradient, inverse_loss_scale));
  if (l2_factor == nullptr) return g;
  return RoundTo<T>(f32::Add(g, RoundTo<T>(f32::Mul(*l2_factor, weight))));
}

// The element after a step with gradient g of UpdateGradient:
//   SGD:      w = r(w - r(lr * g))
//   momentum: v = r(r(mu * v) - r(lr * g)); w = r(w + v)
//   Adam:     m = r(m + r(r(g - m) * r(1 - b1)));
//             v = r(v + r(r(r(g * g) - v) * r(1 - b2)));
//             w = r(w - r(r(m * alpha) / r(r(sqrt(v)) + r(eps))))
//   RMSProp:  v = r(r(r(rho) * v) + r(r(1 - rho) * r(g * g)));
//             w = r(w - r(r(lr * g) * r(rsqrt(r(v + r(eps))))))
// as Keras 2.15 computes them on variables of type T; slots start at 0. `old`
// is as stored; of each result the last r() is left to its store, which counts
// (RoundAndCount<T>).
template <class T>
REPRO16_HOST_DEVICE inline UpdateElement UpdateStep(const UpdateConstants& c,
                                                    float g,
                                                    const UpdateElement& old) {
  const auto r = [](float x) { return RoundTo<T>(x); };
  const float w = old.weight;
  UpdateElement updated = old;
  switch (c.rule) {
    case UpdateConstants::kSgd:
      updated.weight = f32::Sub(w, r(f32::Mul(c.learning_rate, g)));
      break;
    case UpdateConstants::kSgdMomentum: {
      const float v = f32::Sub(r(f32::Mul(c.momentum, old.slots[0])),
                               r(f32::Mul(c.learning_rate, g)));
      updated.slots[0] = v;
      updated.weight = f32::Add(w, r(v));
      break;
    }
    case UpdateConstants::kAdam: {
      const float m = old.slots[0];
      const float v = old.slots[1];
      const float square = r(f32::Mul(g, g));
      updated.slots[0] =
          f32::Add(m, r(f32::Mul(r(f32::Sub(g, m)), c.one_minus_beta_1)));
      updated.slots[1] =
          f32::Add(v, r(f32::Mul(r(f32::Sub(square, v)), c.one_minus_beta_2)));
      const float numerator = r(f32::Mul(r(updated.slots[0]), c.alpha));
      const float root = r(f32::Sqrt(r(updated.slots[1])));
      const float denominator = r(f32::Add(root, c.epsilon));
      updated.weight = f32::Sub(w, r(f32::Div(numerator, denominator)));
      break;
    }
    case UpdateConstants::kRmsProp: {
      const float square = r(f32::Mul(g, g));
      updated.slots[0] = f32::Add(r(f32::Mul(c.rho, old.slots[0])),
                                  r(f32::Mul(c.one_minus_rho, square)));
      const float root = r(Rsqrt(r(f32::Add(r(updated.slots[0]), c.epsilon))));
      updated.weight =
          f32::Sub(w, r(f32::Mul(r(f32::Mul(c.learning_rate, g)), root)));
      break;
    }
  }
  return updated;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_UPDATE_STEP_H_
