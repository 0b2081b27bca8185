#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "engine/create_backend.h"
#include "engine/training/hyper_parameters.h"
#include "engine/training/trainer.h"

namespace repro16 {
namespace {

absl::Status Bad(std::string_view field, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(field, ": ", what));
}

absl::Status CheckRate(std::string_view field, double rate) {
  if (std::isfinite(rate) && rate > 0) return absl::OkStatus();
  return Bad(field,
             absl::StrCat(rate, " is not a positive number; give e.g. 0.01"));
}

// A number that must be given, although it may be 0.
absl::Status CheckGiven(std::string_view field, bool given,
                        std::string_view example) {
  if (given) return absl::OkStatus();
  return Bad(field, absl::StrCat("missing; give e.g. ", example));
}

// A decay factor such as momentum, beta or rho.
absl::Status CheckFactor(std::string_view field, double factor) {
  if (factor >= 0 && factor < 1) return absl::OkStatus();
  return Bad(field, absl::StrCat(factor, " is not in [0, 1); give e.g. 0.9"));
}

absl::Status CheckEpsilon(std::string_view field, double epsilon) {
  if (std::isfinite(epsilon) && epsilon >= 0) return absl::OkStatus();
  return Bad(
      field,
      absl::StrCat(epsilon, " is negative or not a number; give e.g. 1e-7"));
}

absl::Status First(std::initializer_list<absl::Status> statuses) {
  for (const absl::Status& status : statuses) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckOptimizer(const OptimizerSpec& spec) {
  switch (spec.rule_case()) {
    case OptimizerSpec::kSgd:
      return First(
          {CheckRate("optimizer.sgd.learning_rate", spec.sgd().learning_rate()),
           CheckFactor("optimizer.sgd.momentum", spec.sgd().momentum())});
    case OptimizerSpec::kAdam:
      return First(
          {CheckRate("optimizer.adam.learning_rate",
                     spec.adam().learning_rate()),
           CheckGiven("optimizer.adam.beta_1", spec.adam().has_beta_1(), "0.9"),
           CheckGiven("optimizer.adam.beta_2", spec.adam().has_beta_2(),
                      "0.999"),
           CheckGiven("optimizer.adam.epsilon", spec.adam().has_epsilon(),
                      "1e-7"),
           CheckFactor("optimizer.adam.beta_1", spec.adam().beta_1()),
           CheckFactor("optimizer.adam.beta_2", spec.adam().beta_2()),
           CheckEpsilon("optimizer.adam.epsilon", spec.adam().epsilon())});
    case OptimizerSpec::kRmsprop:
      return First(
          {CheckRate("optimizer.rmsprop.learning_rate",
                     spec.rmsprop().learning_rate()),
           CheckGiven("optimizer.rmsprop.rho", spec.rmsprop().has_rho(), "0.9"),
           CheckGiven("optimizer.rmsprop.epsilon", spec.rmsprop().has_epsilon(),
                      "1e-7"),
           CheckFactor("optimizer.rmsprop.rho", spec.rmsprop().rho()),
           CheckEpsilon("optimizer.rmsprop.epsilon",
                        spec.rmsprop().epsilon())});
    case OptimizerSpec::RULE_NOT_SET:
      return Bad("optimizer", "missing; give sgd, adam or rmsprop");
  }
  return absl::OkStatus();
}

absl::Status CheckModelOptions(const ModelSpec& spec) {
  constexpr double kMostWidth = 16;
  if (!(spec.width() >= 0 && spec.width() <= kMostWidth)) {
    return Bad("model_options.width",
               absl::StrCat(spec.width(), " is not in (0, ", kMostWidth,
                            "]; give e.g. 0.25, or leave it out"));
  }
  return CheckFactor("model_options.batch_norm_momentum",
                     spec.batch_norm_momentum());
}

// Of epochs or of examples.
constexpr int64_t kMost = 1'000'000;

absl::Status CheckCount(std::string_view field, int64_t value) {
  if (value >= 1 && value <= kMost) return absl::OkStatus();
  return Bad(field,
             absl::StrCat(value, " is not in [1, ", kMost, "]; give e.g. 10"));
}

absl::Status CheckEvaluation(const RunSpec& run) {
  const EvaluationSpec& spec = run.evaluation();
  const auto check = [](std::string_view field, int64_t value, int64_t most) {
    if (value >= 0 && value <= most) return absl::OkStatus();
    return Bad(absl::StrCat("evaluation.", field),
               absl::StrCat(value, " is not in [0, ", most,
                            "]; give e.g. 1, or leave it out"));
  };
  absl::Status status =
      First({check("early_test_examples", spec.early_test_examples(), kMost),
             check("estimated_epochs", spec.estimated_epochs(), run.epochs()),
             check("estimation_examples", spec.estimation_examples(), kMost)});
  if (!status.ok()) return status;
  if ((spec.estimated_epochs() > 0) == (spec.estimation_examples() > 0)) {
    return absl::OkStatus();
  }
  return Bad("evaluation",
             "estimated_epochs and estimation_examples need each other; give "
             "both or none");
}

absl::Status CheckScale(const std::string& scale) {
  const bool is_word = std::all_of(scale.begin(), scale.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           c == '-';
  });
  if (is_word) return absl::OkStatus();
  return Bad("scale",
             absl::StrCat("'", absl::CEscape(scale),
                          "' is not a word of letters, digits, '_' and '-'; "
                          "give e.g. \"trial\", or leave it out"));
}

}  // namespace

absl::Status CheckSpec(const RunSpec& spec) {
  if (spec.model().empty()) {
    return Bad("model", "missing; give a model's name, e.g. \"mlp\"");
  }
  if (const absl::Status status = CheckBackend(spec.backend()); !status.ok()) {
    return Bad("backend", status.message());
  }
  const absl::StatusOr<PrecisionPolicy> policy = FindPolicy(spec.policy());
  if (!policy.ok()) return policy.status();
  return First({CheckScale(spec.scale()),
                CheckModelOptions(spec.model_options()),
                CheckCount("epochs", spec.epochs()),
                CheckCount("batch_size", spec.batch_size()),
                CheckEvaluation(spec), CheckOptimizer(spec.optimizer()),
                CheckRoundedOptimizer(spec.optimizer(), *policy)});
}

}  // namespace repro16
