#include "experiments/claims/evidence.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using report::Expectation;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr auto kMatch = report::VERDICT_MATCH;
constexpr auto kDiffer = report::VERDICT_DIFFER;
constexpr auto kInconclusive = report::VERDICT_INCONCLUSIVE;
constexpr auto kNotJudged = report::VERDICT_NOT_JUDGED_AT_THIS_SCALE;
constexpr auto kNotRun = report::VERDICT_NOT_RUN;

const std::vector<std::string> kExperiments = {"fig1", "table1", "table2"};

report::Report MadeUpReport(
    const std::string& experiment,
    const std::vector<std::pair<std::string, report::Verdict>>& verdicts) {
  report::Report report;
  report.set_experiment(experiment);
  report.set_scale("lite");
  report.mutable_provenance()->set_numerics_version(1);
  for (const auto& [id, verdict] : verdicts) {
    Expectation* e = report.add_expectations();
    e->set_id(id);
    e->set_what("what of " + id);
    e->set_ours_text("ours of " + id);
    e->set_verdict(verdict);
  }
  return report;
}

PaperClaim MadeUpClaim() {
  PaperClaim claim;
  claim.set_id("c");
  claim.set_subject("Some subject");
  claim.set_quote("some words");
  claim.set_place("section 9");
  return claim;
}

PaperClaim ClaimOf(const std::string& experiment,
                   const std::vector<std::string>& ids) {
  PaperClaim claim = MadeUpClaim();
  Measured::Source* source = claim.mutable_measured()->add_sources();
  source->set_experiment(experiment);
  source->mutable_ids()->Assign(ids.begin(), ids.end());
  return claim;
}

absl::StatusOr<Expectation> Judge(
    const std::vector<report::Report>& reports, const PaperClaim& claim,
    const std::string& scale = "lite", const std::vector<Golden>& goldens = {},
    std::optional<CostModelReport> cost_model = std::nullopt) {
  const absl::StatusOr<Evidence> evidence =
      Evidence::Create(scale, kExperiments, reports, goldens, cost_model);
  if (!evidence.ok()) return evidence.status();
  return evidence->Judge(claim);
}

// Of three sources with these verdicts.
report::Verdict VerdictOf(report::Verdict a, report::Verdict b,
                          report::Verdict c) {
  return Judge({MadeUpReport("fig1", {{"a", a}, {"b", b}, {"c", c}})},
               ClaimOf("fig1", {"a", "b", "c"}))
      ->verdict();
}

TEST(EvidenceTest, TakesOverNumbersAndVerdictOfItsSource) {
  report::Report report = MadeUpReport("fig1", {{"a", kDiffer}});
  Expectation* source = report.mutable_expectations(0);
  source->clear_ours_text();
  source->mutable_ours()->set_mean(0.25);
  source->set_paper_value(7);
  source->set_difference(-6.75);
  source->set_margin(0.5);
  source->set_unit("points");
  source->set_note("Three seeds.");
  const auto e = Judge({report}, ClaimOf("fig1", {"a"}));
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->id(), "c");
  EXPECT_EQ(e->what(), "Some subject");
  EXPECT_EQ(e->place(), "section 9");
  EXPECT_EQ(e->paper_text(), "“some words”");
  EXPECT_FALSE(e->has_paper_value());
  EXPECT_EQ(e->ours().mean(), 0.25);
  EXPECT_EQ(e->difference(), -6.75);
  EXPECT_EQ(e->margin(), 0.5);
  EXPECT_EQ(e->unit(), "points");
  EXPECT_EQ(e->note(), "By fig1, a. Three seeds.");
  EXPECT_EQ(e->verdict(), kDiffer);
}

TEST(EvidenceTest, SeveralSourcesMatchWhenAllDoAndDifferWhenOneDoes) {
  EXPECT_EQ(VerdictOf(kMatch, kMatch, kMatch), kMatch);
  EXPECT_EQ(VerdictOf(kInconclusive, kMatch, kDiffer), kDiffer);
  EXPECT_EQ(VerdictOf(kNotRun, kNotJudged, kDiffer), kDiffer);
  EXPECT_EQ(VerdictOf(kNotRun, kMatch, kInconclusive), kInconclusive);
  EXPECT_EQ(VerdictOf(kNotRun, kNotJudged, kMatch), kNotJudged);
  EXPECT_EQ(VerdictOf(kMatch, kNotRun, kMatch), kInconclusive);
  EXPECT_EQ(VerdictOf(kNotRun, kNotRun, kNotRun), kNotRun);
  EXPECT_EQ(VerdictOf(kMatch, report::VERDICT_NONE, kMatch),
            report::VERDICT_NONE);
}

TEST(EvidenceTest, TellsHowManySourcesDecideAndNamesThem) {
  const auto e = Judge(
      {MadeUpReport("fig1", {{"a", kDiffer}, {"b", kMatch}, {"d", kDiffer}})},
      ClaimOf("fig1", {"a", "b", "d"}));
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->ours_text(),
            "2 of 3 differ: what of a: ours of a; what of d: ours of d");
}

TEST(EvidenceTest, TellsWhatWasNotRun) {
  const auto e = Judge({MadeUpReport("fig1", {{"a", kMatch}, {"b", kNotRun}})},
                       ClaimOf("fig1", {"a", "b"}));
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->verdict(), kInconclusive);
  EXPECT_EQ(e->ours_text(), "1 of 2 match, 1 not run: what of a: ours of a");
}

TEST(EvidenceTest, ClaimMayRestOnSeveralExperiments) {
  PaperClaim claim = ClaimOf("fig1", {"a"});
  *claim.mutable_measured()->add_sources() =
      ClaimOf("table2", {"b"}).measured().sources(0);
  const auto e = Judge({MadeUpReport("fig1", {{"a", kMatch}}),
                        MadeUpReport("table2", {{"b", kDiffer}})},
                       claim);
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->verdict(), kDiffer);
  EXPECT_THAT(e->note(), HasSubstr("fig1, a; table2, b"));
}

TEST(EvidenceTest, MissingIdIsAnErrorThatNamesClaimExperimentAndId) {
  const auto e =
      Judge({MadeUpReport("fig1", {{"a", kMatch}})}, ClaimOf("fig1", {"b"}));
  EXPECT_THAT(
      std::string(e.status().message()),
      AllOf(HasSubstr("claim \"c\""), HasSubstr("fig1"), HasSubstr("\"b\"")));
}

TEST(EvidenceTest, UnknownExperimentIsAnError) {
  const auto e = Judge({}, ClaimOf("fig9", {"a"}));
  EXPECT_THAT(std::string(e.status().message()), HasSubstr("\"fig9\""));
  EXPECT_THAT(
      std::string(
          Judge({MadeUpReport("fig9", {})}, MadeUpClaim()).status().message()),
      HasSubstr("report of fig9"));
}

TEST(EvidenceTest, WhatIsHeldAgainstNothingIsAnError) {
  EXPECT_THAT(std::string(Judge({}, MadeUpClaim()).status().message()),
              HasSubstr("held against"));
  PaperClaim claim = MadeUpClaim();
  claim.mutable_measured();
  EXPECT_THAT(std::string(Judge({}, claim).status().message()),
              HasSubstr("names nothing"));
}

TEST(EvidenceTest, WithoutAReportOrWithoutRunsItReadsNotRun) {
  const PaperClaim claim = ClaimOf("fig1", {"a"});
  for (const auto& reports : std::vector<std::vector<report::Report>>{
           {},
           {MadeUpReport("fig1", {})},
           {MadeUpReport("fig1", {{"paper", kNotRun}})}}) {
    const auto e = Judge(reports, claim);
    ASSERT_TRUE(e.ok()) << e.status();
    EXPECT_EQ(e->verdict(), kNotRun);
    EXPECT_EQ(e->ours_text(), "");
  }
}

TEST(EvidenceTest, ReportsOfTwoScalesAreRefused) {
  report::Report smoke = MadeUpReport("table2", {});
  smoke.set_scale("smoke");
  const auto e = Judge({MadeUpReport("fig1", {}), smoke}, MadeUpClaim());
  EXPECT_THAT(std::string(e.status().message()),
              AllOf(HasSubstr("table2"), HasSubstr("\"smoke\""),
                    HasSubstr("\"lite\"")));
}

TEST(EvidenceTest, ReportsOfTwoNumericsVersionsAreRefused) {
  report::Report other = MadeUpReport("table2", {});
  other.mutable_provenance()->set_numerics_version(2);
  const auto e = Judge({MadeUpReport("fig1", {}), other}, MadeUpClaim());
  EXPECT_THAT(std::string(e.status().message()),
              AllOf(HasSubstr("report of table2"), HasSubstr("version 2"),
                    HasSubstr("version 1")));
}

TEST(EvidenceTest, ReportWithoutRunsHasNoNumericsVersionToRefuse) {
  report::Report none = MadeUpReport("table1", {});
  none.mutable_provenance()->set_numerics_version(0);
  const auto e = Judge({none, MadeUpReport("fig1", {{"a", kMatch}})},
                       ClaimOf("fig1", {"a"}));
  ASSERT_TRUE(e.ok()) << e.status();
}

TEST(EvidenceTest, TwoReportsOfOneExperimentAreRefused) {
  const auto e = Judge({MadeUpReport("fig1", {}), MadeUpReport("fig1", {})},
                       MadeUpClaim());
  EXPECT_THAT(std::string(e.status().message()),
              AllOf(HasSubstr("fig1"), HasSubstr("two")));
}

TEST(EvidenceTest, WhatAToolkitAnswersIsShownBeyondSmokeScale) {
  report::Report report = MadeUpReport("table1", {{"a", kMatch}});
  report.mutable_provenance()->set_toolkit("ptxas 1");
  EXPECT_EQ(Judge({report}, ClaimOf("table1", {"a"}))->verdict(), kMatch);
  report.set_scale("smoke");
  EXPECT_EQ(Judge({report}, ClaimOf("table1", {"a"}), "smoke")->verdict(),
            kNotJudged);
  EXPECT_FALSE(Judge({report}, ClaimOf("table1", {"b"}), "smoke").ok());
}

TEST(EvidenceTest, CellsOfATable) {
  report::Report report = MadeUpReport("table2", {{"a", kMatch}});
  report::Table* table = report.add_tables();
  table->set_title("Sizes");
  table->add_columns()->set_title("network");
  table->add_columns()->set_title("ratio");
  const auto add = [table](const char* name, const char* text,
                           report::Verdict verdict) {
    report::Row* row = table->add_rows();
    row->add_cells()->set_text(name);
    report::Cell* cell = row->add_cells();
    cell->set_text(text);
    cell->set_verdict(verdict);
  };
  add("one", "0.50", kMatch);
  add("two", "0.60", kDiffer);
  add("three", "not run", report::VERDICT_NONE);
  PaperClaim claim = MadeUpClaim();
  Measured::Cells* cells = claim.mutable_measured()->add_cells();
  cells->set_experiment("table2");
  cells->set_table("Sizes");
  cells->set_column("ratio");
  cells->add_rows("one");
  EXPECT_EQ(Judge({report}, claim)->verdict(), kMatch);
  EXPECT_EQ(Judge({report}, claim)->ours_text(), "0.50");
  cells->add_rows("three");
  EXPECT_EQ(Judge({report}, claim)->verdict(), kInconclusive);
  cells->add_rows("two");
  EXPECT_EQ(Judge({report}, claim)->verdict(), kDiffer);
  EXPECT_EQ(Judge({report}, claim)->ours_text(),
            "1 of 3 differ, 1 not run: two, ratio: 0.60");
  cells->add_rows("four");
  EXPECT_THAT(std::string(Judge({report}, claim).status().message()),
              HasSubstr("row \"four\""));
  cells->set_column("size");
  EXPECT_THAT(std::string(Judge({report}, claim).status().message()),
              HasSubstr("column \"size\""));
  cells->set_table("Times");
  EXPECT_THAT(std::string(Judge({report}, claim).status().message()),
              HasSubstr("table \"Times\""));
}

TEST(EvidenceTest, EvidenceThatAnotherHasIsNotCountedAgain) {
  const report::Report report = MadeUpReport("fig1", {{"a", kMatch}});
  PaperClaim claim = ClaimOf("fig1", {"a"});
  EXPECT_FALSE(Judge({report}, claim)->uncounted());
  claim.set_again_of("other");
  const auto again = Judge({report}, claim);
  EXPECT_TRUE(again->uncounted());
  EXPECT_EQ(again->verdict(), kMatch);
  EXPECT_THAT(again->note(), HasSubstr("The evidence of \"other\""));
}

TEST(EvidenceTest, FactsAreNotCounted) {
  report::Report report = MadeUpReport("fig1", {{"a", kMatch}, {"b", kMatch}});
  const PaperClaim claim = ClaimOf("fig1", {"a", "b"});
  report.mutable_expectations(0)->set_uncounted(true);
  EXPECT_FALSE(Judge({report}, claim)->uncounted());
  report.mutable_expectations(1)->set_uncounted(true);
  EXPECT_TRUE(Judge({report}, claim)->uncounted());
}

// A golden file whose "ratio" is printed as `printed`, over 12 / 4.
Golden MadeUpGolden(double printed, const std::string& contradiction) {
  Golden golden;
  golden.set_experiment("table2");
  for (const auto& [id, value] :
       {std::pair{"a", 12.0}, {"b", 4.0}, {"ratio", printed}}) {
    PaperValue* paper = golden.add_paper();
    paper->set_id(id);
    paper->set_value(value);
  }
  ArithmeticCheck* check = golden.add_checks();
  check->set_result("ratio");
  check->set_operation(ArithmeticCheck::RATIO);
  check->add_operands("a");
  check->add_operands("b");
  check->set_tolerance(0.1);
  check->set_contradiction(contradiction);
  return golden;
}

TEST(EvidenceTest, NumbersThatThePaperDerives) {
  PaperClaim claim = MadeUpClaim();
  claim.mutable_derived()->set_experiment("table2");
  claim.mutable_derived()->add_results("ratio");
  const auto follows = Judge({}, claim, "lite", {MadeUpGolden(3, "")});
  ASSERT_TRUE(follows.ok()) << follows.status();
  EXPECT_EQ(follows->verdict(), kMatch);
  EXPECT_TRUE(follows->uncounted());
  EXPECT_THAT(follows->ours_text(), HasSubstr("Printed 3"));
  const auto not_so = Judge({}, claim, "lite", {MadeUpGolden(4, "It is 3.")});
  ASSERT_TRUE(not_so.ok()) << not_so.status();
  EXPECT_EQ(not_so->verdict(), kDiffer);
  EXPECT_THAT(not_so->ours_text(), HasSubstr("It is 3."));
  EXPECT_FALSE(Judge({}, claim, "lite", {MadeUpGolden(4, "")}).ok());
  EXPECT_THAT(std::string(Judge({}, claim).status().message()),
              HasSubstr("published table of table2"));
  claim.mutable_derived()->add_results("sum");
  EXPECT_THAT(
      std::string(
          Judge({}, claim, "lite", {MadeUpGolden(3, "")}).status().message()),
      HasSubstr("\"sum\""));
}

TEST(EvidenceTest, ReadingHasTheVerdictOfWhoRead) {
  PaperClaim claim = MadeUpClaim();
  claim.mutable_reading()->set_verdict(kDiffer);
  claim.mutable_reading()->set_found("Nine are named.");
  const auto e = Judge({}, claim);
  ASSERT_TRUE(e.ok()) << e.status();
  EXPECT_EQ(e->verdict(), kDiffer);
  EXPECT_EQ(e->ours_text(), "Nine are named.");
}

CostModelReport MadeUpCostModel() {
  CostModelReport model;
  model.set_caveat("A model, not a measurement.");
  model.set_device_name("RTX");
  model.mutable_error()->set_fp32_speedup(0.25);
  model.mutable_error()->set_mp_speedup(0.125);
  CostModelReport::Network* network = model.add_networks();
  network->set_model("vgg16");
  CostModelReport::Precision* precision = network->add_precisions();
  precision->set_name("FP16");
  precision->set_seconds(300);
  precision->set_published_seconds(377);
  network->add_precisions()->set_name("FP32 without TF32");
  return model;
}

TEST(EvidenceTest, NotMeasuredShowsThePredictionAsOne) {
  PaperClaim claim = MadeUpClaim();
  claim.mutable_not_measured()->set_reason("No such device.");
  const auto alone = Judge({}, claim, "lite", {}, MadeUpCostModel());
  ASSERT_TRUE(alone.ok()) << alone.status();
  EXPECT_EQ(alone->verdict(), report::VERDICT_NONE);
  EXPECT_EQ(alone->ours_text(), "not measured");
  EXPECT_EQ(alone->note(), "No such device.");

  claim.mutable_not_measured()->set_network("vgg16");
  const auto one = Judge({}, claim, "lite", {}, MadeUpCostModel());
  ASSERT_TRUE(one.ok()) << one.status();
  EXPECT_EQ(one->ours_text(), "not measured");
  EXPECT_THAT(one->note(), AllOf(HasSubstr("FP16 300 s (published: 377 s)"),
                                 HasSubstr("A model, not a measurement."),
                                 Not(HasSubstr("TF32"))));
  EXPECT_EQ(Judge({}, claim)->note(), "No such device.");

  claim.mutable_not_measured()->set_all_networks(true);
  EXPECT_THAT(Judge({}, claim, "lite", {}, MadeUpCostModel())->note(),
              AllOf(HasSubstr("25%"), HasSubstr("12%"),
                    HasSubstr("A model, not a measurement.")));
  claim.mutable_not_measured()->set_network("vgg17");
  EXPECT_THAT(
      std::string(
          Judge({}, claim, "lite", {}, MadeUpCostModel()).status().message()),
      HasSubstr("\"vgg17\""));
}

}  // namespace
}  // namespace repro16
