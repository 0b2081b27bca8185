// The command line of //experiments/recorded:recheck, on records that are made
// here of made-up data. Arguments: its path and that of //programs:train.
#include "experiments/recorded/recheck.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "engine/numerics/version.h"
#include "experiments/recorded/recorded_run.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

std::string tool;  // paths of the programs
std::string trainer;

// MP, whose loss scale has a history: infinite gradients halve it at first.
constexpr char kSpec[] = R"(
model: "mlp" policy: "MP" scale: "paper" seed: 7 epochs: 3 batch_size: 32
optimizer { sgd { learning_rate: 0.01 momentum: 0.9 } }
data { dataset: "synthetic_mnist" normalization: "unit"
       train_examples: 96 test_examples: 32 }
model_options { width: 0.1 }
)";

std::string Temporary(const std::string& name) {
  return absl::StrCat(testing::TempDir(), "/", name);
}

std::string Contents(const std::string& path) {
  const absl::StatusOr<std::string> text = ReadFile(path);
  return text.ok() ? *text : std::string(text.status().message());
}

struct Outcome {
  int exit_code;
  std::string output;
  std::string error;
};

Outcome Call(const std::string& command) {
  const std::string output = Temporary("stdout");
  const std::string error = Temporary("stderr");
  const int status =
      std::system(absl::StrCat(command, " >", output, " 2>", error).c_str());
  return {WEXITSTATUS(status), Contents(output), Contents(error)};
}

Outcome Recheck(const std::string& arguments) {
  return Call(absl::StrCat(tool, " --records=", Temporary("records"),
                           " --train=", trainer, " --threads=1 ", arguments));
}

RecordedRun MakeRecord() {
  EXPECT_TRUE(WriteFileAtomically(Temporary("spec.textproto"), kSpec).ok());
  const std::string out = Temporary("result.pb");
  const Outcome outcome =
      Call(absl::StrCat(trainer, " --spec=", Temporary("spec.textproto"),
                        " --out=", out, " --threads=1 --progress=none"));
  EXPECT_EQ(outcome.exit_code, 0) << outcome.error;
  RunResult result;
  EXPECT_TRUE(ReadBinaryProto(out, &result).ok());
  return RecordOfResult(result);
}

// Writes the record that is made once, changed, as NAME.
void WriteRecord(const std::string& name,
                 const std::function<void(RecordedRun&)>& change) {
  static const RecordedRun made = MakeRecord();
  RecordedRun record = made;
  change(record);
  mkdir(Temporary("records").c_str(), 0777);
  const absl::Status status = WriteRecordedRun(
      Temporary(absl::StrCat("records/", name, ".textproto")), record);
  EXPECT_TRUE(status.ok()) << status;
}

void AsMade(RecordedRun& /*record*/) {}

// Bad input: exit code 2, one line, which says `what`.
void ExpectRefused(const std::string& arguments, const std::string& what) {
  const Outcome outcome = Recheck(arguments);
  EXPECT_EQ(outcome.exit_code, 2) << arguments;
  EXPECT_EQ(outcome.output, "");
  EXPECT_TRUE(absl::StrContains(outcome.error, what)) << outcome.error;
  EXPECT_EQ(outcome.error.find('\n'), outcome.error.size() - 1)
      << outcome.error;
}

void ExpectDiffers(const std::string& arguments, const std::string& what) {
  const Outcome outcome = Recheck(arguments);
  EXPECT_EQ(outcome.exit_code, 1) << outcome.error;
  EXPECT_TRUE(absl::StrContains(outcome.output, what)) << outcome.output;
  EXPECT_EQ(outcome.output.find('\n'), outcome.output.size() - 1)
      << outcome.output;
}

TEST(RecheckTest, ItsFirstEpochsAreEqual) {
  WriteRecord("made_up", AsMade);
  const Outcome one = Recheck("made_up");
  EXPECT_EQ(one.exit_code, 0) << one.error;
  EXPECT_EQ(one.output, "recheck: made_up: epoch 1 of 3 equal to the bit\n");
  EXPECT_EQ(one.error, "");
  EXPECT_EQ(Recheck("made_up --epochs=2").output,
            "recheck: made_up: epochs 1 to 2 of 3 equal to the bit\n");
}

TEST(RecheckTest, AllEpochsAreHeldToTheWeightsAsWell) {
  WriteRecord("made_up", AsMade);
  EXPECT_EQ(Recheck("made_up --epochs=3").output,
            "recheck: made_up: epochs 1 to 3 of 3 equal to the bit\n");
  WriteRecord("weights", [](RecordedRun& record) {
    record.mutable_result()->mutable_weights_sha256()->back() ^= 1;
  });
  EXPECT_EQ(Recheck("weights --epochs=2").exit_code, 0);
  ExpectDiffers("weights --epochs=3", "result.weights_sha256: ");
}

// A record on its way, of a machine with another backend.
TEST(RecheckTest, ARecordThatHasNotEndedAndOfAGpu) {
  WriteRecord("on_its_way", [](RecordedRun& record) {
    record.mutable_result()->mutable_epochs()->RemoveLast();
    record.mutable_result()->clear_weights_sha256();
    record.mutable_result()->mutable_spec()->set_backend("cuda");
  });
  const Outcome outcome = Recheck("on_its_way --epochs=2");
  EXPECT_EQ(outcome.output,
            "recheck: on_its_way: epochs 1 to 2 of 3 equal to the bit\n")
      << outcome.error;
  ExpectRefused("on_its_way --epochs=3", "--epochs: 3 is not in [1, 2]");
}

TEST(RecheckTest, AChangedDigitIsFound) {
  WriteRecord("made_up", AsMade);
  // A digit of the first loss, in the text.
  std::string text = Contents(Temporary("records/made_up.textproto"));
  const size_t line = text.find("train_loss: ");
  ASSERT_NE(line, std::string::npos);
  char& digit = text[text.find('.', line) + 6];
  digit = digit == '4' ? '8' : '4';
  ASSERT_TRUE(
      WriteFileAtomically(Temporary("records/digit.textproto"), text).ok());
  ExpectDiffers("digit",
                "recheck: digit: recorded -> made again: "
                "result.epochs[0].train_loss: ");
}

TEST(RecheckTest, ACountOfTheSecondEpochIsHeldToTheSecond) {
  WriteRecord("count", [](RecordedRun& record) {
    StoreCounts& counts = *record.mutable_result()
                               ->mutable_epochs(1)
                               ->mutable_rounding()
                               ->mutable_activations();
    counts.set_stored(counts.stored() + 1);
  });
  EXPECT_EQ(Recheck("count").exit_code, 0);
  ExpectDiffers("count --epochs=2",
                "result.epochs[1].rounding.activations.stored: ");
}

TEST(RecheckTest, BadInputIsRefused) {
  WriteRecord("made_up", AsMade);
  ExpectRefused("other", "other: no record; give one of ");
  ExpectRefused("made_up other", "other: a second name");
  ExpectRefused("made_up --epochs=0", "--epochs: 0 is not in [1, 3]");
  ExpectRefused("made_up --epochs=4", "--epochs: 4 is not in [1, 3]");
  ExpectRefused("made_up --epochs=one", "one");
  ExpectRefused("made_up --train=/nonexistent/train", "/nonexistent/train");
  ExpectRefused("made_up --records=/nonexistent", "/nonexistent");
  WriteRecord("version", [](RecordedRun& record) {
    record.mutable_result()->set_numerics_version(kNumericsVersion + 1);
  });
  ExpectRefused("version", "version: numerics_version: recorded with");
  WriteRecord("specification", [](RecordedRun& record) {
    record.mutable_result()->mutable_spec()->set_model("mpl");
  });
  ExpectRefused("specification", "unknown name 'mpl'");
}

TEST(RecheckTest, MissingDataAreNamed) {
  WriteRecord("published", [](RecordedRun& record) {
    DataSpec& data = *record.mutable_result()->mutable_spec()->mutable_data();
    data.set_dataset("mnist");
  });
  ExpectRefused("published --data=/nonexistent",
                "published: mnist: its published files are missing");
  // The folder of data that could not be had.
  mkdir(Temporary("mnist").c_str(), 0777);
  mkdir(Temporary("mnist/data").c_str(), 0777);
  ASSERT_TRUE(WriteFileAtomically(Temporary("mnist/data/MADE_UP"), "x").ok());
  ExpectRefused("published --data=" + testing::TempDir(),
                "its published files are missing");
}

TEST(RecheckTest, NanIsEqualToNan) {
  RecordedRun a;
  a.mutable_result()->add_epochs()->set_train_loss(0.0 / 0.0);
  EXPECT_EQ(FirstDifference(a, a), "");
}

TEST(RecheckTest, OnlyWhatHappenedInTheFirstEpochsIsCompared) {
  RecordedRun record;
  record.set_skipped_steps(3);
  RunResult& result = *record.mutable_result();
  for (int step : {0, 9, 10}) {
    result.add_loss_scale_history()->set_step(step);
  }
  result.mutable_first_non_finite()->set_step(10);
  result.add_epochs();
  result.add_epochs();
  const RecordedRun first = FirstEpochs(record, 1, 10);
  EXPECT_EQ(first.skipped_steps(), 0);
  EXPECT_EQ(first.result().epochs_size(), 1);
  EXPECT_EQ(first.result().loss_scale_history_size(), 2);
  EXPECT_FALSE(first.result().has_first_non_finite());
  EXPECT_EQ(FirstEpochs(record, 2, 20).skipped_steps(), 3);
}

// The commands of README.md are of records that are there.
TEST(RecheckTest, ReadmeNamesRecords) {
  const Outcome list =
      Call(absl::StrCat(tool, " --records=experiments/recorded"));
  ASSERT_EQ(list.exit_code, 0) << list.error;
  int commands = 0;
  for (const std::string_view line :
       absl::StrSplit(Contents("experiments/recorded/README.md"), '\n')) {
    const size_t found = line.find("//experiments/recorded:recheck -- ");
    if (found == std::string_view::npos) continue;
    ++commands;
    const std::string arguments(line.substr(line.find(" -- ", found) + 4));
    const std::string name = arguments.substr(0, arguments.find(' '));
    EXPECT_TRUE(absl::StrContains(absl::StrCat("\n", list.output),
                                  absl::StrCat("\n", name, ": ")))
        << line;
    // As it stands there, but for the data, so that it trains nothing.
    const Outcome outcome = Call(absl::StrCat(
        tool, " ", arguments, " --train=", trainer, " --data=/nonexistent"));
    EXPECT_TRUE(absl::StrContains(outcome.error, "published files are missing"))
        << outcome.error;
  }
  EXPECT_GE(commands, 1);
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  repro16::tool = argv[1];
  repro16::trainer = argv[2];
  return RUN_ALL_TESTS();
}
