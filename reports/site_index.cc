#include "reports/site_index.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "reports/document.h"

namespace repro16 {
namespace {

using Style = CellLine::Style;

// Bytes of a claim that the glance shows; the page has all of it.
constexpr size_t kShortClaim = 180;

// The first words of a text, and "…" where there are more.
std::string FirstWords(std::string_view text, size_t most) {
  if (text.size() <= most) return std::string(text);
  return absl::StrCat(text.substr(0, text.rfind(' ', most)), " …");
}

// `file`: of the page.
CellLine LinkTo(const SitePage& page, std::string_view file, std::string text) {
  return {std::move(text), Style::kPlain, report::VERDICT_NONE,
          absl::StrCat(page.folder, "/", file)};
}

void AddSmall(std::string text, GridCell& cell) {
  if (!text.empty()) cell.push_back({std::move(text), Style::kSmall});
}

void AddDataWarning(const SitePage& page, GridCell& cell) {
  if (page.report.provenance().made_up_data()) {
    cell.push_back({"made-up data", Style::kWarning});
  }
}

// ---- At a glance ------------------------------------------------------------

GridCell VerdictsCell(const Tally& tally) {
  const std::pair<int, report::Verdict> counts[] = {
      {tally.differ, report::VERDICT_DIFFER},
      {tally.inconclusive, report::VERDICT_INCONCLUSIVE},
      {tally.match, report::VERDICT_MATCH},
      {tally.not_judged, report::VERDICT_NOT_JUDGED_AT_THIS_SCALE},
      {tally.not_run, report::VERDICT_NOT_RUN},
  };
  GridCell cell;
  for (const auto& [count, verdict] : counts) {
    if (count == 0) continue;
    cell.push_back({absl::StrCat(VerdictSign(verdict), " ", count, " ",
                                 VerdictWord(verdict)),
                    Style::kVerdict, verdict});
  }
  if (cell.empty()) AddSmall("nothing to judge", cell);
  return cell;
}

GridCell DataCell(const SitePage& page) {
  const report::Provenance& provenance = page.report.provenance();
  GridCell cell;
  AddDataWarning(page, cell);
  AddSmall(
      provenance.toolkit().empty() ? provenance.data() : provenance.toolkit(),
      cell);
  AddSmall(ScaleBadge(page.report), cell);
  return cell;
}

Grid Glance(const std::vector<SitePage>& pages, std::string_view file) {
  Grid grid;
  grid.cards = true;
  grid.columns = {{"Report", false},
                  {"What the paper says", false},
                  {"Verdicts", false},
                  {"Data and scale", false}};
  for (const SitePage& page : pages) {
    const report::Report& report = page.report;
    GridCell claim;
    if (!report.claim().text().empty()) {
      claim.push_back({FirstWords(report.claim().text(), kShortClaim)});
    }
    AddSmall(report.claim().place(), claim);
    GridCell title = {LinkTo(page, file, report.title())};
    AddSmall(page.folder, title);
    grid.rows.push_back({std::move(title), std::move(claim),
                         VerdictsCell(TallyOf(report)), DataCell(page)});
  }
  return grid;
}

// ---- What contradicts the paper, and what agrees ----------------------------

GridCell SourceCell(const SitePage& page, std::string_view file) {
  GridCell cell = {LinkTo(page, file, page.folder)};
  AddDataWarning(page, cell);
  return cell;
}

// The claims of the paper, which have the evidence of all other reports once.
constexpr std::string_view kClaims = "claims";

bool HasClaims(const std::vector<SitePage>& pages) {
  return std::any_of(pages.begin(), pages.end(), [](const SitePage& page) {
    return page.report.experiment() == kClaims;
  });
}

void AddGrid(std::string title, Grid grid, std::vector<Block>& blocks) {
  blocks.push_back(Heading{absl::StrCat(title, " (", grid.rows.size(), ")")});
  if (grid.rows.empty()) {
    blocks.push_back(Paragraph{"Nothing at this scale."});
  } else {
    blocks.push_back(std::move(grid));
  }
}

// The statements that are counted as this verdict; of the claims, where there
// are any.
void AddStatements(const std::vector<SitePage>& pages, std::string_view file,
                   std::string title, report::Verdict verdict,
                   std::vector<Block>& blocks) {
  Grid grid;
  grid.cards = true;
  grid.columns = {{"Statement", false},
                  {"Paper", false},
                  {"Ours", false},
                  {"Report", false}};
  const bool has_claims = HasClaims(pages);
  for (const SitePage& page : pages) {
    if (has_claims && page.report.experiment() != kClaims) continue;
    for (const report::Expectation& expectation : page.report.expectations()) {
      if (expectation.verdict() != verdict || expectation.uncounted()) continue;
      GridCell what = {{expectation.what()}};
      AddSmall(expectation.place(), what);
      grid.rows.push_back({std::move(what),
                           {{PaperText(expectation)}},
                           {{OursText(expectation)}},
                           SourceCell(page, file)});
    }
  }
  AddGrid(std::move(title), std::move(grid), blocks);
}

// A finding that says of an expectation what its verdict says.
bool IsOfAnExpectation(const report::Finding& finding,
                       const report::Report& report) {
  return std::any_of(report.expectations().begin(), report.expectations().end(),
                     [&](const report::Expectation& expectation) {
                       return expectation.what() == finding.title();
                     });
}

// What the reports found beside the statements; the claims sum up the others.
void AddFindings(const std::vector<SitePage>& pages, std::string_view file,
                 std::string title, report::Finding::Kind kind,
                 std::vector<Block>& blocks) {
  Grid grid;
  grid.cards = true;
  grid.columns = {{"Finding", false}, {"Report", false}};
  for (const SitePage& page : pages) {
    if (page.report.experiment() == kClaims) continue;
    for (const report::Finding& finding : page.report.findings()) {
      if (finding.kind() != kind || IsOfAnExpectation(finding, page.report)) {
        continue;
      }
      GridCell what = {{finding.title()}};
      AddSmall(finding.text(), what);
      AddSmall(finding.place(), what);
      grid.rows.push_back({std::move(what), SourceCell(page, file)});
    }
  }
  if (!grid.rows.empty()) AddGrid(std::move(title), std::move(grid), blocks);
}

// All reports as one, as far as tally and badge go. The claims, where they are
// among them, are counted alone.
report::Report Together(const std::vector<SitePage>& pages) {
  const bool has_claims = HasClaims(pages);
  report::Report all;
  for (const SitePage& page : pages) {
    all.set_scale(page.report.scale());
    if (!has_claims || page.report.experiment() == kClaims) {
      all.mutable_expectations()->MergeFrom(page.report.expectations());
    }
    if (page.report.provenance().made_up_data()) {
      all.mutable_provenance()->set_made_up_data(true);
    }
  }
  return all;
}

Document SiteDocument(const std::vector<SitePage>& pages, std::string_view file,
                      const report::Environment& environment) {
  const report::Report all = Together(pages);
  Document document;
  document.title = "Revisiting 16-bit Neural Network Training, checked";
  document.tally = TallyOf(all);
  document.headline = Headline(document.tally);
  document.badge = ScaleBadge(all);
  document.scale = all.scale();
  std::vector<Block>& blocks = document.blocks;
  blocks.push_back(Paragraph{
      "Every table, figure and claim of the paper has a report: what the "
      "paper says, what our runs gave, and whether the two agree."});
  blocks.push_back(Heading{"At a glance"});
  blocks.push_back(Glance(pages, file));
  AddStatements(pages, file, "What contradicts the paper",
                report::VERDICT_DIFFER, blocks);
  AddStatements(pages, file, "What agrees with the paper",
                report::VERDICT_MATCH, blocks);
  AddFindings(pages, file, "Found beside: against the paper",
              report::Finding::CONTRADICTION, blocks);
  AddFindings(pages, file, "Found beside: for the paper",
              report::Finding::AGREEMENT, blocks);
  Facts facts;
  for (const auto& [name, value] :
       {std::pair("Scale", all.scale()),
        {"Commit", environment.commit()},
        {"Date", environment.date()},
        {"Device", environment.device()},
        {"SIMD target", environment.simd_target()}}) {
    if (!value.empty()) facts.rows.emplace_back(name, value);
  }
  blocks.push_back(Heading{"Provenance"});
  blocks.push_back(std::move(facts));
  return document;
}

}  // namespace

std::string RenderSiteHtml(const std::vector<SitePage>& pages,
                           const report::Environment& environment) {
  return HtmlOf(SiteDocument(pages, "report.html", environment), {});
}

std::string RenderSiteMarkdown(const std::vector<SitePage>& pages,
                               const report::Environment& environment) {
  return MarkdownOf(SiteDocument(pages, "report.md", environment), {});
}

std::string RenderSiteTerminal(const std::vector<SitePage>& pages,
                               const report::Environment& environment,
                               const Terminal& terminal) {
  return TerminalOf(SiteDocument(pages, "report.html", environment), terminal);
}

}  // namespace repro16
