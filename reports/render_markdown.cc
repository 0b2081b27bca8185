#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "reports/document.h"
#include "reports/render.h"

namespace repro16 {
namespace {

// Everything that Markdown could read as markup inside a line, made harmless.
std::string Escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      out += ' ';
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '&') {
      out += "&amp;";
    } else {
      if (std::strchr("\\`*_{}[]#|~$", c) != nullptr) out += '\\';
      out += c;
    }
  }
  return out;
}

// The same for a text that begins a line, where "- ", "+ ", "1." begin a list.
std::string EscapeBlock(std::string_view text) {
  const std::string escaped = Escape(text);
  const size_t mark = escaped.find_first_not_of("0123456789");
  if (mark == std::string::npos || !std::strchr("-+=.)", escaped[mark])) {
    return escaped;
  }
  return absl::StrCat(escaped.substr(0, mark), "\\", escaped.substr(mark));
}

// Goes between angle brackets, so that it may hold spaces and brackets.
std::string Address(std::string_view address) {
  return absl::StrReplaceAll(address, {{"<", "%3C"}, {">", "%3E"}});
}

class MarkdownRenderer {
 public:
  explicit MarkdownRenderer(const std::map<std::string, std::string>& charts)
      : charts_(charts) {}

  std::string Render(const Document& document);

  void operator()(const Heading& heading) {
    absl::StrAppend(&out_, "## ", Escape(heading.text), "\n");
  }
  void operator()(const Paragraph& paragraph) {
    absl::StrAppend(&out_, EscapeBlock(paragraph.text), "\n");
  }
  void operator()(const Facts& facts);
  void operator()(const Grid& grid);
  void operator()(const Chart& chart);
  void operator()(const Callout& callout);
  void operator()(const Command& command);

 private:
  void Rows(const Grid& grid);
  static std::string CellText(const GridCell& cell);

  const std::map<std::string, std::string>& charts_;
  std::string out_;
};

std::string MarkdownRenderer::Render(const Document& document) {
  absl::StrAppend(&out_, "# ", Escape(document.title), "\n\n");
  for (const std::string& sentence : document.answer) {
    absl::StrAppend(&out_, EscapeBlock(sentence), "\n\n");
  }
  absl::StrAppend(&out_, "**", Escape(document.headline), "**\n\n**",
                  Escape(document.badge), "**\n");
  if (!document.claim.empty()) {
    absl::StrAppend(&out_, "\n> ", EscapeBlock(document.claim),
                    "\n>\n> — the paper, ", Escape(document.claim_place), "\n");
  }
  for (const Block& block : document.blocks) {
    absl::StrAppend(&out_, "\n");
    std::visit(*this, block);
  }
  return std::move(out_);
}

void MarkdownRenderer::operator()(const Facts& facts) {
  absl::StrAppend(&out_, "| | |\n| --- | --- |\n");
  for (const auto& [name, value] : facts.rows) {
    absl::StrAppend(&out_, "| ", Escape(name), " | ", Escape(value), " |\n");
  }
}

std::string MarkdownRenderer::CellText(const GridCell& cell) {
  std::string text;
  for (const CellLine& line : cell) {
    std::string escaped = Escape(line.text);
    if (!line.link.empty()) {
      escaped = absl::StrCat("[", escaped, "](<", Address(line.link), ">)");
    }
    absl::StrAppend(&text, text.empty() ? "" : "<br>");
    switch (line.style) {
      case CellLine::Style::kPlain:
        absl::StrAppend(&text, escaped);
        break;
      case CellLine::Style::kSmall:
        absl::StrAppend(&text, "<sub>", escaped, "</sub>");
        break;
      case CellLine::Style::kVerdict:
      case CellLine::Style::kWarning:
        absl::StrAppend(&text, "**", escaped, "**");
        break;
    }
  }
  return text;
}

void MarkdownRenderer::operator()(const Grid& grid) {
  if (!grid.title.empty()) {
    absl::StrAppend(&out_, "### ", Escape(grid.title), "\n\n");
  }
  if (!grid.caption.empty()) {
    absl::StrAppend(&out_, EscapeBlock(grid.caption), "\n\n");
  }
  if (grid.folded) {
    absl::StrAppend(&out_, "<details><summary>", grid.rows.size(),
                    " rows</summary>\n\n");
  }
  Rows(grid);
  if (grid.folded) absl::StrAppend(&out_, "\n</details>\n");
  if (grid.files.empty()) return;
  absl::StrAppend(&out_, "\n",
                  absl::StrJoin(grid.files, ", ",
                                [](std::string* out, const std::string& name) {
                                  absl::StrAppend(out, "[", Escape(name), "](<",
                                                  Address(name), ">)");
                                }),
                  "\n");
}

void MarkdownRenderer::Rows(const Grid& grid) {
  std::string titles = "|", rules = "|";
  for (const Grid::Column& column : grid.columns) {
    absl::StrAppend(&titles, " ", Escape(column.title), " |");
    absl::StrAppend(&rules, column.numeric ? " ---: |" : " --- |");
  }
  absl::StrAppend(&out_, titles, "\n", rules, "\n");
  for (const std::vector<GridCell>& row : grid.rows) {
    absl::StrAppend(&out_, "|");
    for (const GridCell& cell : row) {
      absl::StrAppend(&out_, " ", CellText(cell), " |");
    }
    absl::StrAppend(&out_, "\n");
  }
}

void MarkdownRenderer::operator()(const Chart& chart) {
  const report::Figure& figure = *chart.figure;
  absl::StrAppend(&out_, "### ", Escape(figure.title()), "\n\n");
  const auto picture = charts_.find(figure.name());
  if (picture != charts_.end()) {
    absl::StrAppend(&out_, "![", Escape(figure.title()), "](<",
                    Address(picture->second), ">)\n\n");
  }
  absl::StrAppend(&out_, EscapeBlock(figure.caption()), "\n");
}

void MarkdownRenderer::operator()(const Callout& callout) {
  absl::StrAppend(&out_, "**", Escape(callout.label), ": ",
                  Escape(callout.title), "**\n\n", EscapeBlock(callout.text),
                  "\n");
  if (!callout.place.empty()) {
    absl::StrAppend(&out_, "\n<sub>", Escape(callout.place), "</sub>\n");
  }
}

void MarkdownRenderer::operator()(const Command& command) {
  absl::StrAppend(&out_, "    ",
                  absl::StrReplaceAll(command.text, {{"\n", " "}}), "\n");
}

}  // namespace

std::string MarkdownOf(const Document& document,
                       const std::map<std::string, std::string>& charts) {
  return MarkdownRenderer(charts).Render(document);
}

std::string RenderMarkdown(const report::Report& report,
                           const std::map<std::string, std::string>& charts) {
  return MarkdownOf(DocumentOf(report), charts);
}

}  // namespace repro16
