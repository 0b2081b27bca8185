#include "reports/data_files.h"

#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

using testing::ElementsAre;

report::Table Table() {
  report::Table table;
  table.set_title("Accuracy: by network, in %");
  table.add_columns()->set_title("network");
  report::Column& column = *table.add_columns();
  column.set_title("FP16");
  column.set_unit("%");
  report::Row& first = *table.add_rows();
  first.add_cells()->set_text("\"A\", the first");
  report::Cell& cell = *first.add_cells();
  cell.set_number(1.0 / 3);
  cell.set_text("0.33 ± 0.02 (5)");
  cell.set_paper("0.4 ± 0.1");
  cell.set_paper_number(0.4);
  cell.set_verdict(report::VERDICT_MATCH);
  cell.set_note("two\nlines");
  report::Row& second = *table.add_rows();
  second.add_cells()->set_text("B");
  second.add_cells()->set_text("not run");
  return table;
}

report::Dataset Data() {
  report::Report report;
  *report.add_tables() = Table();
  return DataOf(report)[0];
}

TEST(DataFilesTest, ATableIsNamedByItsTitleUnlessItHasAnId) {
  report::Table table = Table();
  EXPECT_EQ(TableId(table), "accuracy_by_network_in");
  EXPECT_THAT(DataFileNames("a"), ElementsAre("a.csv", "a.json"));
  table.set_id("accuracy");
  EXPECT_EQ(TableId(table), "accuracy");
  EXPECT_EQ(TableId(report::Table()), "table");
}

TEST(DataFilesTest, CsvHasAllDigitsAndQuotes) {
  EXPECT_EQ(CsvOf(Data()),
            "network,FP16 (%),FP16 (%) as shown,FP16 (%) paper,FP16 (%) "
            "verdict,FP16 (%) note\r\n"
            "\"\"\"A\"\", the first\",0.3333333333333333,0.33 ± 0.02 (5),0.4,"
            "match,\"two\nlines\"\r\n"
            "B,,not run,,,\r\n");
}

TEST(DataFilesTest, JsonHasAnObjectForEachRow) {
  EXPECT_EQ(JsonOf(Data()),
            "[\n  {\"network\": \"\\\"A\\\", the first\", \"FP16 (%)\": "
            "0.3333333333333333, \"FP16 (%) as shown\": \"0.33 ± 0.02 (5)\", "
            "\"FP16 (%) paper\": 0.4, \"FP16 (%) verdict\": \"match\", \"FP16 "
            "(%) note\": \"two\\u000alines\"},\n  {\"network\": \"B\", \"FP16 "
            "(%)\": null, \"FP16 (%) as shown\": \"not run\", \"FP16 (%) "
            "paper\": null, \"FP16 (%) verdict\": null, \"FP16 (%) note\": "
            "null}\n]\n");
}

TEST(DataFilesTest, WhatIsNoNumberIsNullInJson) {
  report::Dataset data;
  data.add_fields("x");
  report::Record& record = *data.add_records();
  record.add_values()->set_number(std::numeric_limits<double>::infinity());
  EXPECT_EQ(JsonOf(data), "[\n  {\"x\": null}\n]\n");
  EXPECT_EQ(CsvOf(data), "x\r\ninf\r\n");
}

TEST(DataFilesTest, ColumnsOfOneTitleAreToldApart) {
  report::Report report;
  report::Table& table = *report.add_tables();
  for (const char* title : {"", "FP16", "alike", "MP", "alike"}) {
    table.add_columns()->set_title(title);
  }
  EXPECT_THAT(DataOf(report)[0].fields(),
              ElementsAre("row", "FP16", "FP16 alike", "MP", "MP alike"));
}

TEST(DataFilesTest, StatementsAndRunsAreDataToo) {
  report::Report report;
  report::Expectation& statement = *report.add_expectations();
  statement.set_id("mean");
  statement.set_paper_value(0.2);
  statement.mutable_ours()->set_mean(0.25);
  statement.set_verdict(report::VERDICT_DIFFER);
  report.add_runs()->set_run("mlp seed=1");
  const auto data = DataOf(report);
  ASSERT_EQ(data.size(), 2);
  EXPECT_EQ(data[0].name(), kStatementsId);
  EXPECT_EQ(CsvOf(data[0]),
            "id,what,place,unit,paper,paper_text,ours,ours_deviation,"
            "ours_count,ours_text,difference,low,high,level,margin,verdict,"
            "counted,note\r\n"
            "mean,,,,0.2,,0.25,,0,,,,,,,differ,yes,\r\n");
  EXPECT_EQ(data[1].name(), kRunsId);
}

}  // namespace
}  // namespace repro16
