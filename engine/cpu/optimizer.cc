#include "engine/cpu/optimizer.h"

#include <cmath>

#include "engine/cpu/visit_dtype.h"
#include "engine/numerics/round_to_type.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/optimizer.cc"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// Must come after foreach_target.h.
#include "engine/numerics/elementary-inl.h"
#include "engine/numerics/rounding-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace repro16 {
namespace HWY_NAMESPACE {
namespace {

using D = hn::ScalableTag<float>;
using V = hn::VFromD<D>;

// The last r() of a slot or weight is its store; this is the value as the next
// operation reads it.
template <class T>
V r(V v) {
  return RoundTo<T>(D(), v);
}

// UpdateStep (engine/graph/update_step.h) for one vector of elements: new
// values, unrounded, for the store rounds.
struct Updated {
  V weight;
  V slot[2];
};

template <class T>
Updated Step(const UpdateConstants& c, V g, V w, V slot0, V slot1) {
  const D d;
  const V lr = hn::Set(d, c.learning_rate);
  Updated out{w, {slot0, slot1}};
  switch (c.rule) {
    case UpdateConstants::kSgd:
      out.weight = hn::Sub(w, r<T>(hn::Mul(lr, g)));
      break;
    case UpdateConstants::kSgdMomentum: {
      const V mu = hn::Set(d, c.momentum);
      out.slot[0] = hn::Sub(r<T>(hn::Mul(mu, slot0)), r<T>(hn::Mul(lr, g)));
      out.weight = hn::Add(w, r<T>(out.slot[0]));
      break;
    }
    case UpdateConstants::kAdam: {
      const V rate_1 = hn::Set(d, c.one_minus_beta_1);
      const V rate_2 = hn::Set(d, c.one_minus_beta_2);
      const V square = r<T>(hn::Mul(g, g));
      out.slot[0] =
          hn::Add(slot0, r<T>(hn::Mul(r<T>(hn::Sub(g, slot0)), rate_1)));
      out.slot[1] =
          hn::Add(slot1, r<T>(hn::Mul(r<T>(hn::Sub(square, slot1)), rate_2)));
      const V numerator = r<T>(hn::Mul(r<T>(out.slot[0]), hn::Set(d, c.alpha)));
      const V root = r<T>(hn::Sqrt(r<T>(out.slot[1])));
      const V denominator = r<T>(hn::Add(root, hn::Set(d, c.epsilon)));
      out.weight = hn::Sub(w, r<T>(hn::Div(numerator, denominator)));
      break;
    }
    case UpdateConstants::kRmsProp: {
      const V square = r<T>(hn::Mul(g, g));
      const V old = r<T>(hn::Mul(hn::Set(d, c.rho), slot0));
      out.slot[0] =
          hn::Add(old, r<T>(hn::Mul(hn::Set(d, c.one_minus_rho), square)));
      const V sum = r<T>(hn::Add(r<T>(out.slot[0]), hn::Set(d, c.epsilon)));
      out.weight =
          hn::Sub(w, r<T>(hn::Mul(r<T>(hn::Mul(lr, g)), r<T>(Rsqrt(d, sum)))));
      break;
    }
  }
  return out;
}

// Updates elements [i, i + count) with count at most a vector; `whole` says it
// is one. l2_factor is r(2 l2), or null without regularisation.
template <bool whole, class T, class G>
void UpdateVector(const UpdateArgs& args, const UpdateConstants& c,
                  const float* l2_factor, size_t i, size_t count,
                  StoreCounter& counter) {
  const D d;
  T* weights = static_cast<T*>(args.weights);
  const auto load = [&](const auto* p) {
    return whole ? LoadF32(d, p + i) : LoadF32N(d, p + i, count);
  };
  const auto store = [&](V v, auto* p) {
    whole ? StoreRounded(d, v, p + i, counter)
          : StoreRoundedN(d, v, p + i, count, counter);
  };
  const int slots = c.num_slots;
  T* slot[2] = {static_cast<T*>(args.slots[0]), static_cast<T*>(args.slots[1])};

  const V w = load(weights);
  V g = hn::Mul(load(static_cast<const G*>(args.gradients)),
                hn::Set(d, c.inverse_loss_scale));
  g = r<T>(g);
  if (l2_factor != nullptr) {
    g = r<T>(hn::Add(g, r<T>(hn::Mul(hn::Set(d, *l2_factor), w))));
  }
  const V slot0 = slots > 0 ? load(slot[0]) : hn::Zero(d);
  const V slot1 = slots > 1 ? load(slot[1]) : hn::Zero(d);
  const Updated updated = Step<T>(c, g, w, slot0, slot1);
  if (slots > 0) store(updated.slot[0], slot[0]);
  if (slots > 1) store(updated.slot[1], slot[1]);
  store(updated.weight, weights);
  if (args.rounded_weights != nullptr) {
    store(r<T>(updated.weight), static_cast<G*>(args.rounded_weights));
  }
}

template <class T, class G>
void UpdateAll(const UpdateArgs& args, const UpdateConstants& c,
               const float* l2_factor, StoreCounter& counter) {
  const size_t lanes = hn::Lanes(D());
  const auto n = static_cast<size_t>(args.n);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    UpdateVector<true, T, G>(args, c, l2_factor, i, lanes, counter);
  }
  if (i < n) UpdateVector<false, T, G>(args, c, l2_factor, i, n - i, counter);
}

void UpdateAny(const UpdateArgs& args, const UpdateConstants& c,
               const float* l2_factor, StoreCounter& counter) {
  VisitDType(args.type, [&](auto t) {
    VisitDType(args.gradient_type, [&](auto g) {
      UpdateAll<decltype(t), decltype(g)>(args, c, l2_factor, counter);
    });
  });
}

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace repro16
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace repro16 {
namespace {

HWY_EXPORT(UpdateAny);

// base^exponent by squaring, in f64. An infinite exponent gives 0: |base| < 1
// here.
double Power(double base, double exponent) {
  if (std::isinf(exponent)) return 0;
  double result = 1;
  for (auto n = static_cast<uint64_t>(exponent); n > 0; n >>= 1) {
    if (n & 1) result *= base;
    base *= base;
  }
  return result;
}

// Adam's step size with both bias corrections:
// r(r(lr * r(sqrt(r(1 - b2^t)))) / r(1 - b1^t)), the powers rounded too.
float AdamAlpha(const OptimizerSpec::Adam& adam, float learning_rate,
                DType type, int64_t step) {
  const auto r = [type](double x) {
    return static_cast<double>(RoundToType(x, type));
  };
  const double t = r(static_cast<double>(step + 1));
  const double power_1 = r(Power(r(adam.beta_1()), t));
  const double power_2 = r(Power(r(adam.beta_2()), t));
  const double root = r(std::sqrt(r(1 - power_2)));
  return static_cast<float>(
      r(r(static_cast<double>(learning_rate) * root) / r(1 - power_1)));
}

}  // namespace

int NumSlots(const OptimizerSpec& spec) {
  switch (spec.rule_case()) {
    case OptimizerSpec::kSgd:
      return spec.sgd().momentum() != 0 ? 1 : 0;
    case OptimizerSpec::kAdam:
      return 2;
    case OptimizerSpec::kRmsprop:
      return 1;
    case OptimizerSpec::RULE_NOT_SET:
      return 0;
  }
  return 0;
}

UpdateConstants ConstantsOf(const OptimizerSpec& spec, DType type,
                            DType learning_rate_type, int64_t step,
                            float loss_scale) {
  const auto r = [type](double x) { return RoundToType(x, type); };
  const auto rate = [&](double x) {
    return r(RoundToType(x, learning_rate_type));
  };
  UpdateConstants c{};
  c.num_slots = NumSlots(spec);
  c.inverse_loss_scale = 1 / loss_scale;
  switch (spec.rule_case()) {
    case OptimizerSpec::kSgd:
      c.rule = spec.sgd().momentum() != 0 ? UpdateConstants::kSgdMomentum
                                          : UpdateConstants::kSgd;
      c.learning_rate = rate(spec.sgd().learning_rate());
      c.momentum = r(spec.sgd().momentum());
      break;
    case OptimizerSpec::kAdam:
      c.rule = UpdateConstants::kAdam;
      c.learning_rate = rate(spec.adam().learning_rate());
      c.alpha = AdamAlpha(spec.adam(), c.learning_rate, type, step);
      c.one_minus_beta_1 = r(1 - spec.adam().beta_1());
      c.one_minus_beta_2 = r(1 - spec.adam().beta_2());
      c.epsilon = r(spec.adam().epsilon());
      break;
    case OptimizerSpec::kRmsprop:
      c.rule = UpdateConstants::kRmsProp;
      c.learning_rate = rate(spec.rmsprop().learning_rate());
      c.rho = r(spec.rmsprop().rho());
      c.one_minus_rho = r(1 - spec.rmsprop().rho());
      c.epsilon = r(spec.rmsprop().epsilon());
      break;
    case OptimizerSpec::RULE_NOT_SET:
      break;
  }
  return c;
}

void Update(const UpdateArgs& args, const UpdateConstants& constants, double l2,
            StoreCounter& counter) {
  const float l2_factor = RoundToType(2 * l2, args.type);
  HWY_DYNAMIC_DISPATCH(UpdateAny)
  (args, constants, l2 != 0 ? &l2_factor : nullptr, counter);
}

}  // namespace repro16
#endif  // HWY_ONCE
