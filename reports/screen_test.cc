#include <algorithm>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/io/terminal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reports/render.h"
#include "reports/report_file.h"

namespace repro16 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

report::Report Read(const std::string& name) {
  absl::StatusOr<report::Report> report =
      ReadReport("reports/testdata/" + name);
  EXPECT_TRUE(report.ok()) << report.status();
  return *std::move(report);
}

int Width(std::string_view line) {
  return std::count_if(line.begin(), line.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

Terminal OfWidth(int columns) {
  Terminal terminal;
  terminal.columns = columns;
  return terminal;
}

TEST(ScreenTest, TheAnswerComesFirstAndTheTableBeforeTheStatements) {
  report::Report report = Read("report.textproto");
  report.add_answer("It is so.");
  const std::string text = RenderScreen(report, Terminal());
  EXPECT_LT(text.find("It is so."), text.find("2 match, 1 differ"));
  EXPECT_LT(text.find("2 match, 1 differ"), text.find("75.8 (76.0)"));
  EXPECT_LT(text.find("75.8 (76.0)"), text.find("Largest single error"));
  EXPECT_THAT(text, AllOf(HasSubstr("-3.9 (-0.3) ✗"),
                          HasSubstr("✗  Largest single error"),
                          Not(HasSubstr("[-4.9, -2.9]")),
                          Not(HasSubstr("What rounding did"))));
}

TEST(ScreenTest, AnAnswerStandsInThePlaceOfTheClaim) {
  report::Report report = Read("report.textproto");
  EXPECT_THAT(RenderScreen(report, Terminal()),
              HasSubstr("The paper, section"));
  report.add_answer("It is so.");
  EXPECT_THAT(RenderScreen(report, Terminal()),
              Not(HasSubstr("The paper, section")));
}

TEST(ScreenTest, FitsWhateverTheReportHas) {
  report::Report report = Read("wide.textproto");
  for (int i = 0; i < 60; ++i) {
    report::Expectation& statement = *report.add_expectations();
    statement.set_id(absl::StrCat("more", i));
    statement.set_what(std::string(40, 'w') + " and words that are cut off");
    statement.set_paper_text("a text that is too long for the column");
  }
  for (const int columns : {100, 120, 200}) {
    const std::string text = RenderScreen(report, OfWidth(columns));
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 40);
    for (std::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(Width(line), 100) << line;
    }
  }
  for (std::string_view line :
       absl::StrSplit(RenderScreen(report, OfWidth(40)), '\n')) {
    EXPECT_LE(Width(line), 40) << line;
  }
}

TEST(ScreenTest, ATableThatIsCutSaysSo) {
  report::Report report = Read("report.textproto");
  report::Table& table = *report.mutable_tables(0);
  while (table.rows_size() < 40) *table.add_rows() = table.rows(0);
  EXPECT_THAT(RenderScreen(report, Terminal()),
              HasSubstr(" of 40 rows; the page has all."));
  // Of less than half nobody learns much.
  while (table.rows_size() < 90) *table.add_rows() = table.rows(0);
  EXPECT_THAT(RenderScreen(report, Terminal()),
              AllOf(Not(HasSubstr(" of 90 rows")), Not(HasSubstr("AlexNet")),
                    HasSubstr("Largest single error")));
}

TEST(ScreenTest, OfManyStatementsTheFirstAreShown) {
  report::Report report = Read("report.textproto");
  report.clear_tables();
  while (report.expectations_size() < 90) {
    report::Expectation& statement = *report.add_expectations();
    statement.set_id(absl::StrCat("more", report.expectations_size()));
    statement.set_verdict(report::VERDICT_MATCH);
  }
  EXPECT_THAT(
      RenderScreen(report, Terminal()),
      AllOf(HasSubstr(" of 90 rows; the page has all."),
            HasSubstr("✗  Largest single error"), Not(HasSubstr("Outliers"))));
}

TEST(ScreenTest, FactsAreLeftToThePage) {
  report::Report report = Read("report.textproto");
  report.mutable_expectations(2)->set_uncounted(true);
  EXPECT_THAT(RenderScreen(report, Terminal()),
              Not(HasSubstr("Largest single error")));
}

// ---- The order of the whole -------------------------------------------------

TEST(OrderTest, WhatIsAskedComesBeforeWhatItIsMadeFrom) {
  report::Report report = Read("report.textproto");
  report.add_answer("It is so.");
  report.mutable_expectations(2)->set_uncounted(true);  // the one that differs
  report::Table& second = *report.add_tables();
  second.set_title("The paper's own");
  second.set_main(true);
  report.add_runs()->set_run("mlp FP16 seed=1");
  const std::string text = RenderMarkdown(report, {});
  size_t last = 0;
  for (const char* part :
       {"It is so.", "**2 match", "The paper's own", "How far apart the two",
        "A network of 535,818", "Mean of the error", "Shown and not counted",
        "Largest single error", "More tables", "Test accuracy after the last",
        "Networks named two ways", "What rounding did", "Time of each run",
        "Provenance"}) {
    const size_t found = text.find(part);
    ASSERT_NE(found, std::string::npos) << part;
    EXPECT_GT(found, last) << part;
    last = found;
  }
}

TEST(OrderTest, WithoutAnAnswerTheSummaryOpens) {
  const std::string text = RenderMarkdown(Read("report.textproto"), {});
  EXPECT_LT(text.find("A network of 535,818"),
            text.find("Test accuracy after the last"));
}

TEST(OrderTest, TimesOfRunsAreAddedUpAndFolded) {
  report::Report report = Read("report.textproto");
  for (int i = 0; i < 2; ++i) {
    report::RunTime& run = *report.add_runs();
    run.set_run(absl::StrCat("mlp FP16 seed=", i + 1));
    run.set_train_seconds(3500);
    run.set_evaluate_seconds(100);
  }
  const std::string page = RenderHtml(report, {});
  EXPECT_THAT(page, AllOf(HasSubstr("2 runs with one thread each: 2.00 "
                                    "core-hours together"),
                          HasSubstr("<details><summary>2 rows</summary>"),
                          HasSubstr("mlp FP16 seed=2")));
  EXPECT_THAT(RenderTerminal(report, Terminal()),
              AllOf(HasSubstr("2.00 core-hours"), Not(HasSubstr("seed=2  "))));
  report.mutable_runs(1)->set_partial(true);
  EXPECT_THAT(RenderHtml(report, {}),
              AllOf(HasSubstr("more than 2.00"), HasSubstr("its last part")));
}

}  // namespace
}  // namespace repro16
