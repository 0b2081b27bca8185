// The first page of the site: the verdicts of all experiments at a glance, what
// contradicts the paper as prominently as what agrees with it, and the way to
// each report's own page. Pure functions: equal reports give equal bytes.
#ifndef REPRO16_REPORTS_SITE_INDEX_H_
#define REPRO16_REPORTS_SITE_INDEX_H_

#include <string>
#include <vector>

#include "engine/io/terminal.h"
#include "reports/report.pb.h"

namespace repro16 {

// A report whose page is `<folder>/report.html` beside the index, or report.md.
struct SitePage {
  std::string folder;  // e.g. "fig1/cifar10"
  report::Report report;
};

// `pages` in the order in which they are shown, all of one scale;
// `environment` says where and when the site is written.
std::string RenderSiteHtml(const std::vector<SitePage>& pages,
                           const report::Environment& environment);

// The same for a repository's reader: the pages are those in Markdown.
std::string RenderSiteMarkdown(const std::vector<SitePage>& pages,
                               const report::Environment& environment);

// The same for a terminal, see RenderTerminal.
std::string RenderSiteTerminal(const std::vector<SitePage>& pages,
                               const report::Environment& environment,
                               const Terminal& terminal);

}  // namespace repro16

#endif  // REPRO16_REPORTS_SITE_INDEX_H_
