// Reports in files.
#ifndef REPRO16_REPORTS_REPORT_FILE_H_
#define REPRO16_REPORTS_REPORT_FILE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "reports/report.pb.h"

namespace repro16 {

// InvalidArgument when the report cannot be shown: an unknown scale, a row or
// record of another length than its table or data set, a name that is used
// twice, or a figure's name or a table's id other than letters, digits and _
// (file and id names are made from them). The error names the field.
absl::Status CheckReport(const report::Report& report);

// A report in text form when `path` ends in ".textproto", else in binary form;
// checked.
absl::StatusOr<report::Report> ReadReport(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_REPORTS_REPORT_FILE_H_
