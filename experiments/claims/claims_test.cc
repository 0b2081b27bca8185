#include "experiments/claims/claims.h"

#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/io/file.h"
#include "engine/io/proto_file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using report::Finding;
using testing::AllOf;
using testing::HasSubstr;

PaperClaims ReadClaims() {
  PaperClaims claims;
  const absl::Status status =
      ReadTextProto("experiments/claims/claims.textproto", &claims);
  EXPECT_TRUE(status.ok()) << status;
  return claims;
}

void AddReading(const std::string& id, report::Verdict verdict,
                ClaimSection* section) {
  PaperClaim* claim = section->add_claims();
  claim->set_id(id);
  claim->set_subject("subject of " + id);
  claim->set_quote("quote");
  claim->set_place("section 9");
  claim->set_confirm("this");
  claim->set_refute("that");
  claim->mutable_reading()->set_verdict(verdict);
  claim->mutable_reading()->set_found("found of " + id);
}

// One of each kind that needs no report.
PaperClaims MadeUpClaims() {
  PaperClaims claims;
  ClaimSection* section = claims.add_sections();
  section->set_title("Section 9");
  AddReading("agrees", report::VERDICT_MATCH, section);
  AddReading("contradicts", report::VERDICT_DIFFER, section);
  AddReading("open", report::VERDICT_NONE, section);
  AddReading("unmeasured", report::VERDICT_NONE, section);
  section->mutable_claims(3)->mutable_not_measured()->set_reason("No device.");
  return claims;
}

absl::StatusOr<Analysis> Make(const PaperClaims& claims,
                              const std::vector<Golden>& goldens = {}) {
  const auto evidence = Evidence::Create("lite", {}, {}, goldens, std::nullopt);
  EXPECT_TRUE(evidence.ok()) << evidence.status();
  return MakeClaims(claims, *evidence);
}

TEST(ClaimsTextTest, EveryClaimIsComplete) {
  const PaperClaims claims = ReadClaims();
  EXPECT_TRUE(CheckClaims(claims).ok()) << CheckClaims(claims);
  for (const ClaimSection& section : claims.sections()) {
    EXPECT_NE(section.title(), "");
    for (const PaperClaim& claim : section.claims()) {
      EXPECT_LE(claim.quote().size(), 120u) << claim.id();
      EXPECT_NE(claim.held_against_case(), PaperClaim::HELD_AGAINST_NOT_SET)
          << claim.id();
    }
  }
}

TEST(ClaimsTextTest, EveryExperimentJudgesSomething) {
  const PaperClaims claims = ReadClaims();
  std::set<std::string> unused(claims.experiments().begin(),
                               claims.experiments().end());
  EXPECT_EQ(static_cast<int>(unused.size()), claims.experiments_size());
  for (const ClaimSection& section : claims.sections()) {
    for (const PaperClaim& claim : section.claims()) {
      for (const Measured::Source& source : claim.measured().sources()) {
        unused.erase(source.experiment());
      }
    }
  }
  EXPECT_THAT(unused, testing::IsEmpty());
}

TEST(ClaimsTest, WithoutAnyReportEveryMeasuredClaimReadsNotRun) {
  PaperClaims claims = ReadClaims();
  int measured = 0;
  for (ClaimSection& section : *claims.mutable_sections()) {
    section.clear_derived_of();
    for (PaperClaim& claim : *section.mutable_claims()) {
      measured += claim.has_measured();
      if (claim.has_derived()) claim.mutable_reading();
    }
  }
  const auto evidence = Evidence::Create(
      "lite", {claims.experiments().begin(), claims.experiments().end()}, {},
      {}, std::nullopt);
  ASSERT_TRUE(evidence.ok()) << evidence.status();
  const auto analysis = MakeClaims(claims, *evidence);
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  int not_run = 0;
  for (const auto& e : analysis->report.expectations()) {
    not_run += e.verdict() == report::VERDICT_NOT_RUN;
  }
  EXPECT_GT(measured, 0);
  EXPECT_EQ(not_run, measured);
}

TEST(ClaimsTest, SummaryCountsEachKind) {
  const auto analysis = Make(MadeUpClaims());
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  EXPECT_EQ(analysis->report.summary(0),
            "Statements: 4. 1 match, 1 differ, 0 inconclusive, 0 not judged at "
            "lite scale, 0 not run, 1 not measured here, 1 left open by the "
            "paper.");
}

TEST(ClaimsTest, TableTellsQuoteAndWhatWouldDecide) {
  const auto analysis = Make(MadeUpClaims());
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  ASSERT_EQ(analysis->report.tables_size(), 1);
  const report::Table& table = analysis->report.tables(0);
  EXPECT_EQ(table.title(), "Section 9");
  ASSERT_EQ(table.rows_size(), 4);
  const report::Row& row = table.rows(1);
  ASSERT_EQ(row.cells_size(), table.columns_size());
  EXPECT_EQ(row.cells(0).text(), "“quote”");
  EXPECT_EQ(row.cells(0).note(), "subject of contradicts; section 9");
  EXPECT_EQ(row.cells(1).text(), "this");
  EXPECT_EQ(row.cells(2).text(), "that");
  EXPECT_EQ(row.cells(3).text(), "found of contradicts");
  EXPECT_EQ(row.cells(3).verdict(), report::VERDICT_DIFFER);
}

TEST(ClaimsTest, FindingsTellWhatContradictsAndWhatAgrees) {
  const auto analysis = Make(MadeUpClaims());
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  ASSERT_EQ(analysis->report.findings_size(), 2);
  const Finding& contradiction = analysis->report.findings(0);
  EXPECT_EQ(contradiction.kind(), Finding::CONTRADICTION);
  EXPECT_EQ(contradiction.title(), "subject of contradicts");
  EXPECT_THAT(contradiction.text(), HasSubstr("found of contradicts"));
  const Finding& agreement = analysis->report.findings(1);
  EXPECT_EQ(agreement.kind(), Finding::AGREEMENT);
  EXPECT_EQ(agreement.title(), "Section 9");
  EXPECT_EQ(agreement.text(), "subject of agrees.");
}

TEST(ClaimsTest, DerivedNumbersAreATableAndNoStatements) {
  Golden golden;
  golden.set_experiment("table2");
  for (const char* id : {"a", "sum", "wrong"}) {
    PaperValue* paper = golden.add_paper();
    paper->set_id(id);
    paper->set_row("row of " + paper->id());
    paper->set_value(2);
    paper->set_unit("x");
  }
  golden.mutable_paper(2)->set_value(5);
  for (const char* id : {"sum", "wrong"}) {
    ArithmeticCheck* check = golden.add_checks();
    check->set_result(id);
    check->set_operation(ArithmeticCheck::SUM);
    check->add_operands("a");
  }
  golden.mutable_checks(1)->set_contradiction("It is 2.");
  PaperClaims claims = MadeUpClaims();
  claims.add_sections()->set_derived_of("table2");
  const auto analysis = Make(claims, {golden});
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  const report::Report& report = analysis->report;
  EXPECT_EQ(report.expectations_size(), 4);
  ASSERT_EQ(report.tables_size(), 2);
  const report::Table& table = report.tables(1);
  EXPECT_EQ(table.rows(0).cells(1).text(), "2 x");
  EXPECT_EQ(table.rows(0).cells(2).verdict(), report::VERDICT_MATCH);
  EXPECT_EQ(table.rows(1).cells(2).text(), "does not follow");
  EXPECT_EQ(table.rows(1).cells(2).verdict(), report::VERDICT_DIFFER);
  EXPECT_THAT(report.summary(0), HasSubstr("Statements: 4. 1 match, 1 differ"));
  EXPECT_THAT(report.summary(1), HasSubstr("1 follow, 1 do not."));
}

TEST(ClaimsTest, EvidenceCountsOnce) {
  PaperClaims claims = MadeUpClaims();
  PaperClaim* again = claims.mutable_sections(0)->add_claims();
  *again = claims.sections(0).claims(0);
  again->set_id("agrees_again");
  again->set_again_of("agrees");
  const auto analysis = Make(claims);
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  EXPECT_THAT(analysis->report.summary(0),
              AllOf(HasSubstr("Statements: 4. 1 match"),
                    HasSubstr("Not counted: 1 whose evidence")));
  again->set_again_of("later");
  EXPECT_THAT(std::string(CheckClaims(claims).message()),
              HasSubstr("again_of \"later\" is no claim before it"));
}

TEST(ClaimsTest, IncompleteClaimsAreRefusedByName) {
  PaperClaims claims = MadeUpClaims();
  claims.mutable_sections(0)->mutable_claims(1)->clear_refute();
  EXPECT_THAT(std::string(CheckClaims(claims).message()),
              AllOf(HasSubstr("\"contradicts\""), HasSubstr("refute")));
  claims = MadeUpClaims();
  claims.mutable_sections(0)->mutable_claims(1)->set_id("agrees");
  EXPECT_THAT(std::string(CheckClaims(claims).message()),
              AllOf(HasSubstr("\"agrees\""), HasSubstr("twice")));
  EXPECT_FALSE(CheckClaims(PaperClaims()).ok());
}

// Writes claims and a report of one experiment; their paths.
AnalysisInputs WriteInputs(const std::string& report_name) {
  const std::string folder = testing::TempDir();
  AnalysisInputs inputs;
  inputs.scale = "lite";
  PaperClaims claims;
  claims.add_experiments("fig1");
  ClaimSection* section = claims.add_sections();
  section->set_title("Section 9");
  AddReading("c", report::VERDICT_NONE, section);
  Measured::Source* source =
      section->mutable_claims(0)->mutable_measured()->add_sources();
  source->set_experiment("fig1");
  source->add_ids("a");
  report::Report report;
  report.set_experiment("fig1");
  report.set_scale("lite");
  report::Expectation* e = report.add_expectations();
  e->set_id("a");
  e->set_verdict(report::VERDICT_MATCH);
  inputs.files = {absl::StrCat(folder, "/claims.textproto"),
                  absl::StrCat(folder, "/", report_name)};
  EXPECT_TRUE(WriteTextProto(inputs.files[0], claims).ok());
  EXPECT_TRUE(WriteBinaryProto(inputs.files[1], report).ok());
  return inputs;
}

TEST(AnalyseClaimsTest, TellsFilesApartByName) {
  const auto analysis = AnalyseClaims(WriteInputs("report.pb"), Golden());
  ASSERT_TRUE(analysis.ok()) << analysis.status();
  ASSERT_EQ(analysis->report.expectations_size(), 1);
  EXPECT_EQ(analysis->report.expectations(0).verdict(), report::VERDICT_MATCH);
}

TEST(AnalyseClaimsTest, RefusesWhatItCannotRead) {
  EXPECT_THAT(
      std::string(
          AnalyseClaims(WriteInputs("other.pb"), Golden()).status().message()),
      HasSubstr("other.pb"));
  // A report where the cost model should be fails the seal.
  EXPECT_THAT(
      std::string(AnalyseClaims(WriteInputs("cost_model_rtx.pb"), Golden())
                      .status()
                      .message()),
      HasSubstr("cost_model_rtx.pb"));
  EXPECT_FALSE(AnalyseClaims({"lite", {}, {}}, Golden()).ok());
}

}  // namespace
}  // namespace repro16
