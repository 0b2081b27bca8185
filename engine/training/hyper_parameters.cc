#include "engine/training/hyper_parameters.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string_view>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "engine/graph/rounded_factors.h"
#include "engine/graph/update_rule.h"
#include "engine/numerics/round_to_type.h"

namespace repro16 {
namespace {

// A hyper-parameter that means another thing than it reads.
struct Change {
  std::string field;
  double given;
  std::string_view becomes;  // "is 0"
  DType type;
  std::string_view follows;
  bool refused;
};

// The shortest decimal that reads back as `value`: 0.999999999 is not "1".
std::string Shortest(double value) {
  std::array<char, 32> text;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// `whom` says for which parameters it holds; "" for all.
std::string Line(const Change& change, std::string_view whom) {
  return absl::StrCat(
      change.field, ": ", Shortest(change.given), " ", change.becomes, " in ",
      absl::AsciiStrToLower(Name(change.type)), whom, ": ", change.follows);
}

absl::Status FirstRefused(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    if (!change.refused) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        Line(change, ""),
        "; give a smaller one, or choose a policy with a wider type"));
  }
  return absl::OkStatus();
}

// ---- The update rule --------------------------------------------------------

// What changes for parameters of one type.
class OptimizerChanges {
 public:
  OptimizerChanges(const OptimizerSpec& spec, DType type, DType rate_type)
      : type_(type),
        rate_type_(rate_type),
        first_(ConstantsOf(spec, type, rate_type, 0, 1)) {
    switch (spec.rule_case()) {
      case OptimizerSpec::kSgd:
        Sgd(spec.sgd());
        break;
      case OptimizerSpec::kAdam:
        Adam(spec.adam());
        break;
      case OptimizerSpec::kRmsprop:
        RmsProp(spec.rmsprop());
        break;
      case OptimizerSpec::RULE_NOT_SET:
        break;
    }
  }

  std::vector<Change> Take() && { return std::move(changes_); }

 private:
  void Sgd(const OptimizerSpec::Sgd& sgd) {
    Rate("optimizer.sgd.learning_rate", sgd.learning_rate());
    Decay("optimizer.sgd.momentum", sgd.momentum(),
          "velocities only add up, and never decay");
  }

  void Adam(const OptimizerSpec::Adam& adam) {
    const std::string_view rate = "optimizer.adam.learning_rate";
    const bool rate_changes = Rate(rate, adam.learning_rate());
    const bool beta_1_is_one = Decay(
        "optimizer.adam.beta_1", adam.beta_1(),
        "the first step divides by 1 - beta_1, and every weight becomes NaN",
        /*refused=*/true);
    const bool beta_2_is_one = Decay(
        "optimizer.adam.beta_2", adam.beta_2(),
        "Adam's step size, which has the factor sqrt(1 - beta_2^t), is 0: no "
        "update changes anything");
    Epsilon("optimizer.adam.epsilon", adam.epsilon());
    if (rate_changes || beta_1_is_one || beta_2_is_one) return;
    if (std::isinf(first_.alpha)) {
      Add(rate, adam.learning_rate(), "makes Adam's first step size infinite",
          "weights become infinite or NaN", /*refused=*/true);
    } else if (first_.alpha == 0) {
      Add(rate, adam.learning_rate(), "makes Adam's first step size 0",
          "no update changes anything until the bias correction has grown");
    }
  }

  void RmsProp(const OptimizerSpec::RmsProp& rms_prop) {
    Rate("optimizer.rmsprop.learning_rate", rms_prop.learning_rate());
    Decay("optimizer.rmsprop.rho", rms_prop.rho(),
          "the mean of squares never decays");
    Epsilon("optimizer.rmsprop.epsilon", rms_prop.epsilon());
  }

  // Whether there is a change; likewise below.
  bool Rate(std::string_view field, double given) {
    const DType type = rate_type_;
    if (std::isinf(first_.learning_rate)) {
      changes_.push_back({std::string(field), given, "is infinite", type,
                          "weights become infinite or NaN", true});
    } else if (first_.learning_rate == 0) {
      changes_.push_back({std::string(field), given, "is 0", type,
                          "no update changes anything", false});
    } else {
      return false;
    }
    return true;
  }

  // Whether it became 1.
  bool Decay(std::string_view field, double given, std::string_view if_one,
             bool refused = false) {
    const float rounded = RoundToType(given, type_);
    if (rounded == 0 && given != 0) {
      Add(field, given, "is 0", "earlier gradients do not count");
    }
    if (rounded != 1) return false;
    Add(field, given, "is 1", if_one, refused);
    return true;
  }

  void Epsilon(std::string_view field, double given) {
    if (std::isinf(first_.epsilon)) {
      Add(field, given, "is infinite", "every update is 0", /*refused=*/true);
    } else if (first_.epsilon == 0) {
      Add(field, given, "is 0",
          "a gradient whose square is 0, too, makes its weight infinite or "
          "NaN");
    }
  }

  void Add(std::string_view field, double given, std::string_view becomes,
           std::string_view follows, bool refused = false) {
    changes_.push_back(
        {std::string(field), given, becomes, type_, follows, refused});
  }

  const DType type_;
  const DType rate_type_;
  const UpdateConstants first_;  // of the first step
  std::vector<Change> changes_;
};

std::vector<Change> ChangesOf(const OptimizerSpec& spec, DType type,
                              const PrecisionPolicy& policy) {
  return OptimizerChanges(spec, type, policy.update).Take();
}

bool Contains(const std::vector<Change>& changes, const Change& change) {
  return std::any_of(changes.begin(), changes.end(), [&](const Change& other) {
    return other.field == change.field && other.type == change.type &&
           other.becomes == change.becomes;
  });
}

bool HasBatchNorm(const Graph& graph) {
  return std::any_of(graph.parameters.begin(), graph.parameters.end(),
                     [](const Parameter& parameter) {
                       return parameter.role == ParameterRole::kBatchNorm;
                     });
}

void AddOptimizerLines(const OptimizerSpec& spec, const PrecisionPolicy& policy,
                       const Graph& graph, std::vector<std::string>& lines) {
  const std::vector<Change> weights = ChangesOf(spec, policy.update, policy);
  // Where batch normalisation's parameters are not like the others.
  const bool apart = policy.batch_norm != policy.update && HasBatchNorm(graph);
  const std::vector<Change> batch_norm =
      apart ? ChangesOf(spec, policy.batch_norm, policy) : weights;
  for (const Change& change : weights) {
    lines.push_back(
        Line(change, Contains(batch_norm, change)
                         ? ""
                         : " for all parameters but batch normalisation's"));
  }
  for (const Change& change : batch_norm) {
    if (Contains(weights, change)) continue;
    lines.push_back(Line(change, " for batch normalisation's parameters"));
  }
}

// ---- The network ------------------------------------------------------------

// Changes of the network's factors: one for all that are equal.
class FactorChanges {
 public:
  FactorChanges(const Graph& graph, const PrecisionPolicy& policy) {
    for (const Parameter& parameter : graph.parameters) {
      const bool batch_norm = parameter.role != ParameterRole::kWeight;
      L2(parameter, batch_norm ? policy.batch_norm : policy.update);
    }
    for (const Op& op : graph.ops) {
      if (op.kind == OpKind::kDropout) {
        Dropout(op, std::get<DropoutAttributes>(op.attributes).rate,
                policy.activation);
      } else if (op.kind == OpKind::kBatchNorm) {
        BatchNorm(op, std::get<BatchNormAttributes>(op.attributes).momentum,
                  policy.batch_norm);
      }
    }
  }

  std::vector<Change> Take() && {
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (others_[i] == 0) continue;
      absl::StrAppend(&changes_[i].field, " and ", others_[i], " more");
    }
    return std::move(changes_);
  }

 private:
  void L2(const Parameter& parameter, DType type) {
    if (parameter.l2 == 0) return;
    const float factor = L2Factor(parameter.l2, type);
    if (std::isinf(factor)) {
      Add("l2 of ", parameter.name, parameter.l2, "is infinite when doubled",
          type, "weights become infinite or NaN", /*refused=*/true);
    } else if (factor == 0) {
      Add("l2 of ", parameter.name, parameter.l2, "is 0 when doubled", type,
          "finite weights are not held down");
    }
  }

  void Dropout(const Op& op, double rate, DType type) {
    const float factor = DropoutFactor(rate, type);
    if (std::isinf(factor)) {
      Add("rate of ", op.name, rate, "makes 1 / (1 - rate) infinite", type,
          "what dropout keeps becomes infinite", /*refused=*/true);
    } else if (factor == 1 && rate != 0) {
      Add("rate of ", op.name, rate, "makes 1 / (1 - rate) 1", type,
          "what dropout keeps is not scaled up");
    }
  }

  void BatchNorm(const Op& op, double momentum, DType type) {
    const float rate = MovingRate(momentum, type);
    if (rate == 0) {
      Add(kMomentum, op.name, momentum, "makes 1 - momentum 0", type,
          "moving statistics stay what they were before training");
    } else if (RoundToType(1.0 - static_cast<double>(rate), type) == 1) {
      // One step of a moving statistic of 1 whose batch has 0; of all numbers
      // the powers of two are the easiest to move downwards.
      Add(kMomentum, op.name, momentum, "makes 1 - momentum too small a step",
          type,
          "a moving statistic stays where the batch's differs from it by less "
          "than its own size");
    } else if (rate == 1 && momentum != 0) {
      Add(kMomentum, op.name, momentum, "makes 1 - momentum 1", type,
          "moving statistics are those of the last batch");
    }
  }

  void Add(std::string_view what, std::string_view name, double given,
           std::string_view becomes, DType type, std::string_view follows,
           bool refused = false) {
    for (size_t i = 0; i < changes_.size(); ++i) {
      if (changes_[i].given != given || changes_[i].becomes != becomes) {
        continue;
      }
      ++others_[i];
      return;
    }
    changes_.push_back(
        {absl::StrCat(what, name), given, becomes, type, follows, refused});
    others_.push_back(0);
  }

  static constexpr std::string_view kMomentum = "momentum of ";

  std::vector<Change> changes_;
  std::vector<int> others_;  // with the same change
};

}  // namespace

absl::Status CheckRoundedOptimizer(const OptimizerSpec& spec,
                                   const PrecisionPolicy& policy) {
  return FirstRefused(ChangesOf(spec, policy.update, policy));
}

absl::Status CheckRoundedFactors(const Graph& graph,
                                 const PrecisionPolicy& policy) {
  return FirstRefused(FactorChanges(graph, policy).Take());
}

std::vector<std::string> HyperParameterWarnings(const OptimizerSpec& spec,
                                                const PrecisionPolicy& policy,
                                                const Graph& graph) {
  std::vector<std::string> lines;
  AddOptimizerLines(spec, policy, graph, lines);
  for (const Change& change : FactorChanges(graph, policy).Take()) {
    lines.push_back(Line(change, ""));
  }
  return lines;
}

}  // namespace repro16
