// Shows a report on the terminal, as Markdown or as an HTML page, or writes its
// data.
#include <unistd.h>

#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/proto_file.h"
#include "engine/io/terminal.h"
#include "reports/data_files.h"
#include "reports/environment.h"
#include "reports/golden.h"
#include "reports/render.h"
#include "reports/report_file.h"

ABSL_FLAG(std::string, report, "", "the report (.textproto, else binary)");
ABSL_FLAG(std::string, golden, "", "golden.textproto: its provenance is shown");
ABSL_FLAG(std::vector<std::string>, telemetry, {},
          "telemetry.pb of each run, separated by commas: device and time");
ABSL_FLAG(std::vector<std::string>, runs, {},
          "result.pb of each run, in the order of --telemetry: memory by "
          "policy, and the time of each run; without it, \"not measured\"");
ABSL_FLAG(std::string, timing, "",
          "a Timing (text form) to show; without it, \"not measured\"");
ABSL_FLAG(std::vector<std::string>, chart, {},
          "figure=picture.svg, separated by commas; with --format=markdown "
          "the picture's address, relative to the page");
ABSL_FLAG(std::string, format, "terminal",
          "terminal, screen (a terminal's first screen), markdown, html, or "
          "data: each table, the statements and the times of the runs as CSV "
          "and as JSON");
ABSL_FLAG(bool, data_files, false,
          "the page names the files of --format=data, which lie beside it");
ABSL_FLAG(std::string, out, "",
          "file to write; empty: standard output; with --format=data the "
          "folder, which must be there");
ABSL_FLAG(std::string, commit, "", "commit to show");
ABSL_FLAG(std::string, date, "", "date to show");
ABSL_FLAG(std::string, color, "auto",
          "colour on the terminal: auto (when standard output is one that has "
          "it, and NO_COLOR is not set), always or never");

namespace repro16 {
namespace {

absl::Status AddGolden(report::Report& report) {
  const std::string path = absl::GetFlag(FLAGS_golden);
  if (path.empty()) return absl::OkStatus();
  const absl::StatusOr<Golden> golden = ReadGolden(path);
  if (!golden.ok()) return golden.status();
  report.mutable_environment()->set_golden(GoldenLine(*golden, report.scale()));
  return absl::OkStatus();
}

absl::Status AddEnvironment(report::Report& report) {
  const absl::StatusOr<report::Environment> environment =
      EnvironmentOf(absl::GetFlag(FLAGS_telemetry));
  if (!environment.ok()) return environment.status();
  report.mutable_environment()->MergeFrom(*environment);
  report.mutable_environment()->set_commit(absl::GetFlag(FLAGS_commit));
  report.mutable_environment()->set_date(absl::GetFlag(FLAGS_date));
  const std::vector<std::string> runs = absl::GetFlag(FLAGS_runs);
  if (!runs.empty()) {
    const auto memory = MemoryOf(runs, absl::GetFlag(FLAGS_telemetry));
    if (!memory.ok()) return memory.status();
    for (const report::Memory& row : *memory) *report.add_memory() = row;
    const auto times = RunTimesOf(runs, absl::GetFlag(FLAGS_telemetry));
    if (!times.ok()) return times.status();
    for (const report::RunTime& time : *times) *report.add_runs() = time;
  }
  const std::string timing = absl::GetFlag(FLAGS_timing);
  if (timing.empty()) return absl::OkStatus();
  return ReadTextProto(timing, report.mutable_timing());
}

// The pictures by figure: their addresses, or with `inside` the SVG itself.
absl::StatusOr<std::map<std::string, std::string>> Charts(
    const report::Report& report, bool inside) {
  std::map<std::string, std::string> charts;
  for (const std::string& flag : absl::GetFlag(FLAGS_chart)) {
    const std::pair<std::string, std::string> chart =
        absl::StrSplit(flag, absl::MaxSplits('=', 1));
    const auto& [name, path] = chart;
    bool known = false;
    for (const report::Figure& figure : report.figures()) {
      known = known || figure.name() == name;
    }
    if (!known || path.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--chart=", flag,
                       ": give figure=picture.svg with a figure of the "
                       "report"));
    }
    charts[name] = path;
    if (!inside) continue;
    absl::StatusOr<std::string> svg = ReadFile(path);
    if (!svg.ok()) return svg.status();
    absl::Status status = CheckSvg(path, *svg);
    if (!status.ok()) return status;
    charts[name] = *std::move(svg);
  }
  return charts;
}

// Where the report is printed; a file is the same on every machine.
absl::StatusOr<Terminal> Where() {
  Terminal terminal;
  if (absl::GetFlag(FLAGS_out).empty()) terminal = TerminalAt(STDOUT_FILENO);
  const std::string color = absl::GetFlag(FLAGS_color);
  if (color == "always") {
    terminal.color = true;
  } else if (color == "never") {
    terminal.color = false;
  } else if (color != "auto") {
    return absl::InvalidArgumentError(
        absl::StrCat("--color=", color, ": give auto, always or never"));
  }
  return terminal;
}

absl::StatusOr<std::string> Render(const report::Report& report) {
  const std::string format = absl::GetFlag(FLAGS_format);
  if (format == "terminal" || format == "screen") {
    const absl::StatusOr<Terminal> terminal = Where();
    if (!terminal.ok()) return terminal.status();
    return format == "screen" ? RenderScreen(report, *terminal)
                              : RenderTerminal(report, *terminal);
  }
  if (format != "markdown" && format != "html") {
    return absl::InvalidArgumentError(
        absl::StrCat("--format=", format,
                     ": give terminal, screen, markdown, html or data"));
  }
  const auto charts = Charts(report, format == "html");
  if (!charts.ok()) return charts.status();
  return format == "html" ? RenderHtml(report, *charts)
                          : RenderMarkdown(report, *charts);
}

absl::Status WriteData(const report::Report& report) {
  const std::string folder = absl::GetFlag(FLAGS_out);
  if (folder.empty()) {
    return absl::InvalidArgumentError("--format=data: give --out=FOLDER");
  }
  for (const report::Dataset& data : DataOf(report)) {
    const std::string path = absl::StrCat(folder, "/", data.name());
    absl::Status status = WriteFileAtomically(path + ".csv", CsvOf(data));
    status.Update(WriteFileAtomically(path + ".json", JsonOf(data)));
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Run() {
  if (absl::GetFlag(FLAGS_report).empty()) {
    return absl::InvalidArgumentError("--report is needed; see --help");
  }
  absl::StatusOr<report::Report> report =
      ReadReport(absl::GetFlag(FLAGS_report));
  if (!report.ok()) return report.status();
  absl::Status status = AddGolden(*report);
  if (!status.ok()) return status;
  status = AddEnvironment(*report);
  if (!status.ok()) return status;
  report->set_data_files(absl::GetFlag(FLAGS_data_files));
  if (absl::GetFlag(FLAGS_format) == "data") return WriteData(*report);
  const absl::StatusOr<std::string> text = Render(*report);
  if (!text.ok()) return text.status();
  const std::string out = absl::GetFlag(FLAGS_out);
  if (!out.empty()) return WriteFileAtomically(out, *text);
  if (std::fwrite(text->data(), 1, text->size(), stdout) != text->size() ||
      std::fflush(stdout) != 0) {
    return absl::UnavailableError("standard output: cannot be written");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(
      argc, argv,
      "Shows a report on the terminal, as Markdown or as an HTML page, or "
      "writes its data.");
  const absl::Status status = repro16::Run();
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "error: %s\n", status.message());
  return 2;
}
