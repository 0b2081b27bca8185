#include "reports/site_index.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "reports/report_file.h"

namespace repro16 {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class SiteIndexTest : public testing::Test {
 protected:
  void SetUp() override {
    absl::StatusOr<report::Report> report =
        ReadReport("reports/testdata/report.textproto");
    ASSERT_TRUE(report.ok()) << report.status();
    pages_ = {{"fixture", *report}, {"fixture/second", *report}};
    report::Report& second = pages_[1].report;
    second.set_title("The second");
    second.mutable_provenance()->set_made_up_data(true);
    second.clear_expectations();
    second.clear_findings();
    environment_.set_commit("abc1234");
    environment_.set_date("2026-01-02");
  }

  std::string Page() const { return RenderSiteHtml(pages_, environment_); }

  std::vector<SitePage> pages_;
  report::Environment environment_;
};

TEST_F(SiteIndexTest, MarkdownLeadsToPagesInMarkdown) {
  EXPECT_THAT(RenderSiteMarkdown(pages_, environment_),
              AllOf(HasSubstr("fixture/report.md"),
                    HasSubstr("fixture/second/report.md"),
                    HasSubstr("What contradicts the paper"),
                    HasSubstr("abc1234"), Not(HasSubstr("report.html"))));
}

// The part of the page from one text to another.
std::string_view Between(std::string_view page, std::string_view from,
                         std::string_view to) {
  const size_t begin = page.find(from);
  return page.substr(begin, page.find(to, begin) - begin);
}

TEST_F(SiteIndexTest, EveryReportHasARowThatLeadsToItsPage) {
  const std::string page = Page();
  const std::string_view glance =
      Between(page, "At a glance", "What contradicts");
  EXPECT_THAT(
      glance,
      AllOf(HasSubstr("href=\"fixture/report.html\""),
            HasSubstr("href=\"fixture/second/report.html\""),
            HasSubstr("✗ 1 differ"), HasSubstr("✓ 2 match"),
            HasSubstr("? 1 inconclusive"),
            HasSubstr("1 not judged at this scale"), HasSubstr("· 1 not run"),
            HasSubstr("nothing to judge"), HasSubstr("LITE SCALE: width 1/8")));
}

TEST_F(SiteIndexTest, MadeUpDataIsSaidOfItsReportOnly) {
  const std::string page = Page();
  EXPECT_EQ(page.find("class=\"warning\">made-up data"),
            page.rfind("class=\"warning\">made-up data"));
  EXPECT_GT(page.find("class=\"warning\">made-up data"),
            page.find("The second"));
}

TEST_F(SiteIndexTest, TheTallyIsOfAllReports) {
  pages_[1].report.add_expectations()->set_verdict(report::VERDICT_MATCH);
  EXPECT_THAT(Page(), HasSubstr("✓ 3 match</li>"));
  EXPECT_THAT(RenderSiteTerminal(pages_, environment_, Terminal()),
              HasSubstr("3 match, 1 differ, 1 inconclusive, 1 not run"));
}

TEST_F(SiteIndexTest, WhatTheClaimsCountIsNotCountedAgain) {
  pages_[1].report.set_experiment("claims");
  pages_[1].report.clear_expectations();
  pages_[1].report.add_expectations()->set_verdict(report::VERDICT_MATCH);
  EXPECT_THAT(Page(), HasSubstr("✓ 1 match</li>"));
}

TEST_F(SiteIndexTest, ContradictionsStandWhereAgreementsDo) {
  const std::string page = Page();
  const std::string_view contradicts =
      Between(page, "What contradicts the paper (1)", "What agrees");
  const std::string_view agrees =
      Between(page, "What agrees with the paper (2)", "Found beside: against");
  EXPECT_THAT(contradicts, AllOf(HasSubstr("Largest single error"),
                                 Not(HasSubstr("Mean of the error"))));
  EXPECT_THAT(agrees, AllOf(HasSubstr("Mean of the error"),
                            Not(HasSubstr("Largest single error"))));
  EXPECT_THAT(
      Between(page, "Found beside: against the paper (1)", "Found beside: for"),
      HasSubstr("Networks named two ways"));
  EXPECT_THAT(Between(page, "Found beside: for the paper (1)", "Provenance"),
              HasSubstr("Parameters of AlexNet&#39;s convolutions"));
}

// The claims have the evidence of the others, and an experiment's finding may
// say what its expectation says.
TEST_F(SiteIndexTest, NothingStandsTwice) {
  report::Report& claims = pages_[1].report;
  claims.set_experiment("claims");
  report::Expectation* claim = claims.add_expectations();
  claim->set_what("The claim");
  claim->set_verdict(report::VERDICT_DIFFER);
  report::Finding* finding = claims.add_findings();
  finding->set_title("The claim");
  finding->set_kind(report::Finding::CONTRADICTION);
  const std::string page = Page();
  EXPECT_THAT(
      Between(page, "What contradicts the paper (1)", "What agrees"),
      AllOf(HasSubstr("The claim"), Not(HasSubstr("Largest single error"))));
  EXPECT_THAT(page, HasSubstr("Found beside: against the paper (1)"));
}

TEST_F(SiteIndexTest, OnlyAllMatchesAtPaperScaleAreReproduced) {
  for (SitePage& page : pages_) {
    page.report.set_scale("paper");
    page.report.mutable_provenance()->set_made_up_data(false);
    page.report.clear_expectations();
    page.report.add_expectations()->set_verdict(report::VERDICT_MATCH);
  }
  EXPECT_THAT(Page(),
              HasSubstr("class=\"badge paper\">PAPER SCALE: reproduced"));
  pages_[1].report.mutable_expectations(0)->set_verdict(report::VERDICT_DIFFER);
  EXPECT_THAT(Page(), HasSubstr("class=\"badge paper\">PAPER SCALE<"));
}

TEST_F(SiteIndexTest, IsSelfContainedAndEscaped) {
  const std::string page = Page();
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(1)&lt;/script&gt;"));
  for (const char* unwanted :
       {"<script", "http:", "https:", "src=", "@import", "url(//", "<link"}) {
    EXPECT_THAT(page, Not(HasSubstr(unwanted)));
  }
  EXPECT_THAT(page, AllOf(HasSubstr("abc1234"), HasSubstr("2026-01-02")));
}

TEST_F(SiteIndexTest, NoReportsAreNoCrash) {
  EXPECT_THAT(RenderSiteHtml({}, {}), HasSubstr("0 match"));
}

TEST_F(SiteIndexTest, TheTerminalIsAtMost120Wide) {
  for (std::string_view line : absl::StrSplit(
           RenderSiteTerminal(pages_, environment_, Terminal()), '\n')) {
    EXPECT_LE(std::count_if(line.begin(), line.end(),
                            [](char c) { return (c & 0xC0) != 0x80; }),
              120)
        << line;
  }
}

}  // namespace
}  // namespace repro16
