#include "experiments/recorded/recorded_run.h"

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "engine/io/file.h"
#include "engine/numerics/version.h"
#include "google/protobuf/util/message_differencer.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

constexpr char kUnfinished[] =
    "experiments/recorded/testdata/unfinished_fp16.textproto";
constexpr char kFinished[] =
    "experiments/recorded/testdata/finished_fp32.textproto";

RecordedRun Read(const std::string& path) {
  absl::StatusOr<RecordedRun> run = ReadRecordedRun(path);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.ok() ? *std::move(run) : RecordedRun();
}

bool Equal(const RecordedRun& a, const RecordedRun& b) {
  return google::protobuf::util::MessageDifferencer::Equals(a, b);
}

TEST(RecordedRunTest, WhatIsWrittenIsRead) {
  RecordedRun run = Read(kUnfinished);
  // Numbers of which a short text form is not the same number.
  run.mutable_result()->mutable_epochs(0)->set_train_loss(1.0 / 3);
  run.mutable_result()->mutable_epochs(1)->set_test_loss(0x1.fffffffffffffp-30);
  const std::string path = testing::TempDir() + "/round_trip.textproto";
  ASSERT_TRUE(WriteRecordedRun(path, run).ok());
  EXPECT_TRUE(Equal(Read(path), run));
  const absl::StatusOr<std::string> text = ReadFile(path);
  ASSERT_TRUE(text.ok()) << text.status();
  EXPECT_TRUE(
      absl::StrContains(*text, "# MobileNetV2 FP16 seed 1: 3 of 5 epochs."))
      << *text;
}

TEST(RecordedRunTest, AnEndedRunIsKeptWithoutItsSteps) {
  RunResult result = Read(kFinished).result();
  const RunResult kept = result;
  result.add_steps()->set_loss(2);
  result.add_steps()->set_skipped(true);
  result.add_steps()->set_skipped(true);
  const RecordedRun run = RecordOfResult(result);
  EXPECT_EQ(run.skipped_steps(), 2);
  EXPECT_TRUE(
      google::protobuf::util::MessageDifferencer::Equals(run.result(), kept));
}

// Two epochs of 4 steps (900 examples in batches of 256), and 2 steps of the
// third, in which a step was skipped and the loss scale changed.
RunState OnItsWay() {
  RunState state;
  RunResult& result = *state.mutable_result();
  result = Read(kUnfinished).result();
  result.clear_first_non_finite();
  result.mutable_epochs(2)->clear_test_accuracy();
  for (int step = 0; step < 10; ++step) {
    result.add_steps()->set_skipped(step == 1 || step == 9);
  }
  for (int step : {0, 7, 8}) {
    result.add_loss_scale_history()->set_step(step);
  }
  state.set_epoch(3);
  state.mutable_epoch_totals()->set_examples(512);
  return state;
}

TEST(RecordedRunTest, ARunOnItsWayIsKeptUpToItsLastWholeEpoch) {
  const absl::StatusOr<RecordedRun> run = RecordOfState(OnItsWay());
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(EpochsReached(*run), "2 of 5");
  EXPECT_EQ(run->result().steps_size(), 0);
  EXPECT_EQ(run->skipped_steps(), 1);
  ASSERT_EQ(run->result().loss_scale_history_size(), 2);
  EXPECT_EQ(run->result().loss_scale_history(1).step(), 7);
}

TEST(RecordedRunTest, OnlyWholeEpochsTellOfNonFiniteValues) {
  RunState state = OnItsWay();
  NonFinite& first = *state.mutable_result()->mutable_first_non_finite();
  first.set_step(7);
  EXPECT_TRUE(RecordOfState(state)->result().has_first_non_finite());
  first.set_step(8);
  EXPECT_FALSE(RecordOfState(state)->result().has_first_non_finite());
}

TEST(RecordedRunTest, BetweenTwoEpochsNothingIsLeftOut) {
  RunState state = OnItsWay();
  state.set_epoch(4);
  state.clear_epoch_totals();
  const absl::StatusOr<RecordedRun> run = RecordOfState(state);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(EpochsReached(*run), "3 of 5");
  EXPECT_EQ(run->skipped_steps(), 2);
  EXPECT_EQ(run->result().loss_scale_history_size(), 3);
}

TEST(RecordedRunTest, AStateThatContradictsItselfIsRefused) {
  RunState too_far = OnItsWay();
  too_far.set_epoch(5);
  EXPECT_FALSE(RecordOfState(too_far).ok());
  RunState too_few_steps = OnItsWay();
  too_few_steps.mutable_epoch_totals()->set_examples(11 * 256);
  EXPECT_FALSE(RecordOfState(too_few_steps).ok());
  EXPECT_FALSE(RecordOfState(RunState()).ok());
}

TEST(RecordedRunTest, AnotherNumericsVersionIsRefusedByTheTool) {
  RunResult result = Read(kFinished).result();
  result.set_numerics_version(kNumericsVersion);
  EXPECT_TRUE(CheckNumericsVersion(result).ok());
  result.set_numerics_version(kNumericsVersion + 1);
  EXPECT_FALSE(CheckNumericsVersion(result).ok());
}

struct Refusal {
  const char* name;
  const char* field;  // that the error names
  std::function<void(RecordedRun&)> break_it;
};

class RefusalTest : public testing::TestWithParam<Refusal> {};

TEST_P(RefusalTest, NamesTheField) {
  RecordedRun run = Read(kUnfinished);
  ASSERT_TRUE(CheckRecordedRun(run).ok());
  GetParam().break_it(run);
  const absl::Status status = CheckRecordedRun(run);
  ASSERT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_TRUE(absl::StartsWith(status.message(), GetParam().field)) << status;
  EXPECT_FALSE(absl::StrContains(status.message(), '\n'));
}

RunSpec& Spec(RecordedRun& run) {
  return *run.mutable_result()->mutable_spec();
}

INSTANTIATE_TEST_SUITE_P(
    RecordedRun, RefusalTest,
    testing::ValuesIn(std::vector<Refusal>{
        {"Scale", "spec.scale",
         [](RecordedRun& run) { Spec(run).set_scale("lite"); }},
        {"Policy", "spec.policy",
         [](RecordedRun& run) { Spec(run).set_policy("FP8"); }},
        {"Width", "spec.model_options",
         [](RecordedRun& run) {
           Spec(run).mutable_model_options()->set_width(0.25);
         }},
        {"Examples", "spec.data",
         [](RecordedRun& run) {
           Spec(run).mutable_data()->set_train_examples(100);
         }},
        {"MadeUp", "made_up_data",
         [](RecordedRun& run) {
           run.mutable_result()->set_made_up_data(true);
         }},
        {"Synthetic", "spec.data.dataset",
         [](RecordedRun& run) {
           Spec(run).mutable_data()->set_dataset("synthetic_cifar10");
         }},
        {"Digest", "data_digest: 80387ddb00",
         [](RecordedRun& run) {
           run.mutable_result()->set_data_digest("80387ddb00");
         }},
        {"NoEpoch", "epochs: no epoch",
         [](RecordedRun& run) { run.mutable_result()->clear_epochs(); }},
        {"TooManyEpochs", "epochs: 3",
         [](RecordedRun& run) { Spec(run).set_epochs(2); }},
        {"MissingEpoch", "epochs: number 3",
         [](RecordedRun& run) {
           run.mutable_result()->mutable_epochs()->DeleteSubrange(1, 1);
         }},
        {"EndedTooEarly", "weights_sha256: set",
         [](RecordedRun& run) {
           run.mutable_result()->set_weights_sha256("ff");
         }},
        {"EndedWithoutWeights", "weights_sha256: missing",
         [](RecordedRun& run) { Spec(run).set_epochs(3); }},
        {"Steps", "steps",
         [](RecordedRun& run) { run.mutable_result()->add_steps(); }},
        {"Commit", "provenance.commit",
         [](RecordedRun& run) { run.mutable_provenance()->clear_commit(); }},
        {"Machine", "provenance.machine",
         [](RecordedRun& run) { run.mutable_provenance()->clear_machine(); }},
    }),
    [](const testing::TestParamInfo<Refusal>& info) {
      return info.param.name;
    });

TEST(RecordedRunTest, ABadFileIsNamed) {
  const std::string path = testing::TempDir() + "/bad.textproto";
  ASSERT_TRUE(WriteFileAtomically(path, "result { epochz: 1 }").ok());
  const absl::Status status = ReadRecordedRun(path).status();
  EXPECT_TRUE(absl::StrContains(status.message(), "bad.textproto:1:"))
      << status;
}

}  // namespace
}  // namespace repro16
