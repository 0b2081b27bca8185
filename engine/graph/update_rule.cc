#include "engine/graph/update_rule.h"

#include "engine/numerics/round_to_type.h"

namespace repro16 {

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
      c.alpha = AdamAlpha(spec.adam().beta_1(), spec.adam().beta_2(),
                          c.learning_rate, type, step);
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

float L2Factor(double l2, DType type) { return RoundToType(2 * l2, type); }

}  // namespace repro16
