#include "reports/golden.h"

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "google/protobuf/text_format.h"
#include "gtest/gtest.h"
#include "reports/paper_values.h"
#include "reports/report_file.h"

namespace repro16 {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr char kFile[] = "reports/testdata/golden.textproto";

RunResult FixtureRun(uint64_t seed) {
  RunResult run;
  run.mutable_spec()->set_model("mlp");
  run.mutable_spec()->set_policy("FP16");
  run.mutable_spec()->set_scale("lite");
  run.mutable_spec()->set_seed(seed);
  run.mutable_spec()->set_epochs(2);
  run.mutable_spec()->set_batch_size(128);
  run.mutable_spec()->mutable_data()->set_dataset("synthetic_mnist");
  run.mutable_spec()->mutable_data()->set_train_examples(1024);
  auto& sgd = *run.mutable_spec()->mutable_optimizer()->mutable_sgd();
  sgd.set_learning_rate(0.01);
  sgd.set_momentum(0.9);
  run.set_weights_sha256(std::string(64, 'a'));
  run.set_data_digest("d1");
  run.set_parameter_count(535818);
  for (const double loss : {1.5, 0.1}) {
    EpochResult& epoch = *run.add_epochs();
    epoch.set_train_loss(loss);
    epoch.set_train_accuracy(0.75);
    epoch.set_test_accuracy(0.5);
  }
  return run;
}

constexpr char kRunName[] =
    "mlp FP16 sgd(0.01, 0.9) synthetic_mnist[1024/all] epochs=2 batch=128 "
    "seed=1";

class GoldenTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<Golden> golden = ReadGolden(kFile);
    ASSERT_TRUE(golden.ok()) << golden.status();
    golden_ = *golden;
    absl::StatusOr<report::Report> report =
        ReadReport("reports/testdata/report.textproto");
    ASSERT_TRUE(report.ok()) << report.status();
    report_ = *report;
    runs_ = {FixtureRun(1), FixtureRun(2)};
    SetScale(ScaleGoldenOf(report_, GoldenProvenance()), golden_);
    SetScale(ScaleGoldenOf(runs_, GoldenProvenance()), bits_);
  }

  // Of the report, then of the runs.
  std::vector<std::string> Differences() {
    std::vector<std::string> lines;
    for (const auto& differences : {CompareWithGolden(golden_, report_),
                                    CompareWithGolden(bits_, runs_)}) {
      EXPECT_TRUE(differences.ok()) << differences.status();
      if (!differences.ok()) return lines;
      for (const GoldenDifference& d : *differences) {
        lines.push_back(ToString(d));
      }
    }
    return lines;
  }

  Golden golden_;
  Golden bits_;
  report::Report report_;
  std::vector<RunResult> runs_;
};

TEST_F(GoldenTest, EqualRunsDoNotDiffer) {
  EXPECT_THAT(Differences(), IsEmpty());
}

TEST_F(GoldenTest, OneDigitOfTheWeightsIsNamed) {
  std::string weights(64, 'a');
  weights[63] = 'b';
  runs_[0].set_weights_sha256(weights);
  EXPECT_THAT(Differences(),
              ElementsAre(std::string(kRunName) + ": weights_sha256: golden " +
                          std::string(64, 'a') + ", measured " + weights));
}

TEST_F(GoldenTest, LastBitOfALossIsNamed) {
  runs_[0].mutable_epochs(1)->set_train_loss(
      std::nextafter(0.1, std::numeric_limits<double>::infinity()));
  EXPECT_THAT(Differences(),
              ElementsAre(std::string(kRunName) +
                          ": train_loss: golden 0x1.999999999999ap-4, "
                          "measured 0x1.999999999999bp-4"));
}

TEST_F(GoldenTest, MissingAndNewRunsAreNamed) {
  runs_[0].mutable_spec()->set_seed(3);
  const std::string name = kRunName;
  const std::string stem = name.substr(0, name.size() - 1);
  EXPECT_THAT(Differences(),
              ElementsAre(stem + "1: run: golden present, measured absent",
                          stem + "3: run: golden absent, measured present"));
}

TEST_F(GoldenTest, VerdictAndMeanOfTheReportAreHeld) {
  report_.mutable_expectations(1)->set_verdict(report::VERDICT_DIFFER);
  report_.mutable_expectations(3)->mutable_ours()->set_mean(121.5);
  EXPECT_THAT(
      Differences(),
      ElementsAre("report: accuracy verdict: golden VERDICT_MATCH, measured "
                  "VERDICT_DIFFER",
                  "report: ratio mean: golden 0x1.e59999999999ap+6, measured "
                  "0x1.e6p+6"));
}

TEST_F(GoldenTest, GoldenValuesOfAnotherExperimentAreNamed) {
  report_.set_experiment("fig9");
  EXPECT_THAT(Differences(),
              ElementsAre("report: experiment: golden fixture, measured fig9"));
}

TEST_F(GoldenTest, OtherScaleOrVersionIsAnError) {
  report_.set_scale("paper");
  EXPECT_EQ(CompareWithGolden(golden_, report_).status().code(),
            absl::StatusCode::kNotFound);
  report_.set_scale("lite");
  report_.mutable_provenance()->set_numerics_version(2);
  EXPECT_EQ(CompareWithGolden(golden_, report_).status().code(),
            absl::StatusCode::kFailedPrecondition);
  for (RunResult& run : runs_) run.set_numerics_version(2);
  EXPECT_EQ(CompareWithGolden(bits_, runs_).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(GoldenTest, AnotherToolkitOrNoneHasNothingToCompare) {
  report_.mutable_provenance()->set_toolkit("ptxas 13.0.88");
  SetScale(ScaleGoldenOf(report_, GoldenProvenance()), golden_);
  EXPECT_THAT(Differences(), IsEmpty());
  EXPECT_THAT(GoldenLine(golden_, "lite"), HasSubstr("lite, ptxas 13.0.88, "));
  for (const char* toolkit : {"ptxas 12.8.61", "none"}) {
    report_.mutable_provenance()->set_toolkit(toolkit);
    EXPECT_EQ(CompareWithGolden(golden_, report_).status().code(),
              absl::StatusCode::kUnavailable);
  }
}

TEST_F(GoldenTest, TwoRunsOfOneSpecificationAreAnError) {
  runs_[1] = runs_[0];
  EXPECT_EQ(CompareWithGolden(bits_, runs_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(GoldenTest, PrintedFileReadsBackAndKeepsWhatPeopleWrote) {
  const std::string people =
      "# first\nexperiment: \"x\"\n# second\npaper { id: \"a\" }\n";
  *golden_.mutable_scales(0)->mutable_runs() = bits_.scales(0).runs();
  const std::string text = PrintGolden(golden_, people + "scales {\n}\n");
  EXPECT_THAT(text, testing::StartsWith(people + "scales {\n  scale: "));
  EXPECT_THAT(text, HasSubstr("\n  values { id: \"accuracy\" mean: "));
  EXPECT_EQ(PrintGolden(golden_, text), text);
  const absl::StatusOr<Golden> again = ParseGolden(text, "again");
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->scales(0).SerializeAsString(),
            golden_.scales(0).SerializeAsString());
}

TEST_F(GoldenTest, NonFiniteLossesAreExactToo) {
  runs_[0].mutable_epochs(1)->set_train_loss(
      std::numeric_limits<double>::quiet_NaN());
  SetScale(ScaleGoldenOf(runs_, GoldenProvenance()), bits_);
  EXPECT_THAT(Differences(), IsEmpty());
  EXPECT_TRUE(ParseGolden(PrintGolden(bits_, ""), "again").ok());
}

// ---- Bad files --------------------------------------------------------------

std::string ErrorOf(const std::string& text) {
  const absl::StatusOr<Golden> golden = ParseGolden(text, "g.textproto");
  return golden.ok() ? "no error" : std::string(golden.status().message());
}

TEST(BadGoldenTest, UnknownFieldIsNamedWithItsLine) {
  const std::string error = ErrorOf("experiment: \"x\"\npaper { vaule: 1 }\n");
  EXPECT_THAT(error, HasSubstr("g.textproto:2:"));
  EXPECT_THAT(error, HasSubstr("vaule"));
}

TEST(BadGoldenTest, ValueOfAnotherTypeIsNamedWithItsLine) {
  const std::string error =
      ErrorOf("experiment: \"x\"\n\npaper { value: \"seventy\" }\n");
  EXPECT_THAT(error, HasSubstr("g.textproto:3:"));
  EXPECT_THAT(error, HasSubstr("seventy"));
}

TEST(BadGoldenTest, InexactNumberIsNamedWithItsLine) {
  const std::string run = R"(scales {
  scale: "lite"
  runs {
    run: "r"
    weights_sha256: ")" + std::string(64, 'a') +
                          R"("
    train_loss: "0x1p+0" train_accuracy: "0x1p-1"
    test_accuracy: "0.5"
  }
})";
  EXPECT_THAT(
      ErrorOf(run),
      HasSubstr("g.textproto:7: test_accuracy \"0.5\" is not an exact"));
  EXPECT_EQ(ErrorOf(absl::StrReplaceAll(run, {{"0.5", "0x1p-1"}})), "no error");
  EXPECT_THAT(ErrorOf(absl::StrReplaceAll(run, {{"0.5", "0x1p-"}})),
              HasSubstr("test_accuracy \"0x1p-\""));
}

TEST(BadGoldenTest, RepeatedIdAndUnknownOperandAreNamed) {
  EXPECT_THAT(ErrorOf("paper { id: \"a\" }\npaper { id: \"a\" }"),
              HasSubstr("g.textproto:2: id \"a\" is empty or used twice"));
  EXPECT_THAT(ErrorOf("paper { id: \"a\" }\n"
                      "checks { result: \"a\"\n operands: \"b\" }"),
              HasSubstr("g.textproto:3: operands \"b\" is no id"));
  EXPECT_THAT(ErrorOf("scales { scale: \"tiny\" }"),
              HasSubstr("g.textproto:1: scale \"tiny\" is unknown"));
}

TEST(BadGoldenTest, StatementsAreFilledAndChecked) {
  const std::string first =
      "statements { id: \"a\" what: \"A\" rule: POOLED margin: 1 why: \"w\" "
      "readings: [\"FP16\", \"MP\"] }\n";
  const auto golden = ParseGolden(
      first + "statements { id: \"b\" like: \"a\" readings: \"FP16\" }", "g");
  ASSERT_TRUE(golden.ok()) << golden.status();
  const Statement& b = golden->statements(1);
  EXPECT_EQ(b.id(), "b");
  EXPECT_EQ(b.what(), "A");
  EXPECT_EQ(b.margin(), 1);
  EXPECT_THAT(b.readings(), ElementsAre("FP16"));
  EXPECT_THAT(ErrorOf("statements { id: \"b\" like: \"c\" }"),
              HasSubstr("g.textproto:1: like \"c\" is no id of a statement"));
  EXPECT_THAT(ErrorOf(first + first), HasSubstr("g.textproto:2: id \"a\""));
  EXPECT_THAT(ErrorOf("statements { id: \"b\" rule: FAMILY }"),
              HasSubstr("has no margin"));
  EXPECT_THAT(ErrorOf("statements { id: \"b\" margin: 1 }"),
              HasSubstr("has a margin without a reason; give why"));
}

// ---- The paper's values -----------------------------------------------------

TEST_F(GoldenTest, ExpectationCarriesThePaper) {
  const auto expectation = ExpectationFromPaper(golden_, "fp16", "accuracy");
  ASSERT_TRUE(expectation.ok()) << expectation.status();
  EXPECT_EQ(expectation->paper_value(), 76);
  EXPECT_EQ(expectation->place(), "table 2, row AlexNet, column FP16");
  EXPECT_EQ(ExpectationFromPaper(golden_, "fp8", "").status().code(),
            absl::StatusCode::kNotFound);
}

TEST_F(GoldenTest, ArithmeticThatHoldsIsAnAgreement) {
  const auto findings = CheckArithmetic(golden_);
  ASSERT_TRUE(findings.ok()) << findings.status();
  ASSERT_EQ(findings->size(), 1u);
  EXPECT_EQ((*findings)[0].kind(), report::Finding::AGREEMENT);
}

TEST_F(GoldenTest, ArithmeticThatFailsMustBeToldAsAContradiction) {
  golden_.mutable_paper(2)->set_value(-0.2);
  const absl::Status status = CheckArithmetic(golden_).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("accuracy is -0.2"));

  golden_.mutable_checks(0)->set_contradiction("The sign is wrong.");
  const auto findings = CheckArithmetic(golden_);
  ASSERT_TRUE(findings.ok()) << findings.status();
  EXPECT_EQ((*findings)[0].kind(), report::Finding::CONTRADICTION);
  EXPECT_THAT((*findings)[0].text(), HasSubstr("The sign is wrong."));
}

TEST_F(GoldenTest, ContradictionThatIsNoneIsAnError) {
  golden_.mutable_checks(0)->set_contradiction("The sign is wrong.");
  EXPECT_EQ(CheckArithmetic(golden_).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST_F(GoldenTest, EveryOperation) {
  const auto holds = [this](ArithmeticCheck::Operation operation,
                            double result) {
    golden_.mutable_checks(0)->set_operation(operation);
    golden_.mutable_checks(0)->set_tolerance(0);
    golden_.mutable_paper(0)->set_value(75);
    golden_.mutable_paper(1)->set_value(60);
    golden_.mutable_paper(2)->set_value(result);
    return CheckArithmetic(golden_).ok();
  };
  EXPECT_TRUE(holds(ArithmeticCheck::DIFFERENCE, 15));
  EXPECT_TRUE(holds(ArithmeticCheck::RATIO, 1.25));
  EXPECT_TRUE(holds(ArithmeticCheck::SUM, 135));
  EXPECT_TRUE(holds(ArithmeticCheck::MEAN, 67.5));
  EXPECT_TRUE(holds(ArithmeticCheck::RELATIVE_PERCENT, 25));
  EXPECT_FALSE(holds(ArithmeticCheck::RELATIVE_PERCENT, 20));
}

}  // namespace
}  // namespace repro16
