// Hyper-parameters that mean another thing than they read, in the types in
// which a policy uses them: a factor that rounds to 1 or 0, a rate that rounds
// to 0 or infinity.
//
// What may be studied is told, in one line "FIELD: VALUE BECOMES in TYPE:
// WHAT FOLLOWS"; what can only be a slip is refused. Both are found by the
// rounding that training does (engine/graph/update_rule.h,
// engine/graph/rounded_factors.h).
//
// Refused:
//   the learning rate, or Adam's first step size, becomes infinite;
//   beta_1 becomes 1, so that the first step divides by 0;
//   epsilon, 2 l2, or dropout's 1 / (1 - rate) becomes infinite.
// Told:
//   the learning rate, or Adam's first step size, becomes 0;
//   momentum, beta_2 or rho becomes 1;
//   momentum, a beta or rho becomes 0, and 0 was not asked for;
//   epsilon becomes 0, or was asked to be;
//   2 l2 becomes 0, or dropout's 1 / (1 - rate) becomes 1;
//   batch normalisation's 1 - momentum becomes 0 or 1, or so small that a step
//   of it is lost beside a statistic of 1.
#ifndef REPRO16_ENGINE_TRAINING_HYPER_PARAMETERS_H_
#define REPRO16_ENGINE_TRAINING_HYPER_PARAMETERS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/graph/graph.h"
#include "engine/numerics/policy.h"
#include "engine/run/run.pb.h"

namespace repro16 {

// InvalidArgument for an update rule that is refused in the policy's type of
// updates. Every field of the rule is in its range.
absl::Status CheckRoundedOptimizer(const OptimizerSpec& spec,
                                   const PrecisionPolicy& policy);

// InvalidArgument for a factor of the network that is refused.
absl::Status CheckRoundedFactors(const Graph& graph,
                                 const PrecisionPolicy& policy);

// What is told, a line each, of a run that is not refused. Where batch
// normalisation's parameters have a type of their own (FP16_BN32), a line says
// for which parameters it holds.
std::vector<std::string> HyperParameterWarnings(const OptimizerSpec& spec,
                                                const PrecisionPolicy& policy,
                                                const Graph& graph);

}  // namespace repro16

#endif  // REPRO16_ENGINE_TRAINING_HYPER_PARAMETERS_H_
