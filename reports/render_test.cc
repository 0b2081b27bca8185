#include "reports/render.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "engine/io/ascii.h"
#include "engine/io/file.h"
#include "engine/io/terminal.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reports/format.h"
#include "reports/report_file.h"

namespace repro16 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RenderTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<report::Report> report =
        ReadReport("reports/testdata/report.textproto");
    ASSERT_TRUE(report.ok()) << report.status();
    report_ = *report;
    absl::StatusOr<std::string> svg = ReadFile("reports/fixture_chart.svg");
    ASSERT_TRUE(svg.ok()) << svg.status();
    svg_ = *svg;
  }

  report::Report report_;
  std::string svg_;
};

int Width(std::string_view line) {
  return std::count_if(line.begin(), line.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

TEST_F(RenderTest, TerminalFitsAndSaysEverything) {
  const std::string text = RenderTerminal(report_, Terminal());
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(Width(line), 120) << line;
    EXPECT_FALSE(absl::EndsWith(line, " ")) << "\"" << line << "\"";
  }
  EXPECT_THAT(text, Not(HasSubstr("\033")));
  EXPECT_THAT(
      text,
      AllOf(HasSubstr("2 match, 1 differ, 1 inconclusive, 1 not run, 1 not "
                      "judged at this scale"),
            HasSubstr("LITE SCALE"), HasSubstr("✗ differ"),
            HasSubstr("✓ match"), HasSubstr("? inconclusive"),
            HasSubstr("margin ±0.9"), HasSubstr("Not measured."),
            HasSubstr("$ bazel run //experiments/fig1"),
            HasSubstr("Contradiction: Networks named two ways")));
}

TEST_F(RenderTest, WorstComesFirst) {
  const std::string text = RenderTerminal(report_, Terminal());
  EXPECT_LT(text.find("Largest single error"), text.find("Ratio of the means"));
  EXPECT_LT(text.find("Ratio of the means"), text.find("Mean of the error"));
}

TEST_F(RenderTest, ColourChangesNothingElse) {
  Terminal coloured;
  coloured.color = true;
  std::string text = RenderTerminal(report_, coloured);
  EXPECT_THAT(text, HasSubstr("\033[1;31m✗ differ\033[0m"));
  for (size_t i; (i = text.find("\033[")) != std::string::npos;) {
    text.erase(i, text.find('m', i) - i + 1);
  }
  EXPECT_EQ(text, RenderTerminal(report_, Terminal()));
}

TEST_F(RenderTest, ReportCannotMoveTheCursor) {
  report_.set_title("a\033[2Jb");
  EXPECT_THAT(RenderTerminal(report_, Terminal()), Not(HasSubstr("\033")));
}

TEST_F(RenderTest, WideTableAndLongWordsStillFit) {
  report::Table& table = *report_.add_tables();
  report::Row& row = *table.add_rows();
  for (int i = 0; i < 9; ++i) {
    table.add_columns()->set_title("A rather long title of a column");
    row.add_cells()->set_text(std::string(64, 'f'));
  }
  const std::string text = RenderTerminal(report_, Terminal());
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(Width(line), 120) << line;
  }
}

Terminal OfWidth(int columns) {
  Terminal terminal;
  terminal.columns = columns;
  return terminal;
}

// The words of a text, whatever lines they stand on.
std::string OnOneLine(std::string_view text) {
  return absl::StrJoin(
      absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty()), " ");
}

TEST_F(RenderTest, EveryWidthFits) {
  report_.mutable_claim()->set_text(
      absl::StrCat(report_.claim().text(), " ", std::string(90, 'w')));
  for (int columns = 30; columns <= 200; ++columns) {
    const std::string text = RenderTerminal(report_, OfWidth(columns));
    for (std::string_view line : absl::StrSplit(text, '\n')) {
      ASSERT_LE(Width(line), columns) << line;
      ASSERT_FALSE(absl::EndsWith(line, " ")) << "\"" << line << "\"";
    }
    ASSERT_THAT(OnOneLine(text),
                AllOf(HasSubstr("2 match, 1 differ, 1 inconclusive"),
                      HasSubstr("Contradiction: Networks named two ways"),
                      HasSubstr("margin"), HasSubstr("✗")))
        << columns;
  }
}

TEST_F(RenderTest, AWideTerminalIsUsedByTablesAndNotByProse) {
  int widest = 0;
  for (int i = 0; i < 12; ++i) {
    report::Table& table = *report_.mutable_tables(0);
    table.add_columns()->set_title("a column more");
    for (report::Row& row : *table.mutable_rows()) {
      row.add_cells()->set_text("a value more");
    }
  }
  report_.mutable_claim()->set_text(std::string(5000, 'w'));
  const std::string text = RenderTerminal(report_, OfWidth(200));
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    widest = std::max(widest, Width(line));
    if (absl::StrContains(line, "www")) {
      EXPECT_LE(Width(line), 100);
    }
  }
  EXPECT_GT(widest, 160);
}

TEST_F(RenderTest, ALongCommandCanStillBeCopied) {
  report_.mutable_tables(0)->set_command(
      "bazel run //experiments/fig1:" + std::string(50, 'x') +
      " --//experiments:scale=lite");
  for (int columns : {30, 40, 60, 80}) {
    const std::string text = RenderTerminal(report_, OfWidth(columns));
    EXPECT_THAT(absl::StrReplaceAll(text, {{"\\\n", ""}}),
                HasSubstr("$ " + report_.tables(0).command() + "\n"));
  }
}

TEST_F(RenderTest, WithoutUnicodeAllIsAsciiAndInColumns) {
  for (int columns : {40, 60, 80, 120, 200}) {
    Terminal terminal = OfWidth(columns);
    terminal.unicode = false;
    const std::string text = RenderTerminal(report_, terminal);
    EXPECT_EQ(text, Ascii(text));
    EXPECT_THAT(text, Not(HasSubstr("\n??")));
    for (std::string_view line : absl::StrSplit(text, '\n')) {
      EXPECT_LE(line.size(), columns) << line;
    }
  }
  Terminal terminal;
  terminal.unicode = false;
  EXPECT_THAT(RenderTerminal(report_, terminal),
              AllOf(HasSubstr("x differ"), HasSubstr("+ match"),
                    HasSubstr("margin +-0.9"), HasSubstr("\n-- Time --")));
}

// A table like the paper's table 2, and the times of many networks.
class WideTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<report::Report> report =
        ReadReport("reports/testdata/wide.textproto");
    ASSERT_TRUE(report.ok()) << report.status();
    report_ = *report;
  }

  report::Report report_;
};

int Count(std::string_view text, std::string_view part) {
  int count = 0;
  for (size_t i = 0; (i = text.find(part, i)) != std::string_view::npos; ++i) {
    ++count;
  }
  return count;
}

TEST_F(WideTest, TheTerminalSplitsTheTableAndNoValue) {
  const std::string text = RenderTerminal(report_, Terminal());
  for (std::string_view line : absl::StrSplit(text, '\n')) {
    EXPECT_LE(Width(line), 120) << line;
  }
  const report::Table& table = report_.tables(0);
  EXPECT_EQ(Count(text, table.title()), 1);
  EXPECT_EQ(Count(text, "\nNetwork "), 2);
  const std::string_view tables =
      std::string_view(text).substr(0, text.find("── Time"));
  for (const report::Row& row : table.rows()) {
    EXPECT_EQ(Count(tables, "\n" + row.cells(0).text() + " "), 2);
    for (int i = 1; i < row.cells_size(); ++i) {
      const report::Cell& cell = row.cells(i);
      EXPECT_THAT(tables, HasSubstr(cell.text()));
      EXPECT_THAT(tables,
                  HasSubstr(cell.note().substr(0, cell.note().find(']'))));
    }
  }
}

TEST_F(WideTest, ThePageHasCardsAndSmallType) {
  const std::string page = RenderHtml(report_, {});
  EXPECT_EQ(Count(page, "<section class=\"dense\">"), 1);
  EXPECT_LT(page.find("<section class=\"dense\">"),
            page.find("<table class=\"cards\">"));
  EXPECT_THAT(page, HasSubstr("data-label=\"FP16_BN32 (%)\""));
  EXPECT_THAT(page,
              HasSubstr("<span class=\"word\">[-1.21, -0.74],</span> margin"));
}

TEST_F(WideTest, ATableOfNumbersScrollsInsteadOfCards) {
  for (report::Row& row : *report_.mutable_tables(0)->mutable_rows()) {
    row.mutable_cells(0)->set_note("names the row only");
    for (int i = 1; i < row.cells_size(); ++i) {
      report::Cell& cell = *row.mutable_cells(i);
      cell.clear_paper();
      cell.clear_note();
      cell.clear_verdict();
    }
  }
  EXPECT_THAT(RenderHtml(report_, {}), HasSubstr("<table class=\"plain\">"));
}

TEST_F(WideTest, TimesOfAGroupAreOneRow) {
  const std::string page = RenderHtml(report_, {});
  const std::string_view time =
      std::string_view(page).substr(page.find(">Time<"));
  EXPECT_EQ(Count(time, "<tr>\n<td"), 12);
  EXPECT_THAT(time, HasSubstr(">FP32</th>\n<th scope=\"col\">FP16</th>\n<th "
                              "scope=\"col\">MP</th>"));
  EXPECT_THAT(time, HasSubstr("images/s (n=3)<br>0.800× FP32<small>paper "
                              "1.60×</small>"));
  report_.mutable_timing()->mutable_rows()->RemoveLast();
  EXPECT_EQ(Count(RenderTerminal(report_, Terminal()), "paper 1.30×"), 11);
}

TEST_F(RenderTest, PageIsSelfContained) {
  const std::string page = RenderHtml(report_, {{"histogram", svg_}});
  for (const char* address :
       {"http:", "https:", "src=", "@import", "url(//", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(address)));
  }
  EXPECT_THAT(page, HasSubstr("<svg"));
  EXPECT_THAT(page, HasSubstr("href=\"data:text/csv;base64,"));
}

TEST_F(RenderTest, PageEscapes) {
  report_.mutable_tables(0)->mutable_rows(0)->mutable_cells(0)->set_text(
      "\"a\" & 'b' <i>");
  const std::string page = RenderHtml(report_, {});
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  EXPECT_THAT(page, HasSubstr("&quot;a&quot; &amp; &#39;b&#39; &lt;i&gt;"));
}

TEST_F(RenderTest, PageOpensWithTheTallyAndTheScale) {
  const std::string page = RenderHtml(report_, {});
  EXPECT_THAT(page, AllOf(HasSubstr("✓ 2 match<"), HasSubstr("✗ 1 differ<"),
                          HasSubstr("? 1 inconclusive<"),
                          HasSubstr("· 1 not run<"), HasSubstr("LITE SCALE")));
  EXPECT_LT(page.find("2 match"), page.find("LITE SCALE"));
  EXPECT_LT(page.find("LITE SCALE"), page.find("<h2"));
}

TEST_F(RenderTest, MarkdownEscapesAndLinksTheChart) {
  const std::string text = RenderMarkdown(report_, {{"histogram", "fig1.svg"}});
  EXPECT_THAT(text, HasSubstr("](<fig1.svg>)"));
  EXPECT_THAT(text, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  report_.set_summary(0, "1. not a *list*");
  EXPECT_THAT(RenderMarkdown(report_, {}),
              HasSubstr("\n1\\. not a \\*list\\*\n"));
  EXPECT_THAT(text, HasSubstr("last epoch \\| all policies"));
  EXPECT_THAT(text, HasSubstr("| --- | ---: | ---: | ---: | ---: |"));
}

TEST_F(RenderTest, EqualReportsGiveEqualBytes) {
  const report::Report copy = report_;
  EXPECT_EQ(RenderHtml(report_, {{"histogram", svg_}}),
            RenderHtml(copy, {{"histogram", svg_}}));
}

// ---- What a scale may say ---------------------------------------------------

report::Report AllMatch(const std::string& scale) {
  report::Report report;
  report.set_scale(scale);
  report.add_expectations()->set_verdict(report::VERDICT_MATCH);
  return report;
}

TEST(ScaleTest, OnlyThePaperScaleSaysReproduced) {
  for (const char* scale : {"smoke", "lite"}) {
    const report::Report report = AllMatch(scale);
    EXPECT_THAT(RenderHtml(report, {}), Not(HasSubstr("reproduced"))) << scale;
    EXPECT_THAT(RenderTerminal(report, Terminal()),
                Not(HasSubstr("reproduced")));
    EXPECT_THAT(RenderMarkdown(report, {}), Not(HasSubstr("reproduced")));
  }
  EXPECT_THAT(ScaleBadge(AllMatch("paper")), HasSubstr("reproduced"));
}

TEST(ScaleTest, NothingIsReproducedByMadeUpDataOrWithADifference) {
  report::Report report = AllMatch("paper");
  report.mutable_provenance()->set_made_up_data(true);
  EXPECT_THAT(ScaleBadge(report), Not(HasSubstr("reproduced")));
  report = AllMatch("paper");
  report.add_expectations()->set_verdict(report::VERDICT_INCONCLUSIVE);
  EXPECT_THAT(ScaleBadge(report), Not(HasSubstr("reproduced")));
}

TEST(ScaleTest, AToolsAnswersHaveNoScaleNoTimeAndNoMemory) {
  report::Report report = AllMatch("smoke");
  EXPECT_THAT(RenderTerminal(report, Terminal()), HasSubstr("── Time"));
  report.mutable_provenance()->set_toolkit("ptxas 13.0.88");
  EXPECT_EQ(ScaleBadge(report), "NO TRAINING RUNS: the same at every scale");
  const std::string text = RenderTerminal(report, Terminal());
  EXPECT_THAT(text, HasSubstr("Toolkit  ptxas 13.0.88"));
  for (const char* absent : {"── Time", "── Memory", "Numerics version"}) {
    EXPECT_THAT(text, Not(HasSubstr(absent)));
  }
}

TEST(ScaleTest, TheBadgeTellsHowTheRunsAreReduced) {
  report::Report report = AllMatch("lite");
  report.mutable_provenance()->clear_reductions();
  EXPECT_EQ(ScaleBadge(report),
            "LITE SCALE: judges the paper's claims, not its numbers");
  report.mutable_provenance()->add_reductions("3 seeds instead of 50");
  EXPECT_EQ(ScaleBadge(report),
            "LITE SCALE: 3 seeds instead of 50; judges the paper's claims, not "
            "its numbers");
}

// ---- Numbers ----------------------------------------------------------------

TEST(FormatTest, Numbers) {
  EXPECT_EQ(FormatNumber(76, 3), "76.0");
  EXPECT_EQ(FormatNumber(0.000995, 3), "9.95e-4");
  EXPECT_EQ(FormatNumber(1234567, 3), "1.23e6");
  EXPECT_EQ(FormatNumber(123456), "123456");
  EXPECT_EQ(FormatNumber(9.9996), "10.00");
  EXPECT_EQ(FormatNumber(999999.9), "1.000e6");
  EXPECT_EQ(FormatNumber(-0.5, 2), "-0.50");
  EXPECT_EQ(FormatNumber(0), "0");
  EXPECT_EQ(FormatShortest(100), "100");
  EXPECT_EQ(FormatShortest(0.1 + 0.2), "0.30000000000000004");
  EXPECT_EQ(FormatSigned(0.5, 2), "+0.50");
  report::Expectation expectation;
  expectation.set_difference(0.25);
  EXPECT_EQ(FormatDifference(expectation), "+0.250");
  expectation.set_unit("points");
  expectation.mutable_interval()->set_low(-0.5);
  expectation.mutable_interval()->set_high(1);
  expectation.mutable_interval()->set_level(0.92);
  EXPECT_EQ(FormatDifference(expectation),
            "+0.250 points, 92% interval [-0.500, +1.00]");
  EXPECT_EQ(FormatCount(1234567), "1,234,567");
  EXPECT_EQ(FormatCount(123), "123");
}

TEST(FormatTest, WordsKeepIntervalsWhole) {
  EXPECT_THAT(
      Words("90% [-0.40, +0.16], margin  ±0.9 [a]"),
      testing::ElementsAre("90%", "[-0.40, +0.16],", "margin", "±0.9", "[a]"));
  EXPECT_THAT(Words("[open, for ever"),
              testing::ElementsAre("[open,", "for", "ever"));
  EXPECT_THAT(Words(""), testing::IsEmpty());
}

TEST(FormatTest, Estimates) {
  report::Estimate estimate;
  estimate.set_mean(75.834);
  EXPECT_EQ(FormatEstimate(estimate), "75.83");
  estimate.set_sd(0.312);
  estimate.set_n(5);
  EXPECT_EQ(FormatEstimate(estimate), "75.83 ± 0.31 (n=5)");
  EXPECT_EQ(FormatEstimate(estimate, 4, "%"), "75.83 ± 0.31 % (n=5)");
  estimate.set_mean(0.000118);
  estimate.set_sd(0.0000094);
  EXPECT_EQ(FormatEstimate(estimate, 3), "1.18e-4 ± 9.4e-6 (n=5)");
}

// ---- Bad input --------------------------------------------------------------

TEST(CheckTest, SvgMustBeSelfContained) {
  EXPECT_TRUE(CheckSvg("a.svg",
                       "<svg xmlns=\"http://www.w3.org/2000/svg\">"
                       "</svg>")
                  .ok());
  for (const char* svg :
       {"<html>", "<svg><script>1</script></svg>", "<svg onload=\"f()\"></svg>",
        "<svg><a href=\"https://example.org\"/></svg>"}) {
    EXPECT_THAT(std::string(CheckSvg("a.svg", svg).message()),
                testing::StartsWith("a.svg: "))
        << svg;
  }
}

TEST_F(RenderTest, MalformedReportsAreRefused) {
  report::Report report = report_;
  report.set_scale("huge");
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("scale \"huge\""));
  report = report_;
  report.mutable_tables(0)->mutable_rows(1)->mutable_cells()->RemoveLast();
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("rows[1] has 4 cells"));
  report = report_;
  report.mutable_figures(0)
      ->mutable_datasets(0)
      ->mutable_records(2)
      ->add_values();
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("records[2] has 5 values"));
  report = report_;
  report.mutable_figures(0)->set_name("a-b");
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("the name \"a-b\" is not of letters"));
  report = report_;
  report.mutable_tables(0)->set_id("../a");
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("the id \"../a\" is not of letters"));
  report = report_;
  *report.add_tables() = report.tables(0);
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("all_policies\" is used twice"));
  report = report_;
  *report.add_expectations() = report.expectations(0);
  EXPECT_THAT(std::string(CheckReport(report).message()),
              HasSubstr("\"mean_error\" is used twice"));
}

}  // namespace
}  // namespace repro16
