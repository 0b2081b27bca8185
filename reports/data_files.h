// The numbers of a report for other programs: each table as a data set, in CSV
// and in JSON.
#ifndef REPRO16_REPORTS_DATA_FILES_H_
#define REPRO16_REPORTS_DATA_FILES_H_

#include <string>
#include <string_view>
#include <vector>

#include "reports/report.pb.h"

namespace repro16 {

// The data sets that are no table of the report: its expectations and its runs.
inline constexpr std::string_view kStatementsId = "statements";
inline constexpr std::string_view kRunsId = "run_times";

// The table's id, or where it has none one of its title: "Time, by epoch" gives
// "time_by_epoch".
std::string TableId(const report::Table& table);

// "<id>.csv" and "<id>.json".
std::vector<std::string> DataFileNames(std::string_view id);

// The expectations, each table and, where the report has them, the times of its
// runs; the data set's name is the id. A column of numbers has the numbers with
// all their digits, and where its cells show more a column "<title> as shown"
// beside it; "<title> paper", "<title> verdict" and "<title> note" where a cell
// has such. No two columns have one title.
std::vector<report::Dataset> DataOf(const report::Report& report);

// RFC 4180, with a line of field names. A value that is absent is empty.
std::string CsvOf(const report::Dataset& dataset);

// An array with an object for each record; null where a value is absent or, as
// JSON has no such number, not finite.
std::string JsonOf(const report::Dataset& dataset);

}  // namespace repro16

#endif  // REPRO16_REPORTS_DATA_FILES_H_
