#include "engine/cpu/elementwise/optimizer.h"

#include "engine/numerics/visit_dtype.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "engine/cpu/elementwise/optimizer.cc"
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

// The weights as stored, rounded once more.
template <class T, class C>
void RoundCopy(const UpdateArgs& args, StoreCounter& counter) {
  const D d;
  const size_t lanes = hn::Lanes(d);
  const auto n = static_cast<size_t>(args.n);
  const T* from = static_cast<const T*>(args.weights);
  C* to = static_cast<C*>(args.copy);
  size_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    StoreRounded(d, LoadF32(d, from + i), to + i, counter);
  }
  if (i < n) {
    StoreRoundedN(d, LoadF32N(d, from + i, n - i), to + i, n - i, counter);
  }
}

void UpdateAny(const UpdateArgs& args, const UpdateConstants& c,
               const float* l2_factor, StoreCounter& counter) {
  VisitDType(args.type, [&](auto t) {
    VisitDType(args.gradient_type, [&](auto g) {
      UpdateAll<decltype(t), decltype(g)>(args, c, l2_factor, counter);
    });
    if (args.copy == nullptr) return;
    VisitDType(args.copy_type, [&](auto copy) {
      RoundCopy<decltype(t), decltype(copy)>(args, counter);
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

}  // namespace

void Update(const UpdateArgs& args, const UpdateConstants& constants, double l2,
            StoreCounter& counter) {
  // A factor that rounds to 0 still applies: it makes NaN of an infinite
  // weight.
  const float l2_factor = L2Factor(l2, args.type);
  HWY_DYNAMIC_DISPATCH(UpdateAny)
  (args, constants, l2 != 0 ? &l2_factor : nullptr, counter);
}

}  // namespace repro16
#endif  // HWY_ONCE
