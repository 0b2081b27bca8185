#include "experiments/common/answer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

TEST(AnswerTest, HasASentenceForEachStatementThatWasRun) {
  report::Report report;
  report::Expectation& run = *report.add_expectations();
  run.set_id("mean");
  run.set_what("Mean difference");
  run.set_unit("points");
  run.set_paper_text("slightly better");
  run.mutable_ours()->set_mean(-0.25);
  run.set_verdict(report::VERDICT_DIFFER);
  report.add_expectations()->set_id("not_run");
  report::Expectation& shown = *report.add_expectations();
  shown.set_id("shown");
  shown.set_what("Equal classes");
  shown.set_paper_text("all");
  shown.set_ours_text("9 of 10");
  AddAnswer({"shown", "not_run", "unknown", "mean"}, &report);
  EXPECT_THAT(
      report.answer(),
      testing::ElementsAre(
          "Equal classes: 9 of 10; the paper: all.",
          "Mean difference: -0.2500 points; the paper: slightly better; "
          "verdict: differ."));
}

}  // namespace
}  // namespace repro16
