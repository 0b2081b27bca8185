// A report in three syntaxes. All are pure functions: equal reports give equal
// bytes. Every text of the report is escaped for its syntax.
#ifndef REPRO16_REPORTS_RENDER_H_
#define REPRO16_REPORTS_RENDER_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/io/terminal.h"
#include "reports/report.pb.h"

namespace repro16 {

// For a terminal: no line is wider than it, down to 30 columns; verdicts by
// word and sign, where it has colour also in colour. A table that is too wide
// is told in several, one that is short of columns breaks its cells between
// words.
std::string RenderTerminal(const report::Report& report,
                           const Terminal& terminal);

// What is read first, on one screen of about 40 lines and at most 100 columns:
// the answer, the paper's tables with ours beside them in short form, and a
// line for each statement where there is room. The rest is on the page.
std::string RenderScreen(const report::Report& report,
                         const Terminal& terminal);

// For Markdown with tables (GitHub's dialect). `charts` gives the address of a
// figure's picture by the figure's name; a figure without one shows its
// caption.
std::string RenderMarkdown(const report::Report& report,
                           const std::map<std::string, std::string>& charts);

// One HTML page with nothing outside it. `charts` gives a figure's picture as
// SVG text by the figure's name; each must have passed CheckSvg.
std::string RenderHtml(const report::Report& report,
                       const std::map<std::string, std::string>& charts);

// InvalidArgument unless `svg` is a picture that can stand inside a page: an
// svg element without scripts and without addresses outside itself. The error
// begins with `name`.
absl::Status CheckSvg(std::string_view name, std::string_view svg);

}  // namespace repro16

#endif  // REPRO16_REPORTS_RENDER_H_
