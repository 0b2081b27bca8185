#include "engine/training/diagnosis.h"

#include <gtest/gtest.h>

#include <utility>

#include "engine/create_backend.h"
#include "engine/data/dataset.h"
#include "engine/graph/builder.h"
#include "engine/training/progress.h"
#include "engine/training/trainer.h"
#include "google/protobuf/text_format.h"

namespace repro16 {
namespace {

RunOutput TrainSmall(const std::string& policy, bool diagnose) {
  RunSpec spec;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "model: 'small' policy: '" + policy +
          R"(' backend: 'cpu' seed: 3 epochs: 2 batch_size: 64
      data { dataset: 'synthetic_mnist' train_examples: 300 test_examples: 100
             normalization: 'unit' }
      optimizer { adam { learning_rate: 0.001 beta_1: 0.9 beta_2: 0.999
                         epsilon: 1e-8 } })",
      &spec));
  GraphBuilder b;
  const TensorId x = b.Flatten(b.Input(Shape({28, 28, 1})));
  const Graph graph =
      *std::move(b).Classifier(b.Dense(b.Tanh(b.Dense(x, 16)), 10));
  const auto backend = CreateBackend("cpu", {1});
  const auto data = LoadDataset(spec.data(), "");
  Progress progress;
  TrainOptions options;
  options.diagnose = diagnose;
  auto output = Train(spec, graph, *data, **backend, progress, options);
  EXPECT_TRUE(output.ok()) << output.status();
  return *std::move(output);
}

void Add(const StoreCounts& counts, StoreCounts& to) {
  AddStores({counts.infinite(), counts.nan(), counts.underflow()},
            counts.stored(), to);
}

TEST(DiagnosisTest, TheTensorsAddUpToTheRunsCounts) {
  const RunOutput output = TrainSmall("FP16", true);
  ASSERT_EQ(output.diagnosis.epochs_size(), 2);
  for (int e = 0; e < 2; ++e) {
    const EpochDiagnosis& epoch = output.diagnosis.epochs(e);
    EXPECT_EQ(epoch.epoch(), e + 1);
    EXPECT_EQ(epoch.steps(), 5);
    StoreCounts tensors;
    for (const TensorDiagnosis& tensor : epoch.tensors()) {
      Add(tensor.counts(), tensors);
    }
    StoreCounts kinds;
    const RoundingCounts& counts = output.result.epochs(e).rounding();
    for (const StoreCounts& kind :
         {counts.activations(), counts.activation_gradients(),
          counts.weight_gradients(), counts.parameters()}) {
      Add(kind, kinds);
    }
    EXPECT_EQ(tensors.SerializeAsString(), kinds.SerializeAsString());
    // Adam's epsilon is 0 in f16.
    EXPECT_GT(tensors.infinite() + tensors.nan(), 0u);
  }
}

TEST(DiagnosisTest, IsOffUnlessAskedForAndChangesNoBit) {
  const RunOutput off = TrainSmall("FP16", false);
  EXPECT_EQ(off.diagnosis.epochs_size(), 0);
  EXPECT_EQ(off.result.SerializeAsString(),
            TrainSmall("FP16", true).result.SerializeAsString());
}

TEST(DiagnosisTest, TheWorstComeFirst) {
  Diagnosis diagnosis;
  BatchRecord step;
  step.tensors = {
      {"good", RoundingTotals::kActivations, 1000, {}},
      {"slightly", RoundingTotals::kActivations, 1000, {0, 0, 10}},
      {"badly", RoundingTotals::kWeightGradients, 100, {0, 0, 90}},
      {"hot", RoundingTotals::kParameters, 100, {3, 4, 0}},
  };
  Diagnose(step, 1, diagnosis);
  step.tensors.pop_back();  // a skipped step
  Diagnose(step, 1, diagnosis);
  Diagnose(step, 2, diagnosis);
  EXPECT_EQ(
      WorstTensors(diagnosis),
      "Infinities and NaNs:\n"
      "          stored     infinite          NaN      to zero   to zero  "
      "tensor\n"
      "             100            3            4            0    0.000%  "
      "hot\n"
      "Results rounded to zero, by share of the stores:\n"
      "          stored     infinite          NaN      to zero   to zero  "
      "tensor\n"
      "             300            0            0          270   90.000%  "
      "badly\n"
      "            3000            0            0           30    1.000%  "
      "slightly\n");
  EXPECT_EQ(WorstTensors(Diagnosis()),
            "Infinities and NaNs: none\n"
            "Results rounded to zero, by share of the stores: none\n");
}

TEST(DiagnosisTest, TheMostLostSecondMomentsComeFirst) {
  Diagnosis diagnosis;
  // Over both epochs 1 of 25 finite second moments is 0, then 6 of 12.
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      R"(epochs { epoch: 1 steps: 2
           parameters { parameter: 'kept' elements: 10 largest_update: 0.25
             slots { slot: 'first_moment' zero: 20 }
             slots { slot: 'second_moment' zero: 1
                     zero_while_first_moment_is_not: 0 } }
           parameters { parameter: 'lost' elements: 4 largest_update: 3
             slots { slot: 'first_moment' zero: 1 }
             slots { slot: 'second_moment' zero: 4
                     zero_while_first_moment_is_not: 3 } }
           parameters { parameter: 'whole' elements: 4
             slots { slot: 'first_moment' zero: 8 }
             slots { slot: 'second_moment'
                     zero_while_first_moment_is_not: 0 } } }
         epochs { epoch: 2 steps: 1
           parameters { parameter: 'kept' elements: 10 largest_update: 0.5
             slots { slot: 'first_moment' }
             slots { slot: 'second_moment' non_finite: 5
                     zero_while_first_moment_is_not: 0 } }
           parameters { parameter: 'lost' elements: 4 largest_update: 2
             slots { slot: 'first_moment' }
             slots { slot: 'second_moment' zero: 2
                     zero_while_first_moment_is_not: 0 } } })",
      &diagnosis));
  EXPECT_EQ(WorstSecondMoments(diagnosis),
            "Second moments of 0, by share of the finite ones:\n"
            "  second is 0  the first not   largest update  parameter\n"
            "      50.000%        25.000%                3  lost\n"
            "       4.000%         0.000%              0.5  kept\n");

  for (EpochDiagnosis& epoch : *diagnosis.mutable_epochs()) {
    for (ParameterDiagnosis& parameter : *epoch.mutable_parameters()) {
      parameter.mutable_slots()->DeleteSubrange(0, 1);
      parameter.mutable_slots(0)->clear_zero_while_first_moment_is_not();
    }
  }
  EXPECT_NE(WorstSecondMoments(diagnosis).find(
                "\n      50.000%              -                3  lost\n"),
            std::string::npos)
      << WorstSecondMoments(diagnosis);

  for (EpochDiagnosis& epoch : *diagnosis.mutable_epochs()) {
    for (ParameterDiagnosis& parameter : *epoch.mutable_parameters()) {
      parameter.mutable_slots(0)->set_zero(0);
    }
  }
  EXPECT_EQ(WorstSecondMoments(diagnosis),
            "Second moments of 0, by share of the finite ones: none\n");
  EXPECT_EQ(WorstSecondMoments(Diagnosis()), "");
}

}  // namespace
}  // namespace repro16
