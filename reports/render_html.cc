#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "reports/data_files.h"
#include "reports/document.h"
#include "reports/page_style.h"
#include "reports/render.h"

namespace repro16 {
namespace {

// Rows of a figure's data that the page shows as a table; the file linked
// beside it has all.
constexpr int kShownRecords = 100;

// A table with more columns than this is set in small type.
constexpr size_t kRoomyColumns = 8;

// For text and for attribute values in double quotes.
std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        // Control characters have no place in a page.
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
    }
  }
  return out;
}

// The same with short words kept on one line although they have a hyphen
// ("1E-3", "16-bit") or a space (intervals).
std::string EscapeUnbroken(std::string_view text) {
  constexpr size_t kShort = 20;
  return absl::StrJoin(
      Words(text), " ", [](std::string* out, std::string_view word) {
        const bool keep = word.size() <= kShort &&
                          word.find_first_of("- ", 1) != std::string_view::npos;
        absl::StrAppend(out, keep ? "<span class=\"word\">" : "", Escape(word),
                        keep ? "</span>" : "");
      });
}

const char* VerdictClass(report::Verdict verdict) {
  switch (verdict) {
    case report::VERDICT_MATCH:
      return "match";
    case report::VERDICT_DIFFER:
      return "differ";
    case report::VERDICT_INCONCLUSIVE:
      return "inconclusive";
    default:
      return "none";
  }
}

const char* KindClass(report::Finding::Kind kind) {
  switch (kind) {
    case report::Finding::CONTRADICTION:
      return "contradiction";
    case report::Finding::AGREEMENT:
      return "agreement";
    case report::Finding::LIMITATION:
      return "limitation";
    default:
      return "unstated";
  }
}

// Inside a page an svg element needs no namespace.
std::string Inline(std::string_view svg) {
  return absl::StrReplaceAll(
      svg, {{" xmlns=\"http://www.w3.org/2000/svg\"", ""},
            {" xmlns:xlink=\"http://www.w3.org/1999/xlink\"", ""}});
}

class HtmlRenderer {
 public:
  explicit HtmlRenderer(const std::map<std::string, std::string>& charts)
      : charts_(charts) {}

  std::string Render(const Document& document);

  void operator()(const Heading& heading) { Element("h2", heading.text); }
  void operator()(const Paragraph& paragraph) { Element("p", paragraph.text); }
  void operator()(const Facts& facts);
  void operator()(const Grid& grid);
  void operator()(const Chart& chart);
  void operator()(const Callout& callout);
  void operator()(const Command& command) { Element("pre", command.text); }

 private:
  // `open` is a tag with its attributes. Nothing where `text` is empty.
  void Element(std::string_view open, std::string_view text) {
    if (text.empty()) return;
    const std::string_view tag = open.substr(0, open.find(' '));
    absl::StrAppend(&out_, "<", open, ">", Escape(text), "</", tag, ">\n");
  }
  void Header(const Document& document);
  void TallyItem(int count, report::Verdict verdict);
  void Cell(const GridCell& cell, const Grid::Column& column);
  void Rows(const Grid& grid);
  void Files(const std::vector<std::string>& names);
  void Data(const report::Dataset& dataset);

  const std::map<std::string, std::string>& charts_;
  std::string out_;
};

std::string HtmlRenderer::Render(const Document& document) {
  absl::StrAppend(&out_,
                  "<!doctype html>\n<html lang=\"en\">\n<head>\n"
                  "<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                  "content=\"width=device-width, initial-scale=1\">\n");
  Element("title", document.title);
  absl::StrAppend(&out_, "<style>", kPageStyle,
                  "</style>\n</head>\n<body>\n<main>\n");
  Header(document);
  for (const Block& block : document.blocks) std::visit(*this, block);
  absl::StrAppend(&out_, "</main>\n</body>\n</html>\n");
  return std::move(out_);
}

void HtmlRenderer::TallyItem(int count, report::Verdict verdict) {
  absl::StrAppend(&out_, "<li class=\"", VerdictClass(verdict),
                  count == 0 ? " zero" : "", "\">", VerdictSign(verdict), " ",
                  count, " ", VerdictWord(verdict), "</li>\n");
}

void HtmlRenderer::Header(const Document& document) {
  const Tally& tally = document.tally;
  absl::StrAppend(&out_, "<header>\n");
  Element("h1", document.title);
  for (const std::string& sentence : document.answer) {
    Element("p class=\"answer\"", sentence);
  }
  absl::StrAppend(&out_, "<ul class=\"tally\">\n");
  TallyItem(tally.match, report::VERDICT_MATCH);
  TallyItem(tally.differ, report::VERDICT_DIFFER);
  TallyItem(tally.inconclusive, report::VERDICT_INCONCLUSIVE);
  TallyItem(tally.not_run, report::VERDICT_NOT_RUN);
  if (tally.not_judged > 0) {
    TallyItem(tally.not_judged, report::VERDICT_NOT_JUDGED_AT_THIS_SCALE);
  }
  absl::StrAppend(&out_, "</ul>\n");
  Element(document.scale == "paper" ? "p class=\"badge paper\""
                                    : "p class=\"badge\"",
          document.badge);
  if (!document.claim.empty()) {
    absl::StrAppend(&out_, "<blockquote>\n");
    Element("p", document.claim);
    Element("footer", absl::StrCat("The paper, ", document.claim_place));
    absl::StrAppend(&out_, "</blockquote>\n");
  }
  absl::StrAppend(&out_, "</header>\n");
}

void HtmlRenderer::operator()(const Facts& facts) {
  absl::StrAppend(&out_, "<dl>\n");
  for (const auto& [name, value] : facts.rows) {
    Element("dt", name);
    absl::StrAppend(&out_, "<dd>", Escape(value), "</dd>\n");
  }
  absl::StrAppend(&out_, "</dl>\n");
}

void HtmlRenderer::Cell(const GridCell& cell, const Grid::Column& column) {
  const char* css = cell.empty() ? "empty" : column.numeric ? "num" : "";
  absl::StrAppend(&out_, "<td",
                  *css ? absl::StrCat(" class=\"", css, "\"") : "",
                  " data-label=\"", Escape(column.title), "\"><div>");
  for (const CellLine& line : cell) {
    std::string text = EscapeUnbroken(line.text);
    if (!line.link.empty()) {
      text = absl::StrCat("<a href=\"", Escape(line.link), "\">", text, "</a>");
    }
    switch (line.style) {
      case CellLine::Style::kPlain:
        absl::StrAppend(&out_, &line == &cell.front() ? "" : "<br>", text);
        break;
      case CellLine::Style::kSmall:
        absl::StrAppend(&out_, "<small>", text, "</small>");
        break;
      case CellLine::Style::kVerdict:
        absl::StrAppend(&out_, "<span class=\"verdict ",
                        VerdictClass(line.verdict), "\">", text, "</span>");
        break;
      case CellLine::Style::kWarning:
        absl::StrAppend(&out_, "<strong class=\"warning\">", text, "</strong>");
        break;
    }
  }
  absl::StrAppend(&out_, "</div></td>\n");
}

void HtmlRenderer::operator()(const Grid& grid) {
  const bool dense = grid.columns.size() > kRoomyColumns;
  absl::StrAppend(&out_, dense ? "<section class=\"dense\">\n" : "<section>\n");
  Element("h3", grid.title);
  Element("p class=\"caption\"", grid.caption);
  if (grid.folded) {
    absl::StrAppend(&out_, "<details><summary>", FormatCount(grid.rows.size()),
                    " rows</summary>\n");
  }
  Rows(grid);
  if (grid.folded) absl::StrAppend(&out_, "</details>\n");
  Files(grid.files);
  absl::StrAppend(&out_, "</section>\n");
}

void HtmlRenderer::Rows(const Grid& grid) {
  absl::StrAppend(&out_, "<div class=\"scroll\">\n<table class=\"",
                  grid.cards ? "cards" : "plain", "\">\n<thead><tr>\n");
  for (const Grid::Column& column : grid.columns) {
    absl::StrAppend(&out_, "<th scope=\"col\"",
                    column.numeric ? " class=\"num\"" : "", ">",
                    Escape(column.title), "</th>\n");
  }
  absl::StrAppend(&out_, "</tr></thead>\n<tbody>\n");
  for (const std::vector<GridCell>& row : grid.rows) {
    absl::StrAppend(&out_, "<tr>\n");
    for (size_t i = 0; i < row.size(); ++i) Cell(row[i], grid.columns[i]);
    absl::StrAppend(&out_, "</tr>\n");
  }
  absl::StrAppend(&out_, "</tbody>\n</table>\n</div>\n");
}

void HtmlRenderer::Files(const std::vector<std::string>& names) {
  if (names.empty()) return;
  absl::StrAppend(&out_, "<p class=\"files\">");
  for (const std::string& name : names) {
    absl::StrAppend(&out_, &name == &names.front() ? "" : ", ", "<a href=\"",
                    Escape(name), "\">", Escape(name), "</a>");
  }
  absl::StrAppend(&out_, "</p>\n");
}

// The data as a file inside the page, and its first records as a table.
void HtmlRenderer::Data(const report::Dataset& dataset) {
  absl::StrAppend(&out_, "<p><a download=\"", Escape(dataset.name()),
                  ".csv\" href=\"data:text/csv;base64,",
                  absl::Base64Escape(CsvOf(dataset)), "\">",
                  Escape(dataset.name()), ".csv</a>, ",
                  FormatCount(dataset.records_size()), " records</p>\n",
                  "<div class=\"scroll\"><table><thead><tr>");
  for (const std::string& field : dataset.fields()) {
    absl::StrAppend(&out_, "<th scope=\"col\">", Escape(field), "</th>");
  }
  absl::StrAppend(&out_, "</tr></thead>\n<tbody>\n");
  const int shown = std::min(dataset.records_size(), kShownRecords);
  for (int i = 0; i < shown; ++i) {
    absl::StrAppend(&out_, "<tr>");
    for (const report::Value& value : dataset.records(i).values()) {
      absl::StrAppend(&out_, "<td>",
                      value.has_number() ? FormatNumber(value.number())
                                         : Escape(value.text()),
                      "</td>");
    }
    absl::StrAppend(&out_, "</tr>\n");
  }
  absl::StrAppend(&out_, "</tbody></table></div>\n");
}

void HtmlRenderer::operator()(const Chart& chart) {
  const report::Figure& figure = *chart.figure;
  absl::StrAppend(&out_, "<figure>\n");
  Element("h3", figure.title());
  const auto picture = charts_.find(figure.name());
  if (picture != charts_.end()) {
    absl::StrAppend(&out_, "<div class=\"scroll\" role=\"img\" aria-label=\"",
                    Escape(figure.title()), "\">", Inline(picture->second),
                    "</div>\n");
  }
  Element("figcaption", figure.caption());
  if (!figure.datasets().empty()) {
    absl::StrAppend(&out_, "<details><summary>Data</summary>\n");
    for (const report::Dataset& dataset : figure.datasets()) Data(dataset);
    absl::StrAppend(&out_, "</details>\n");
  }
  absl::StrAppend(&out_, "</figure>\n");
}

void HtmlRenderer::operator()(const Callout& callout) {
  absl::StrAppend(&out_, "<div class=\"finding ", KindClass(callout.kind),
                  "\">\n");
  Element("span class=\"kind\"", callout.label);
  Element("h3", callout.title);
  Element("p", callout.text);
  Element("p class=\"place\"", callout.place);
  absl::StrAppend(&out_, "</div>\n");
}

}  // namespace

absl::Status CheckSvg(std::string_view name, std::string_view svg) {
  if (!absl::StartsWith(svg, "<svg")) {
    return absl::InvalidArgumentError(absl::StrCat(
        name, ": not an SVG picture: it must begin with \"<svg\""));
  }
  const std::string inside = Inline(svg);
  for (const char* unwanted :
       {"<script", "<foreignobject", "<image",
        "http:", "https:", "javascript:", "@import", " onload", " onclick"}) {
    if (absl::StrContainsIgnoreCase(inside, unwanted)) {
      return absl::InvalidArgumentError(absl::StrCat(
          name, ": has \"", absl::StripLeadingAsciiWhitespace(unwanted),
          "\"; a picture in a report must be self-contained"));
    }
  }
  return absl::OkStatus();
}

std::string HtmlOf(const Document& document,
                   const std::map<std::string, std::string>& charts) {
  return HtmlRenderer(charts).Render(document);
}

std::string RenderHtml(const report::Report& report,
                       const std::map<std::string, std::string>& charts) {
  return HtmlOf(DocumentOf(report), charts);
}

}  // namespace repro16
