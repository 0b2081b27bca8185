#include "experiments/table3/table3.h"

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "experiments/table3/made_up_runs.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

// One step in which one of two second moments is 0 while the first is not.
Diagnosis HalfLost(double update) {
  Diagnosis diagnosis;
  EpochDiagnosis* epoch = diagnosis.add_epochs();
  epoch->set_steps(1);
  for (std::string_view name : {"conv2d_1/kernel", "batch_norm_1/gamma"}) {
    ParameterDiagnosis* parameter = epoch->add_parameters();
    parameter->set_parameter(std::string(name));
    parameter->set_elements(2);
    parameter->set_largest_update(update);
    SlotDiagnosis* slot = parameter->add_slots();
    slot->set_slot("second_moment");
    slot->set_zero(1);
    slot->set_zero_while_first_moment_is_not(1);
  }
  return diagnosis;
}

report::Report Analyse(std::vector<TrainedRun> runs) {
  AnalysisInputs inputs;
  inputs.scale = "lite";
  inputs.sets = SetsOf(std::move(runs));
  const auto analysis = AnalyseTable3(inputs, GoldenOfTable3());
  EXPECT_TRUE(analysis.ok()) << analysis.status();
  return analysis.ok() ? analysis->report : report::Report();
}

const report::Table& TableOf(const report::Report& report,
                             std::string_view begin) {
  for (const report::Table& table : report.tables()) {
    if (table.title().rfind(begin, 0) == 0) return table;
  }
  ADD_FAILURE() << "no table " << begin;
  return report::Table::default_instance();
}

const report::Figure& FigureOf(const report::Report& report,
                               std::string_view name) {
  for (const report::Figure& figure : report.figures()) {
    if (figure.name() == name) return figure;
  }
  ADD_FAILURE() << "no figure " << name;
  return report::Figure::default_instance();
}

const report::Finding* FindingOf(const report::Report& report,
                                 std::string_view begin) {
  for (const report::Finding& finding : report.findings()) {
    if (finding.title().rfind(begin, 0) == 0) return &finding;
  }
  return nullptr;
}

constexpr std::string_view kReason = "The reason that the paper calls likely";

TEST(AnalyseTable3Test, WithoutRunsEverythingReadsNotRun) {
  const report::Report report = Analyse({});
  ASSERT_EQ(report.expectations_size(), 31);
  for (const report::Expectation& e : report.expectations()) {
    EXPECT_EQ(e.verdict(), report::VERDICT_NOT_RUN) << e.id();
  }
  const report::Table& table = TableOf(report, "Table 3");
  ASSERT_EQ(table.rows_size(), 3);
  EXPECT_EQ(table.rows(0).cells(1).text(), "not run");
  EXPECT_EQ(table.rows(0).cells(1).paper(), "74.4");
  EXPECT_EQ(table.rows(1).cells(6).paper(), "10.0");
  EXPECT_EQ(table.rows(1).cells(7).text(), "not measured");
  EXPECT_EQ(table.rows(1).cells(7).paper(), "23.61 s");
  EXPECT_EQ(FindingOf(report, kReason), nullptr);
}

TEST(AnalyseTable3Test, CellsCarryAccuracyPaperAndVerdict) {
  std::vector<TrainedRun> runs = MakeSweep({}, {40, 38, 36, 38, 10, 0});
  runs.back().result.mutable_epochs()->rbegin()->set_test_loss(
      std::numeric_limits<double>::quiet_NaN());
  MadeUpRun second;
  second.seed = 2;
  for (TrainedRun& run : MakeSweep(second, {40, 38, 36, 38, 10, 0})) {
    runs.push_back(std::move(run));
  }
  const report::Report report = Analyse(std::move(runs));
  const report::Row& row = TableOf(report, "Table 3").rows(0);
  ASSERT_EQ(row.cells_size(), 8);
  EXPECT_EQ(row.cells(1).text(), "40.0 ± 0.0");
  EXPECT_EQ(row.cells(1).verdict(), report::VERDICT_NONE);
  EXPECT_EQ(row.cells(4).paper(), "22.5");
  EXPECT_EQ(row.cells(4).verdict(), report::VERDICT_DIFFER);
  EXPECT_EQ(row.cells(5).verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(row.cells(6).text(), "0.0 ± 0.0");
  EXPECT_EQ(row.cells(6).note(), "1 of 2 not finite");
  EXPECT_EQ(report.answer(0),
            "ResNet-18, Adam 1e-3, test accuracy by epsilon: FP16 40.0, 38.0, "
            "36.0, 38.0, 10.0, 0.0% at 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7.");
  // Six of ours, six of the paper's.
  EXPECT_EQ(FigureOf(report, "accuracy").datasets(0).records_size(), 12);
  // What differs is a finding.
  const report::Finding* finding = FindingOf(
      report, "ResNet-18, FP16, Adam 1e-3: collapses at epsilon 1e-5");
  ASSERT_NE(finding, nullptr);
  EXPECT_EQ(finding->kind(), report::Finding::CONTRADICTION);
}

TEST(AnalyseTable3Test, WhatStandsBesideIt) {
  MadeUpRun mp, sgd, rmsprop;
  mp.policy = "MP";
  sgd.rule = "SGD";
  sgd.rate = 1e-2;
  rmsprop.rule = "RMSProp";
  const report::Report report =
      Analyse({Make({}), Make(mp), Make(sgd), Make(rmsprop)});
  const report::Table& beside = TableOf(report, "Beside it");
  ASSERT_EQ(beside.rows_size(), 2);
  EXPECT_EQ(beside.rows(0).cells(1).text(), "MP");
  EXPECT_EQ(beside.rows(0).cells(3).text(), "not run");
  EXPECT_EQ(beside.rows(1).cells(0).text(), "ResNet-18, RMSProp 1e-3");
  const report::Table& control = TableOf(report, "The control");
  ASSERT_EQ(control.rows_size(), 1);
  EXPECT_EQ(control.rows(0).cells(1).text(), "40.0");
  EXPECT_EQ(control.rows(0).cells(2).text(), "not run");
}

TEST(AnalyseTable3Test, TheMechanismIsThatOfTheDiagnoses) {
  MadeUpRun fp16, fp32;
  fp16.epsilon = fp32.epsilon = 1e-7;
  fp32.policy = "FP32";
  TrainedRun half = Make(fp16), single = Make(fp32);
  half.result.mutable_first_non_finite()->set_step(3);
  half.result.mutable_first_non_finite()->set_tensor("conv2d_1");
  Attach(HalfLost(2), "half", &half);
  Attach(HalfLost(0.001), "single", &single);
  const report::Report report = Analyse({half, single});

  const report::Table& table = TableOf(report, "ResNet-18, Adam 1e-3: second");
  ASSERT_EQ(table.rows_size(), 2);
  const report::Row& row = table.rows(1);
  EXPECT_EQ(row.cells(0).text(), "FP16");
  EXPECT_EQ(row.cells(1).text(), "1e-7");
  EXPECT_EQ(row.cells(3).text(), "50.00%");
  EXPECT_EQ(row.cells(4).text(), "50.00%");
  EXPECT_EQ(row.cells(5).text(), "2");
  EXPECT_EQ(row.cells(5).note(), "2,000 rates");
  EXPECT_EQ(row.cells(6).text(), "step 0, conv2d_1/kernel");
  EXPECT_EQ(row.cells(7).text(), "step 3, conv2d_1");
  EXPECT_EQ(row.cells(8).text(), "never");
  // One kernel, two precisions; gamma is none.
  EXPECT_EQ(FigureOf(report, "zero").datasets(0).records_size(), 2);
  EXPECT_EQ(FigureOf(report, "update").datasets(0).records_size(), 2);
  // Ours twice, and what is possible.
  EXPECT_EQ(FigureOf(report, "largest_update").datasets(0).records_size(), 3);
  ASSERT_NE(FindingOf(report, kReason), nullptr);
  EXPECT_EQ(FindingOf(report, kReason)->kind(), report::Finding::AGREEMENT);
  EXPECT_NE(ExpectationOf(report, "collapse_resnet18_1e-7")
                .note()
                .find("multiples of 0.5"),
            std::string::npos);
}

TEST(AnalyseTable3Test, AReasonThatIsNotSeenIsAContradiction) {
  MadeUpRun fp16, fp32;
  fp16.epsilon = fp32.epsilon = 1e-7;
  fp32.policy = "FP32";
  TrainedRun half = Make(fp16), single = Make(fp32);
  Attach(HalfLost(0.002), "calm_half", &half);
  Attach(HalfLost(0.001), "calm_single", &single);
  const report::Report report = Analyse({half, single});
  ASSERT_NE(FindingOf(report, kReason), nullptr);
  EXPECT_EQ(FindingOf(report, kReason)->kind(), report::Finding::CONTRADICTION);
}

TEST(AnalyseTable3Test, WithoutADiagnosisItIsNotMeasured) {
  const report::Report report = Analyse({Make({})});
  const report::Row& row =
      TableOf(report, "ResNet-18, Adam 1e-3: second").rows(0);
  EXPECT_EQ(row.cells(2).text(), "90.0");
  for (int i : {3, 4, 5, 6, 8}) EXPECT_EQ(row.cells(i).text(), "not measured");
  EXPECT_EQ(row.cells(7).text(), "never");
  EXPECT_EQ(FigureOf(report, "zero").datasets(0).records_size(), 0);
  EXPECT_EQ(FindingOf(report, kReason), nullptr);
}

TEST(AnalyseTable3Test, WhatEpsilonIsInBinary16) {
  const report::Report report = Analyse({});
  const report::Table& table = TableOf(report, "What epsilon is in binary16");
  ASSERT_EQ(table.rows_size(), 7);
  // 1e-7 is two of the smallest numbers; 1e-8 is none.
  EXPECT_EQ(table.rows(5).cells(1).text(), "1.19209e-07");
  EXPECT_EQ(table.rows(5).cells(2).text(), "2");
  EXPECT_EQ(table.rows(5).cells(4).text(), "0.5");
  EXPECT_EQ(table.rows(6).cells(1).text(), "0");
  EXPECT_EQ(table.rows(6).cells(4).text(), "infinite");
}

}  // namespace
}  // namespace repro16
