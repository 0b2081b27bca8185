#include "experiments/table3/diagnoses.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/table3/made_up_runs.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// 10 elements; of the second moment's so many zeros and infinities.
ParameterDiagnosis* AddParameter(std::string_view name, int64_t zero,
                                 int64_t non_finite, double update,
                                 int64_t step, EpochDiagnosis* epoch) {
  ParameterDiagnosis* parameter = epoch->add_parameters();
  parameter->set_parameter(std::string(name));
  parameter->set_elements(10);
  parameter->set_largest_update(update);
  parameter->set_largest_update_step(step);
  parameter->add_slots()->set_slot("first_moment");
  SlotDiagnosis* slot = parameter->add_slots();
  slot->set_slot("second_moment");
  slot->set_zero(zero);
  slot->set_non_finite(non_finite);
  slot->set_zero_while_first_moment_is_not(zero / 2);
  return parameter;
}

// Two epochs of 4 steps, two parameters.
Diagnosis TwoEpochs() {
  Diagnosis diagnosis;
  EpochDiagnosis* first = diagnosis.add_epochs();
  first->set_steps(4);
  AddParameter("conv2d_1/kernel", 20, 0, 0.5, 2, first);
  AddParameter("batch_norm_1/gamma", 0, 0, 0.25, 1, first);
  EpochDiagnosis* second = diagnosis.add_epochs();
  second->set_steps(4);
  AddParameter("conv2d_1/kernel", 10, 20, 0.75, 5, second)
      ->set_first_non_finite_step(6);
  AddParameter("batch_norm_1/gamma", 0, 0, 0.125, 4, second);
  return diagnosis;
}

TEST(DiagnosesTest, EpochsAreAddedUp) {
  const WatchedRun run = Watch(TwoEpochs());
  ASSERT_EQ(run.parameters.size(), 2u);
  const WatchedParameter& kernel = run.parameters[0];
  EXPECT_TRUE(kernel.IsKernel());
  EXPECT_FALSE(run.parameters[1].IsKernel());
  // 80 in all, 20 of them not finite.
  EXPECT_EQ(kernel.second_moments->finite, 60);
  EXPECT_DOUBLE_EQ(kernel.second_moments->ZeroShare(), 0.5);
  EXPECT_DOUBLE_EQ(kernel.second_moments->LostShare(), 0.25);
  EXPECT_DOUBLE_EQ(run.AllSecondMoments()->ZeroShare(), 30.0 / 140);
  EXPECT_EQ(run.Largest().size, 0.75);
  EXPECT_EQ(run.Largest().step, 5);
  EXPECT_EQ(run.Largest().parameter, "conv2d_1/kernel");
  // The first of the same size stays.
  EXPECT_EQ(run.parameters[1].largest_update.step, 1);
  ASSERT_TRUE(run.FirstLost().has_value());
  EXPECT_EQ(run.FirstLost()->step, 6);
  EXPECT_EQ(run.FirstLost()->parameter, "conv2d_1/kernel");
}

TEST(DiagnosesTest, ARuleWithoutSecondMomentsHasNone) {
  Diagnosis diagnosis;
  EpochDiagnosis* epoch = diagnosis.add_epochs();
  epoch->set_steps(1);
  epoch->add_parameters()->add_slots()->set_slot("momentum");
  const WatchedRun run = Watch(diagnosis);
  EXPECT_FALSE(run.AllSecondMoments().has_value());
  EXPECT_FALSE(run.FirstLost().has_value());
  EXPECT_EQ(run.Largest().size, 0);
}

TEST(DiagnosesTest, OnlyRunsThatHaveOneAreWatched) {
  MadeUpRun with, without;
  without.seed = 2;
  TrainedRun watched = Make(with);
  Attach(TwoEpochs(), "only", &watched);
  const std::vector<RunSet> sets = SetsOf({std::move(watched), Make(without)});
  const auto diagnoses = Diagnoses::Load(sets);
  ASSERT_TRUE(diagnoses.ok()) << diagnoses.status();
  EXPECT_NE(diagnoses->Of(sets[0].runs()[0]), nullptr);
  EXPECT_EQ(diagnoses->Of(sets[0].runs()[1]), nullptr);
  EXPECT_EQ(diagnoses->OfPolicy(sets[0], "FP16").size(), 1u);
  EXPECT_EQ(LargestUpdateOf(diagnoses->OfPolicy(sets[0], "FP16")).size, 0.75);
  EXPECT_TRUE(diagnoses->OfPolicy(sets[0], "FP32").empty());
}

TEST(DiagnosesTest, ABadFileIsNamed) {
  TrainedRun run = Make({});
  run.diagnosis_path = "/nowhere/diagnosis.textproto";
  const std::vector<RunSet> sets = SetsOf({std::move(run)});
  const auto diagnoses = Diagnoses::Load(sets);
  ASSERT_FALSE(diagnoses.ok());
  EXPECT_NE(diagnoses.status().message().find("/nowhere/diagnosis.textproto"),
            std::string::npos);
}

}  // namespace
}  // namespace repro16
