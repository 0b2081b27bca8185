// The optimizer's SIMD kernel against the scalar step of every rule, bit for
// bit, on every target of the machine.
#include "engine/graph/update_step.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "engine/cpu/elementwise/optimizer.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/simd_target.h"
#include "engine/numerics/store_counter.h"
#include "engine/numerics/testing/typed_array.h"
#include "engine/numerics/visit_dtype.h"

namespace repro16 {
namespace {

constexpr int64_t kElements = 1003;  // the last vector is not a whole one

// A parameter with its slots, its gradient, and in MP its copy.
struct Variables {
  TypedArray weights;
  TypedArray slots[2];
  TypedArray gradients;
  TypedArray copy;  // as operations read the weights

  Variables(DType type, DType gradient_type)
      : weights(type, kElements),
        slots{{type, kElements}, {type, kElements}},
        gradients(gradient_type, kElements),
        copy(gradient_type, kElements) {}

  friend bool operator==(const Variables& a, const Variables& b) {
    return a.weights == b.weights && a.slots[0] == b.slots[0] &&
           a.slots[1] == b.slots[1] && a.copy == b.copy;
  }
};

// Magnitudes from the smallest f32 to above the largest f16, and what is out
// of the ordinary, in every place.
void Fill(std::mt19937& random, TypedArray& to, bool positive) {
  constexpr float kSpecial[] = {0.0f,    -0.0f,    INFINITY,   -INFINITY, NAN,
                                0x1p-24, 65504.0f, -0x1p-149f, 65520.0f};
  std::uniform_real_distribution<float> exponent(-30, 17);
  std::uniform_int_distribution<int> kind(0, 39);
  for (int64_t i = 0; i < to.size(); ++i) {
    const int k = kind(random);
    float x = k < 9 ? kSpecial[k] : std::exp2(exponent(random));
    if (k % 2 == 1) x = -x;
    to.Set(i, positive ? std::fabs(x) : x);
  }
}

// What the kernel must do.
template <class T, class G>
StoreCounter ScalarUpdate(const UpdateConstants& c, double l2, DType type,
                          bool with_copy, Variables& v) {
  const float l2_factor = RoundToType(2 * l2, type);
  StoreCounter counter;
  for (int64_t i = 0; i < kElements; ++i) {
    const UpdateElement old{v.weights.Get(i),
                            {v.slots[0].Get(i), v.slots[1].Get(i)}};
    const float g =
        UpdateGradient<T>(v.gradients.Get(i), c.inverse_loss_scale,
                          l2 != 0 ? &l2_factor : nullptr, old.weight);
    const UpdateElement updated = UpdateStep<T>(c, g, old);
    for (int s = 0; s < c.num_slots; ++s) {
      v.slots[s].Set(i, ToFloat(RoundAndCount<T>(updated.slots[s], counter)));
    }
    const T weight = RoundAndCount<T>(updated.weight, counter);
    v.weights.Set(i, ToFloat(weight));
    if (with_copy) {
      v.copy.Set(i, ToFloat(RoundAndCount<G>(ToFloat(weight), counter)));
    }
  }
  return counter;
}

StoreCounter KernelUpdate(const UpdateConstants& c, double l2, bool with_copy,
                          Variables& v) {
  UpdateArgs args{};
  args.n = kElements;
  args.type = v.weights.type();
  args.weights = v.weights.data();
  for (int s = 0; s < 2; ++s) args.slots[s] = v.slots[s].data();
  args.gradients = v.gradients.data();
  args.gradient_type = v.gradients.type();
  if (with_copy) {
    args.copy = v.copy.data();
    args.copy_type = v.copy.type();
  }
  StoreCounter counter;
  Update(args, c, l2, counter);
  return counter;
}

// Plausible constants of every rule, rounded to the type.
std::vector<UpdateConstants> ConstantsOfEveryRule(DType type,
                                                  float inverse_loss_scale) {
  const auto r = [type](double x) { return RoundToType(x, type); };
  UpdateConstants sgd{};
  sgd.learning_rate = r(0.01);
  sgd.inverse_loss_scale = inverse_loss_scale;
  UpdateConstants momentum = sgd;
  momentum.rule = UpdateConstants::kSgdMomentum;
  momentum.num_slots = 1;
  momentum.momentum = r(0.9);
  UpdateConstants adam = sgd;
  adam.rule = UpdateConstants::kAdam;
  adam.num_slots = 2;
  adam.alpha = r(0.003);
  adam.one_minus_beta_1 = r(0.1);
  adam.one_minus_beta_2 = r(0.001);
  adam.epsilon = r(1e-7);
  UpdateConstants rms_prop = sgd;
  rms_prop.rule = UpdateConstants::kRmsProp;
  rms_prop.num_slots = 1;
  rms_prop.rho = r(0.9);
  rms_prop.one_minus_rho = r(0.1);
  rms_prop.epsilon = r(1e-7);
  return {sgd, momentum, adam, rms_prop};
}

template <class T, class G>
void KernelEqualsScalarStep(DType type, DType gradient_type) {
  const bool with_copy = type != gradient_type;
  std::mt19937 random(1);
  for (const UpdateConstants& c :
       ConstantsOfEveryRule(type, with_copy ? 0x1p-15f : 1.0f)) {
    for (const double l2 : {0.0, 1e-4, 1e-9}) {
      SCOPED_TRACE(testing::Message()
                   << Name(type) << "/" << Name(gradient_type) << ", rule "
                   << static_cast<int>(c.rule) << ", l2 " << l2);
      Variables start(type, gradient_type);
      Fill(random, start.weights, false);
      Fill(random, start.gradients, false);
      Fill(random, start.slots[0], c.rule == UpdateConstants::kRmsProp);
      Fill(random, start.slots[1], true);
      Variables expected = start;
      const StoreCounter expected_counts =
          ScalarUpdate<T, G>(c, l2, type, with_copy, expected);
      EXPECT_GT(expected_counts.nan, 0u);
      EXPECT_GT(expected_counts.infinite, 0u);
      for (const std::string& target : UsableSimdTargets()) {
        ASSERT_TRUE(SelectSimdTarget(target).ok());
        Variables got = start;
        const StoreCounter counts = KernelUpdate(c, l2, with_copy, got);
        EXPECT_TRUE(got == expected) << target;
        EXPECT_TRUE(counts == expected_counts) << target;
      }
    }
  }
  ASSERT_TRUE(SelectSimdTarget("auto").ok());
}

TEST(UpdateStepTest, KernelEqualsScalarStepForEveryPairOfTypes) {
  for (const DType type : {DType::kF32, DType::kF16, DType::kBF16}) {
    VisitDType(type, [&](auto t) {
      for (const DType gradient_type :
           {DType::kF32, DType::kF16, DType::kBF16}) {
        VisitDType(gradient_type, [&](auto g) {
          KernelEqualsScalarStep<decltype(t), decltype(g)>(type, gradient_type);
        });
      }
    });
  }
}

}  // namespace
}  // namespace repro16
