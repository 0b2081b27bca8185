#include "experiments/common/analysis_main.h"

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "engine/numerics/version.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

absl::StatusOr<Analysis> Succeed(const RunSet& runs, const Golden& golden) {
  Analysis analysis;
  analysis.report.set_experiment(golden.experiment());
  analysis.report.set_scale(runs.scale());
  return analysis;
}

absl::StatusOr<Analysis> FailACheck(const RunSet&, const Golden&) {
  Analysis analysis;
  analysis.failed_checks.push_back("a sample refutes the lemma");
  return analysis;
}

absl::StatusOr<Analysis> RefuseInput(const RunSet&, const Golden&) {
  return absl::InvalidArgumentError("no FP16 run");
}

absl::StatusOr<Analysis> ShowInputs(const AnalysisInputs& inputs,
                                    const Golden&) {
  Analysis analysis;
  analysis.report.set_scale(inputs.scale);
  for (const RunSet& set : inputs.sets) {
    analysis.report.add_summary(set.runs().front().policy());
  }
  for (const std::string& file : inputs.files) {
    analysis.report.add_summary(file);
  }
  return analysis;
}

class AnalysisMainTest : public testing::Test {
 protected:
  void SetUp() override {
    RunResult result;
    result.mutable_spec()->set_policy("FP16");
    result.mutable_spec()->set_scale("lite");
    result.set_numerics_version(kNumericsVersion);
    result.add_epochs();
    ASSERT_TRUE(WriteBinaryProto(folder_ + "result.pb", result).ok());
    result.set_numerics_version(kNumericsVersion + 1);
    ASSERT_TRUE(WriteBinaryProto(folder_ + "newer.pb", result).ok());
    ASSERT_TRUE(
        WriteFileAtomically(folder_ + "golden.textproto", "experiment: \"x\"")
            .ok());
  }

  // The exit status with all flags at their place but for `changed`.
  template <typename Function>
  int Main(Function analyse, const std::vector<std::string>& changed = {}) {
    std::vector<std::string> args = {
        "analysis",
        "--scale=lite",
        "--results=" + folder_ + "result.pb",
        "--probabilities=" + folder_ + "p.safetensors",
        "--golden=" + folder_ + "golden.textproto",
        "--out=" + out_,
    };
    args.insert(args.end(), changed.begin(), changed.end());
    std::vector<char*> argv;
    for (std::string& arg : args) argv.push_back(arg.data());
    return AnalysisMain(argv.size(), argv.data(), "", analyse);
  }

  const std::string folder_ = testing::TempDir();
  const std::string out_ =
      folder_ + testing::UnitTest::GetInstance()->current_test_info()->name() +
      ".pb";
};

// A main runs once in a process: each in a child of its own.
#define EXPECT_MAIN(call, status, error) \
  EXPECT_EXIT(std::exit(call), testing::ExitedWithCode(status), error)

TEST_F(AnalysisMainTest, WritesTheReport) {
  EXPECT_MAIN(Main(Succeed), 0, "");
  report::Report report;
  ASSERT_TRUE(ReadBinaryProto(out_, &report).ok());
  EXPECT_EQ(report.experiment(), "x");
  EXPECT_EQ(report.scale(), "lite");
}

TEST_F(AnalysisMainTest, RunsAndOtherFilesAreTakenTogether) {
  EXPECT_MAIN(Main(ShowInputs, {"--inputs=a,b"}), 0, "");
  report::Report report;
  ASSERT_TRUE(ReadBinaryProto(out_, &report).ok());
  EXPECT_EQ(report.scale(), "lite");
  ASSERT_EQ(report.summary_size(), 3);
  EXPECT_EQ(report.summary(0), "FP16");
  EXPECT_EQ(report.summary(2), "b");
}

TEST_F(AnalysisMainTest, ZeroRunsSayNotRun) {
  ASSERT_TRUE(
      WriteFileAtomically(folder_ + "golden.textproto",
                          "experiment: \"x\" paper { id: \"mean\" value: 1 }")
          .ok());
  EXPECT_MAIN(Main(Succeed, {"--results=", "--probabilities="}), 0, "");
  report::Report report;
  ASSERT_TRUE(ReadBinaryProto(out_, &report).ok());
  ASSERT_EQ(report.expectations_size(), 1);
  EXPECT_EQ(report.expectations(0).id(), "mean");
  EXPECT_EQ(report.expectations(0).verdict(), report::VERDICT_NOT_RUN);
}

TEST_F(AnalysisMainTest, AFailedCheckExitsWithOneAndNoReport) {
  EXPECT_MAIN(Main(FailACheck), 1, "^failed: a sample refutes the lemma\n$");
  EXPECT_FALSE(ReadFile(out_).ok());
}

TEST_F(AnalysisMainTest, BadInputExitsWithTwoAndNamesIt) {
  const std::pair<std::string, std::string> cases[] = {
      {"--scale=lite", "no FP16 run"},
      {"--scale=", "--scale"},
      {"--scale=paper", "scale"},
      {"--results=/nowhere/r.pb", "/nowhere/r.pb"},
      {"--results=" + folder_ + "newer.pb", "newer.pb: of numerics version"},
      {"--probabilities=", "--probabilities"},
      {"--golden=/nowhere/g.textproto", "/nowhere/g.textproto"},
      {"--out=", "--out"},
  };
  for (const auto& [changed, named] : cases) {
    const std::string one_line = "^error: [^\n]*" + named + "[^\n]*\n$";
    EXPECT_MAIN(Main(RefuseInput, {changed}), 2, one_line);
    EXPECT_FALSE(ReadFile(out_).ok());
  }
  EXPECT_MAIN(Main(Succeed, {"--out=/nowhere/report.pb"}), 2, "/nowhere");
}

}  // namespace
}  // namespace repro16
