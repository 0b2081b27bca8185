// Writes a figure of a report as JSON, for chart.py.
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "google/protobuf/util/json_util.h"
#include "reports/report_file.h"

ABSL_FLAG(std::string, report, "", "the report (.textproto, else binary)");
ABSL_FLAG(std::string, figure, "", "name of the figure in it");
ABSL_FLAG(std::string, out, "", "where the JSON goes");

namespace repro16 {
namespace {

absl::Status Run() {
  const std::string path = absl::GetFlag(FLAGS_report);
  const std::string name = absl::GetFlag(FLAGS_figure);
  if (path.empty() || name.empty() || absl::GetFlag(FLAGS_out).empty()) {
    return absl::InvalidArgumentError(
        "--report, --figure and --out are needed; see --help");
  }
  const absl::StatusOr<report::Report> report = ReadReport(path);
  if (!report.ok()) return report.status();
  std::vector<std::string> names;
  for (const report::Figure& figure : report->figures()) {
    names.push_back(figure.name());
    if (figure.name() != name) continue;
    std::string json;
    const auto status =
        google::protobuf::util::MessageToJsonString(figure, &json);
    if (!status.ok()) return absl::InternalError(status.ToString());
    return WriteFileAtomically(absl::GetFlag(FLAGS_out), json);
  }
  return absl::NotFoundError(
      absl::StrCat(path, ": no figure \"", name,
                   "\"; it has: ", absl::StrJoin(names, ", ")));
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv, "Writes a figure of a report as JSON.");
  const absl::Status status = repro16::Run();
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "error: %s\n", status.message());
  return 2;
}
