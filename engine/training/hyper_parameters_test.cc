#include "engine/training/hyper_parameters.h"

#include <gtest/gtest.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/graph/builder.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

using Lines = std::vector<std::string>;

OptimizerSpec Rule(const std::string& text) {
  OptimizerSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &spec));
  return spec;
}

std::string Adam(const std::string& rate, const std::string& beta_1,
                 const std::string& beta_2, const std::string& epsilon) {
  return absl::StrCat("adam { learning_rate: ", rate, " beta_1: ", beta_1,
                      " beta_2: ", beta_2, " epsilon: ", epsilon, " }");
}

Graph Dense(double l2 = 0, double dropout = 0) {
  GraphBuilder b;
  TensorId x = b.Input(Shape({4}));
  if (dropout > 0) x = b.Dropout(x, dropout);
  for (int layer = 0; layer < 2; ++layer) {
    x = b.Dense(x, 10, Initializer::kGlorotUniform, l2);
  }
  return *std::move(b).Classifier(x);
}

Graph Normalized(double momentum = 0.9) {
  GraphBuilder b;
  TensorId x = b.Dense(b.Input(Shape({4})), 10);
  for (int layer = 0; layer < 3; ++layer) {
    x = b.BatchNorm(x, 1e-3, momentum);
  }
  return *std::move(b).Classifier(x);
}

Lines Warnings(const std::string& policy, const std::string& rule,
               const Graph& graph = Dense()) {
  const OptimizerSpec spec = Rule(rule);
  EXPECT_TRUE(CheckRoundedOptimizer(spec, *FindPolicy(policy)).ok());
  EXPECT_TRUE(CheckRoundedFactors(graph, *FindPolicy(policy)).ok());
  return HyperParameterWarnings(spec, *FindPolicy(policy), graph);
}

Lines GraphWarnings(const std::string& policy, const Graph& graph) {
  return Warnings(policy, "sgd { learning_rate: 0.01 }", graph);
}

// "" where the rule is not refused.
std::string Refusal(const std::string& policy, const std::string& rule) {
  return std::string(
      CheckRoundedOptimizer(Rule(rule), *FindPolicy(policy)).message());
}

TEST(HyperParametersTest, UsualOnesAreNotTold) {
  for (const PrecisionPolicy& policy : AllPolicies()) {
    SCOPED_TRACE(policy.name);
    const std::string name(policy.name);
    const Graph graph = Normalized(0.99);
    EXPECT_EQ(
        Warnings(name, "sgd { learning_rate: 0.01 momentum: 0.9 }", graph),
        Lines());
    EXPECT_EQ(Warnings(name, "sgd { learning_rate: 0.01 }", graph), Lines());
    EXPECT_EQ(
        Warnings(name,
                 "rmsprop { learning_rate: 0.001 rho: 0.9 epsilon: 1e-7 }",
                 graph),
        Lines());
    EXPECT_EQ(Warnings(name, Adam("0.001", "0.9", "0.99", "1e-7"), graph),
              Lines());
    EXPECT_EQ(Warnings(name, Adam("0.001", "0", "0", "1e-7"), graph), Lines());
    EXPECT_EQ(GraphWarnings(name, Dense(1e-4, 0.5)), Lines());
  }
  // The lowest epsilon of table 3.
  EXPECT_EQ(Warnings("FP16", Adam("0.001", "0.9", "0.999", "1e-7")), Lines());
}

// What rounds to 0, 1 or infinity does so at the last number that does, and
// not at the one beside it.
TEST(HyperParametersTest, EdgesAreThoseOfTheRounding) {
  const auto told = [](const std::string& policy, const std::string& rule) {
    return static_cast<int>(Warnings(policy, rule).size());
  };
  const auto sgd = [](const char* rate, const char* momentum) {
    return absl::StrCat("sgd { learning_rate: ", rate, " momentum: ", momentum,
                        " }");
  };
  // 2^-25 is a tie with 0; 0.999755859375 one with 1.
  EXPECT_EQ(told("FP16", sgd("2.98023223876953125e-08", "0.9")), 1);
  EXPECT_EQ(told("FP16", sgd("2.980232238769532e-08", "0.9")), 0);
  EXPECT_EQ(told("FP16_ACC16", sgd("2.98023223876953125e-08", "0.9")), 1);
  EXPECT_EQ(told("MP", sgd("2.98023223876953125e-08", "0.9")), 0);
  EXPECT_EQ(told("BF16", sgd("1e-9", "0.9")), 0);
  EXPECT_EQ(told("BF16", sgd("4e-41", "0.9")), 1);
  EXPECT_EQ(told("FP32", sgd("1e-46", "0.9")), 1);
  EXPECT_EQ(told("FP16", sgd("0.01", "0.999755859375")), 1);
  EXPECT_EQ(told("FP16", sgd("0.01", "0.99975585937499")), 0);
  EXPECT_EQ(told("BF16", sgd("0.01", "0.998046875")), 1);
  EXPECT_EQ(told("BF16", sgd("0.01", "0.99804687499")), 0);
  EXPECT_EQ(told("FP32", sgd("0.01", "0.99999998")), 1);
  EXPECT_EQ(told("FP16", sgd("0.01", "1e-9")), 1);
}

TEST(HyperParametersTest, ALineHasFieldValueAndWhatFollows) {
  EXPECT_EQ(Warnings("FP16", "sgd { learning_rate: 1e-9 momentum: 0.9999 }"),
            Lines({"optimizer.sgd.learning_rate: 1e-09 is 0 in f16: no update "
                   "changes anything",
                   "optimizer.sgd.momentum: 0.9999 is 1 in f16: velocities "
                   "only add up, and never decay"}));
  EXPECT_EQ(
      Warnings("BF16", Adam("0.001", "0.9", "0.999", "1e-7")),
      Lines({"optimizer.adam.beta_2: 0.999 is 1 in bf16: Adam's step size, "
             "which has the factor sqrt(1 - beta_2^t), is 0: no update changes "
             "anything"}));
  EXPECT_EQ(Warnings("FP16", Adam("0.001", "0.9", "0.999", "1e-8")),
            Lines({"optimizer.adam.epsilon: 1e-08 is 0 in f16: a gradient "
                   "whose square is 0, too, makes its weight infinite or "
                   "NaN"}));
  EXPECT_EQ(Warnings("FP32",
                     "rmsprop { learning_rate: 0.01 rho: 0.9999999999 "
                     "epsilon: 0 }"),
            Lines({"optimizer.rmsprop.rho: 0.9999999999 is 1 in f32: the mean "
                   "of squares never decays",
                   "optimizer.rmsprop.epsilon: 0 is 0 in f32: a gradient whose "
                   "square is 0, too, makes its weight infinite or NaN"}));
  // 1e-6 is a number of binary16; times sqrt(1 - 0.999) it is none.
  EXPECT_EQ(Warnings("FP16", Adam("5e-7", "0.9", "0.999", "1e-7")),
            Lines({"optimizer.adam.learning_rate: 5e-07 makes Adam's first "
                   "step size 0 in f16: no update changes anything until the "
                   "bias correction has grown"}));
}

TEST(HyperParametersTest, SaysForWhichParametersItHolds) {
  const std::string adam = Adam("0.001", "0.9", "0.9999", "1e-8");
  EXPECT_EQ(
      Warnings("FP16_BN32", adam, Normalized()),
      Lines({"optimizer.adam.beta_2: 0.9999 is 1 in f16 for all parameters but "
             "batch normalisation's: Adam's step size, which has the factor "
             "sqrt(1 - beta_2^t), is 0: no update changes anything",
             "optimizer.adam.epsilon: 1e-08 is 0 in f16 for all parameters but "
             "batch normalisation's: a gradient whose square is 0, too, makes "
             "its weight infinite or NaN"}));
  // Without batch normalisation, these are all.
  EXPECT_EQ(Warnings("FP16_BN32", adam, Dense())[0].substr(0, 42),
            "optimizer.adam.beta_2: 0.9999 is 1 in f16:");
  // The rate is an f16 variable for all of them.
  EXPECT_EQ(Warnings("FP16_BN32", "sgd { learning_rate: 1e-9 }", Normalized()),
            Lines({"optimizer.sgd.learning_rate: 1e-09 is 0 in f16: no update "
                   "changes anything"}));
  // 1 in both types.
  EXPECT_EQ(
      Warnings("FP16_BN32",
               "rmsprop { learning_rate: 0.01 rho: 0.9999999999 epsilon: 1 }",
               Normalized()),
      Lines({"optimizer.rmsprop.rho: 0.9999999999 is 1 in f16 for all "
             "parameters but batch normalisation's: the mean of squares never "
             "decays",
             "optimizer.rmsprop.rho: 0.9999999999 is 1 in f32 for batch "
             "normalisation's parameters: the mean of squares never decays"}));
}

TEST(HyperParametersTest, RefusesWhatCanOnlyBeASlip) {
  constexpr std::string_view kCure =
      "; give a smaller one, or choose a policy with a wider type";
  EXPECT_EQ(Refusal("FP16", "sgd { learning_rate: 65519.9 }"), "");
  EXPECT_EQ(Refusal("FP16", "sgd { learning_rate: 65520 }"),
            absl::StrCat("optimizer.sgd.learning_rate: 65520 is infinite in "
                         "f16: weights become infinite or NaN",
                         kCure));
  EXPECT_EQ(Refusal("FP16", Adam("0.001", "0.9999", "0.999", "1e-7")),
            absl::StrCat("optimizer.adam.beta_1: 0.9999 is 1 in f16: the first "
                         "step divides by 1 - beta_1, and every weight becomes "
                         "NaN",
                         kCure));
  EXPECT_EQ(Refusal("FP32", Adam("0.001", "0.9999", "0.999", "1e-7")), "");
  EXPECT_EQ(
      Refusal("FP16", "rmsprop { learning_rate: 1 rho: 0.9 epsilon: 65520 }"),
      absl::StrCat("optimizer.rmsprop.epsilon: 65520 is infinite in f16: every "
                   "update is 0",
                   kCure));
  EXPECT_EQ(Refusal("FP16", Adam("10000", "0.99", "0.5", "1")),
            absl::StrCat("optimizer.adam.learning_rate: 10000 makes Adam's "
                         "first step size infinite in f16: weights become "
                         "infinite or NaN",
                         kCure));
  for (const char* policy : {"FP16_BN32", "FP16_ACC16"}) {
    EXPECT_NE(Refusal(policy, "sgd { learning_rate: 65520 }"), "") << policy;
  }
  for (const char* policy : {"FP32", "MP", "BF16"}) {
    EXPECT_EQ(Refusal(policy, "sgd { learning_rate: 65520 }"), "") << policy;
    EXPECT_NE(Refusal(policy, "sgd { learning_rate: 1e39 }"), "") << policy;
  }
}

TEST(HyperParametersTest, L2AndDropout) {
  EXPECT_EQ(GraphWarnings("FP16", Dense(1e-8)),
            Lines({"l2 of dense_1/kernel and 1 more: 1e-08 is 0 when doubled "
                   "in f16: finite weights are not held down"}));
  // Doubled, it is the least subnormal.
  EXPECT_EQ(GraphWarnings("FP16", Dense(0x1p-25)), Lines());
  EXPECT_EQ(GraphWarnings("MP", Dense(1e-8)), Lines());
  EXPECT_EQ(
      CheckRoundedFactors(Dense(4e4), *FindPolicy("FP16")).message(),
      "l2 of dense_1/kernel and 1 more: 40000 is infinite when doubled in f16: "
      "weights become infinite or NaN; give a smaller one, or choose a policy "
      "with a wider type");

  EXPECT_EQ(GraphWarnings("MP", Dense(0, 1e-4)),
            Lines({"rate of dropout_1: 1e-04 makes 1 / (1 - rate) 1 in f16: "
                   "what dropout keeps is not scaled up"}));
  EXPECT_EQ(GraphWarnings("FP32", Dense(0, 1e-4)), Lines());
  EXPECT_EQ(
      CheckRoundedFactors(Dense(0, 0.99999), *FindPolicy("MP")).message(),
      "rate of dropout_1: 0.99999 makes 1 / (1 - rate) infinite in f16: what "
      "dropout keeps becomes infinite; give a smaller one, or choose a policy "
      "with a wider type");
  EXPECT_TRUE(CheckRoundedFactors(Dense(0, 0.99999), *FindPolicy("FP32")).ok());
}

TEST(HyperParametersTest, MovingStatisticsThatStay) {
  EXPECT_EQ(GraphWarnings("FP16", Normalized(0.99999999)),
            Lines({"momentum of batch_norm_1 and 2 more: 0.99999999 makes 1 - "
                   "momentum 0 in f16: moving statistics stay what they were "
                   "before training"}));
  EXPECT_EQ(GraphWarnings("FP16_BN32", Normalized(0.9999)), Lines());
  // MobileNetV2's own.
  EXPECT_EQ(
      GraphWarnings("BF16", Normalized(0.999)),
      Lines({"momentum of batch_norm_1 and 2 more: 0.999 makes 1 - momentum "
             "too small a step in bf16: a moving statistic stays where the "
             "batch's differs from it by less than its own size"}));
  for (const char* policy : {"FP32", "FP16", "FP16_BN32", "MP", "FP16_ACC16"}) {
    EXPECT_EQ(GraphWarnings(policy, Normalized(0.999)), Lines()) << policy;
  }
  EXPECT_EQ(GraphWarnings("FP16", Normalized(0.9998)).size(), 1u);
  EXPECT_EQ(GraphWarnings("FP16", Normalized(1e-4)),
            Lines({"momentum of batch_norm_1 and 2 more: 1e-04 makes 1 - "
                   "momentum 1 in f16: moving statistics are those of the last "
                   "batch"}));
  EXPECT_EQ(GraphWarnings("FP16", Normalized(0)), Lines());
}

}  // namespace
}  // namespace repro16
