// Writes the index of the site and prints it: the reports of all experiments at
// a glance.
//
//   site_index --page=fig1=report.pb=golden.textproto,... --out=index.html
#include <unistd.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/io/file.h"
#include "engine/io/flags.h"
#include "engine/io/terminal.h"
#include "reports/environment.h"
#include "reports/report_file.h"
#include "reports/site_index.h"

ABSL_FLAG(std::vector<std::string>, page, {},
          "folder=report=golden.textproto, separated by commas, in the order "
          "in which they are shown");
ABSL_FLAG(std::vector<std::string>, telemetry, {},
          "telemetry.pb of each run, separated by commas: the device");
ABSL_FLAG(std::string, commit, "", "commit to show");
ABSL_FLAG(std::string, date, "", "date to show");
ABSL_FLAG(std::string, out, "", "the page to write, HTML or, *.md, Markdown");

namespace repro16 {
namespace {

absl::StatusOr<SitePage> ReadPage(const std::string& flag) {
  const std::vector<std::string> parts = absl::StrSplit(flag, '=');
  if (parts.size() != 3 || parts[0].empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--page=", flag, ": give folder=report=golden.textproto"));
  }
  absl::StatusOr<report::Report> report = ReadReport(parts[1]);
  if (!report.ok()) return report.status();
  return SitePage{parts[0], *std::move(report)};
}

absl::Status Run() {
  const std::string out = absl::GetFlag(FLAGS_out);
  if (out.empty()) {
    return absl::InvalidArgumentError("--out is needed; see --help");
  }
  std::vector<SitePage> pages;
  for (const std::string& flag : absl::GetFlag(FLAGS_page)) {
    absl::StatusOr<SitePage> page = ReadPage(flag);
    if (!page.ok()) return page.status();
    pages.push_back(*std::move(page));
  }
  absl::StatusOr<report::Environment> environment =
      EnvironmentOf(absl::GetFlag(FLAGS_telemetry));
  if (!environment.ok()) return environment.status();
  environment->set_commit(absl::GetFlag(FLAGS_commit));
  environment->set_date(absl::GetFlag(FLAGS_date));
  const absl::Status status = WriteFileAtomically(
      out, absl::EndsWith(out, ".md") ? RenderSiteMarkdown(pages, *environment)
                                      : RenderSiteHtml(pages, *environment));
  if (!status.ok()) return status;
  std::fputs(RenderSiteTerminal(pages, *environment, TerminalAt(STDOUT_FILENO))
                 .c_str(),
             stdout);
  if (std::fflush(stdout) != 0) {
    return absl::UnavailableError("standard output: cannot be written");
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace repro16

int main(int argc, char** argv) {
  repro16::ParseFlags(argc, argv,
                      "Writes the index of all reports, and prints it.");
  const absl::Status status = repro16::Run();
  if (status.ok()) return 0;
  repro16::PrintFormat(stderr, "error: %s\n", status.message());
  return 2;
}
