// The command line of //experiments/recorded:record, behind the check of its
// sources (record_source_test.sh): its path is the first argument.
#include <sys/wait.h>

#include <cstdlib>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "engine/numerics/version.h"
#include "experiments/recorded/recorded_run.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

std::string tool;  // path of the program

std::string Temporary(const std::string& name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

std::string Contents(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? *text : std::string(text.status().message());
}

struct Outcome {
  int exit_code;
  std::string error;  // what went to standard error
};

// With the provenance that is needed.
Outcome Record(const std::string& flags) {
  const std::string error = Temporary("stderr");
  const std::string command = absl::StrCat(
      tool, " --commit=0123abc --date=2024-02-29 --machine='of the tests' ",
      flags, " >", Temporary("stdout"), " 2>", error);
  const int status = std::system(command.c_str());
  return {WEXITSTATUS(status), Contents(error)};
}

// Bad input: exit code 2, one line, which says `what`.
void ExpectRefused(const std::string& flags, const std::string& what) {
  const Outcome outcome = Record(flags);
  EXPECT_EQ(outcome.exit_code, 2) << flags;
  EXPECT_TRUE(absl::StrContains(outcome.error, what)) << outcome.error;
  EXPECT_EQ(outcome.error.find('\n'), outcome.error.size() - 1)
      << outcome.error;
}

RunResult FinishedRun() {
  const absl::StatusOr<RecordedRun> run =
      ReadRecordedRun("experiments/recorded/testdata/finished_fp32.textproto");
  EXPECT_TRUE(run.ok()) << run.status();
  RunResult result = run->result();
  result.set_numerics_version(kNumericsVersion);
  for (int i = 0; i < 5; ++i) result.add_steps();
  return result;
}

std::string WriteResult(const RunResult& result) {
  const std::string path = Temporary("result.pb");
  EXPECT_TRUE(WriteBinaryProto(path, result).ok());
  return path;
}

std::string WriteCheckpoint() {
  Checkpoint checkpoint;
  RunState& state = *checkpoint.mutable_run();
  *state.mutable_result() = FinishedRun();
  state.mutable_result()->clear_weights_sha256();
  state.set_epoch(5);
  state.mutable_epoch_totals()->set_examples(256);
  const std::string path = Temporary("run.checkpoint");
  EXPECT_TRUE(WriteBinaryProto(path, checkpoint).ok());
  return path;
}

TEST(RecordTest, AnEndedRunWithItsTelemetry) {
  RunTelemetry telemetry;
  telemetry.set_simd_target("NEON");
  telemetry.set_train_seconds(12);
  const std::string telemetry_path = Temporary("telemetry.pb");
  ASSERT_TRUE(WriteBinaryProto(telemetry_path, telemetry).ok());
  const std::string out = Temporary("ended.textproto");
  const Outcome outcome = Record(absl::StrCat(
      "--result=", WriteResult(FinishedRun()), " --telemetry=", telemetry_path,
      " --note='nothing else ran' --out=", out));
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const absl::StatusOr<RecordedRun> run = ReadRecordedRun(out);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(EpochsReached(*run), "5 of 5");
  EXPECT_EQ(run->provenance().commit(), "0123abc");
  EXPECT_EQ(run->provenance().machine(), "of the tests");
  EXPECT_EQ(run->provenance().simd_target(), "NEON");
  EXPECT_EQ(run->provenance().note(), "nothing else ran");
  EXPECT_EQ(run->telemetry().train_seconds(), 12);
}

TEST(RecordTest, ACheckpointFromTheCallersFolder) {
  WriteCheckpoint();
  setenv("BUILD_WORKING_DIRECTORY", testing::TempDir().c_str(), 1);
  const Outcome outcome =
      Record("--checkpoint=run.checkpoint --out=on_its_way.textproto");
  unsetenv("BUILD_WORKING_DIRECTORY");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const absl::StatusOr<RecordedRun> run =
      ReadRecordedRun(Temporary("on_its_way.textproto"));
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(EpochsReached(*run), "4 of 5");
  EXPECT_FALSE(run->has_telemetry());
}

TEST(RecordTest, ARefusedRunLeavesTheOldRecord) {
  const std::string out = Temporary("old.textproto");
  ASSERT_TRUE(WriteFileAtomically(out, "old").ok());
  RunResult result = FinishedRun();
  const auto refused = [&](const std::string& what) {
    ExpectRefused(
        absl::StrCat("--result=", WriteResult(result), " --out=", out), what);
    EXPECT_EQ(Contents(out), "old");
  };
  result.set_numerics_version(kNumericsVersion + 1);
  refused("result.pb: numerics_version");
  result = FinishedRun();
  result.set_made_up_data(true);
  refused("result.pb: made_up_data");
  result = FinishedRun();
  result.mutable_spec()->set_scale("lite");
  refused("result.pb: spec.scale");
}

TEST(RecordTest, BadFlagsAreNamed) {
  const std::string result =
      absl::StrCat(" --result=", WriteResult(FinishedRun()), " ");
  const std::string out = " --out=" + Temporary("never.textproto");
  ExpectRefused(result, "--out");
  ExpectRefused(result + "--out=/nonexistent/x.textproto", "/nonexistent/x");
  ExpectRefused(result + "--out=" + Temporary("never.pb"), "--out");
  ExpectRefused(result + "--commit=main" + out, "--commit");
  ExpectRefused(result + "--commit=0123abc-dirty" + out,
                "--commit: 0123abc-dirty: no commit has the sources");
  ExpectRefused(result + "--date=29.2.2024" + out, "--date");
  ExpectRefused(result + "--machine=" + out, "--machine");
  ExpectRefused(out, "--checkpoint, --result");
  ExpectRefused(result + "--checkpoint=x" + out, "--checkpoint, --result");
  const std::string checkpoint = " --checkpoint=" + WriteCheckpoint();
  ExpectRefused(checkpoint + " --telemetry=x" + out, "--telemetry");
  ExpectRefused("--result=" + Temporary("run.checkpoint") + out,
                "run.checkpoint");
  ExpectRefused("--checkpoint=" + Temporary("missing") + out, "missing");
  EXPECT_TRUE(absl::StrContains(Contents(Temporary("never.textproto")),
                                "cannot be read"));
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  repro16::tool = argv[1];
  return RUN_ALL_TESTS();
}
