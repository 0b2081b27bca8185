#include "experiments/beyond/batch_norm/batch_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "absl/strings/match.h"
#include "engine/io/proto_file.h"
#include "experiments/recorded/recorded.pb.h"
#include "reports/golden.h"

namespace repro16 {
namespace {

TEST(StallsAtTest, HalfTheDistanceOfNeighboursOverTheRate) {
  EXPECT_NEAR(StallsAt(0.999, 11).from_below, 1 / 1.48828125, 1e-12);
  EXPECT_NEAR(StallsAt(0.999, 11).from_above, 1 / 0.51171875, 1e-12);
  EXPECT_NEAR(StallsAt(0.9, 11).from_above, 1, 0.005);
  EXPECT_TRUE(std::isinf(StallsAt(0.9999, 11).from_above));
}

MovingAverageStudy Study(double train_accuracy) {
  MovingAverageStudy study;
  study.mutable_spec()->set_policy("FP16");
  study.mutable_spec()->set_epochs(100);
  MovingAverageStudy::Epoch& epoch = *study.add_epochs();
  epoch.set_epoch(100);
  epoch.set_train_accuracy(train_accuracy);
  const auto add = [&](const std::string& rule, const std::string& storage,
                       double accuracy) {
    MovingAverageStudy::Average& average = *epoch.add_averages();
    average.set_rule(rule);
    average.set_storage(storage);
    average.set_momentum(rule == "estimated" ? 0 : 0.999);
    average.set_test_accuracy(accuracy);
  };
  add("average", "F16", 0.27);
  add("compensated", "F16", 0.615);
  add("average", "F32", 0.62);
  add("estimated", "F64", 0.62);
  return study;
}

report::Verdict VerdictOn(const report::Report& report, const std::string& id) {
  for (const report::Expectation& expectation : report.expectations()) {
    if (expectation.id() == id) return expectation.verdict();
  }
  ADD_FAILURE() << id;
  return report::VERDICT_NONE;
}

TEST(MakeBatchNormTest, JudgesWhatTheAverageCosts) {
  const auto golden =
      ReadGolden("experiments/beyond/batch_norm/golden.textproto");
  ASSERT_TRUE(golden.ok()) << golden.status();
  const auto analysis = MakeBatchNorm(Study(0.9), Study(0.9), "lite", *golden);
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  const report::Report& report = analysis->report;
  EXPECT_EQ(VerdictOn(report, "own_average"), report::VERDICT_MATCH);
  EXPECT_EQ(report.tables(1).rows_size(), 4);

  // Networks that have learnt little say nothing of it.
  const auto little = MakeBatchNorm(Study(0.3), Study(0.9), "lite", *golden);
  ASSERT_TRUE(little.ok()) << little.status();
  EXPECT_EQ(VerdictOn(little->report, "own_average"),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

TEST(MakeBatchNormTest, ShowsARecordedStudyFirstAndDoesNotJudgeIt) {
  const auto golden =
      ReadGolden("experiments/beyond/batch_norm/golden.textproto");
  ASSERT_TRUE(golden.ok()) << golden.status();
  const MovingAverageStudy recorded = Study(0.99);
  const auto analysis = MakeBatchNorm(Study(0.3), recorded, "lite", *golden);
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  const report::Report& report = analysis->report;
  ASSERT_EQ(report.answer_size(), 2);
  EXPECT_TRUE(absl::StrContains(report.answer(0), "recorded once"))
      << report.answer(0);
  EXPECT_TRUE(absl::StrContains(report.answer(0),
                                "27.0% of the test set with the network's own"))
      << report.answer(0);
  EXPECT_TRUE(absl::StrContains(report.answer(0), "62.0% with the same"));
  EXPECT_EQ(report.tables_size(), 2);
  EXPECT_EQ(VerdictOn(report, "own_average"),
            report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
}

// The recorded study is of the very training that is recorded: the same losses
// and accuracies of its epochs, and the same accuracy with the network's own
// averages.
TEST(RecordedStudyTest, IsTheRecordedTraining) {
  MovingAverageStudy study;
  ASSERT_TRUE(
      ReadTextProto("experiments/beyond/batch_norm/recorded.textproto", &study)
          .ok());
  RecordedRun record;
  ASSERT_TRUE(
      ReadTextProto("experiments/recorded/mobilenet_v2_fp16_seed1.textproto",
                    &record)
          .ok());
  ASSERT_EQ(study.epochs().rbegin()->epoch(), 100);
  for (const MovingAverageStudy::Epoch& epoch : study.epochs()) {
    const EpochResult& recorded =
        record.result().epochs(static_cast<int>(epoch.epoch()) - 1);
    EXPECT_EQ(epoch.train_loss(), recorded.train_loss()) << epoch.epoch();
    EXPECT_EQ(epoch.train_accuracy(), recorded.train_accuracy());
    EXPECT_EQ(epoch.averages(0).test_accuracy(), recorded.test_accuracy());
  }
}

TEST(MakeBatchNormTest, RefusesAStatementThatItDoesNotMeasure) {
  Golden golden;
  golden.add_statements()->set_id("another");
  const absl::Status status =
      MakeBatchNorm(Study(0.9), Study(0.9), "lite", golden).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "\"another\"")) << status;
}

TEST(MakeBatchNormTest, RefusesAStudyWithoutAnEpoch) {
  EXPECT_FALSE(
      MakeBatchNorm(MovingAverageStudy(), Study(0.9), "lite", Golden()).ok());
}

}  // namespace
}  // namespace repro16
