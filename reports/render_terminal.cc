#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/io/ascii.h"
#include "engine/io/terminal.h"
#include "reports/document.h"
#include "reports/render.h"

namespace repro16 {
namespace {

constexpr int kFewestColumns = 30;  // nothing is laid out for fewer
constexpr int kProseWidth = 100;    // long lines are hard to read
constexpr int kGap = 2;             // between columns
constexpr int kNarrowest = 8;       // no column is squeezed below this
constexpr int kUnbroken = 16;  // a value as short as this stays on one line
constexpr int kEnough = 24;  // no column asks for more before a table is split

// Characters on the screen: code points; the renderers use no wide or
// combining ones.
int Width(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (c & 0xC0) != 0x80; });
}

// Bytes of the longest prefix of `text` that is at most `width` wide.
size_t PrefixOfWidth(std::string_view text, int width) {
  size_t end = 0;
  for (int seen = 0; end < text.size(); ++end) {
    const bool starts_character = (text[end] & 0xC0) != 0x80;
    if (starts_character && seen++ == width) break;
  }
  return end;
}

// Lines at most `width` wide, broken at spaces; a longer word is cut.
std::vector<std::string> Wrap(std::string_view text, int width) {
  std::vector<std::string> lines;
  std::string line;
  for (std::string_view word : Words(text)) {
    if (!line.empty() && Width(line) + 1 + Width(word) > width) {
      lines.push_back(std::move(line));
      line.clear();
    }
    while (Width(word) > width) {
      const size_t cut = PrefixOfWidth(word, width);
      lines.emplace_back(word.substr(0, cut));
      word.remove_prefix(cut);
    }
    absl::StrAppend(&line, line.empty() ? "" : " ", word);
  }
  if (!line.empty()) lines.push_back(std::move(line));
  return lines;
}

int LongestWord(std::string_view text) {
  int longest = 0;
  for (std::string_view word : Words(text)) {
    longest = std::max(longest, Width(word));
  }
  return longest;
}

// How wide column i must be to be read well; two such columns fit into `width`.
int NeededWidth(const Grid& grid, size_t i, int width) {
  int needed = LongestWord(grid.columns[i].title);
  for (const std::vector<GridCell>& row : grid.rows) {
    for (const CellLine& line : row[i]) {
      const bool whole = line.style != CellLine::Style::kSmall &&
                         Width(line.text) <= kUnbroken;
      needed =
          std::max(needed, whole ? Width(line.text) : LongestWord(line.text));
    }
  }
  return std::min({needed, kEnough, (width - kGap) / 2});
}

// While the table is wider than `width`, the widest column above its least
// gives way.
void Squeeze(const std::vector<int>& least, int width,
             std::vector<int>& widths) {
  const int gaps = kGap * (static_cast<int>(widths.size()) - 1);
  while (std::accumulate(widths.begin(), widths.end(), gaps) > width) {
    int* widest = nullptr;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (widths[i] <= least[i]) continue;
      if (widest == nullptr || widths[i] > *widest) widest = &widths[i];
    }
    if (widest == nullptr) return;
    --*widest;
  }
}

// The table itself, or where it is wider than `most` several with its columns
// in turn, each led by the first column.
std::vector<Grid> Parts(const Grid& grid, int most) {
  std::vector<Grid> parts;
  int width = most + 1;  // of the last part; none can take a column yet
  for (size_t i = 0; i < grid.columns.size(); ++i) {
    const int needed = kGap + NeededWidth(grid, i, most);
    if (width + needed > most + kGap) {
      parts.emplace_back();
      parts.back().rows.resize(grid.rows.size());
      width = 0;
    }
    const bool led = !parts.back().columns.empty() || i == 0;
    for (const size_t column :
         led ? std::vector<size_t>{i} : std::vector<size_t>{0, i}) {
      parts.back().columns.push_back(grid.columns[column]);
      for (size_t y = 0; y < grid.rows.size(); ++y) {
        parts.back().rows[y].push_back(grid.rows[y][column]);
      }
      width += kGap + NeededWidth(grid, column, most);
    }
  }
  return parts;
}

class TerminalRenderer {
 public:
  explicit TerminalRenderer(const Terminal& terminal)
      : color_(terminal.color),
        unicode_(terminal.unicode),
        width_(std::max(terminal.columns, kFewestColumns)),
        prose_width_(std::min(width_, kProseWidth)) {}

  std::string Render(const Document& document);

  void operator()(const Heading& heading);
  void operator()(const Paragraph& paragraph);
  void operator()(const Facts& facts);
  void operator()(const Grid& grid);
  void operator()(const Chart& chart);
  void operator()(const Callout& callout);
  void operator()(const Command& command);

 private:
  struct Line {
    std::string text;
    const char* code = "";
  };
  using Lines = std::vector<Line>;

  // `text` as it can be printed: a control character becomes a space, as a
  // report must not move the cursor; without Unicode it is ASCII.
  std::string Printable(std::string_view text) const;
  Grid Printable(Grid grid) const;
  // `text` in the style of an ANSI code, e.g. "1" for bold.
  std::string Styled(std::string_view text, std::string_view code) const;
  static const char* CodeOf(const CellLine& line);
  void Prose(std::string_view text, std::string_view code = "",
             std::string_view indent = "");
  std::vector<int> Widths(const Grid& grid) const;
  void Table(const Grid& grid);
  void GridRow(const std::vector<Lines>& cells, const Grid& grid,
               const std::vector<int>& widths);

  const bool color_;
  const bool unicode_;
  const int width_;
  const int prose_width_;
  std::string out_;
};

std::string TerminalRenderer::Printable(std::string_view text) const {
  std::string printable = unicode_ ? std::string(text) : Ascii(text);
  for (char& c : printable) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
  }
  return printable;
}

Grid TerminalRenderer::Printable(Grid grid) const {
  for (Grid::Column& column : grid.columns) {
    column.title = Printable(column.title);
  }
  for (std::vector<GridCell>& row : grid.rows) {
    for (GridCell& cell : row) {
      for (CellLine& line : cell) line.text = Printable(line.text);
    }
  }
  return grid;
}

std::string TerminalRenderer::Styled(std::string_view text,
                                     std::string_view code) const {
  if (!color_ || code.empty() || text.empty()) return std::string(text);
  return absl::StrCat("\033[", code, "m", text, "\033[0m");
}

const char* TerminalRenderer::CodeOf(const CellLine& line) {
  if (line.style == CellLine::Style::kSmall) return "2";
  if (line.style == CellLine::Style::kWarning) return "1;33";
  switch (line.verdict) {
    case report::VERDICT_MATCH:
      return "1;34";
    case report::VERDICT_DIFFER:
      return "1;31";
    case report::VERDICT_INCONCLUSIVE:
      return "1;33";
    default:
      return "";
  }
}

void TerminalRenderer::Prose(std::string_view text, std::string_view code,
                             std::string_view indent) {
  for (const std::string& line :
       Wrap(Printable(text), prose_width_ - Width(indent))) {
    absl::StrAppend(&out_, indent, Styled(line, code), "\n");
  }
}

std::string TerminalRenderer::Render(const Document& document) {
  Prose(document.title, "1");
  for (const std::string& sentence : document.answer) Prose(sentence);
  Prose(document.headline, "1");
  Prose(document.badge, "7");
  if (!document.claim.empty()) {
    absl::StrAppend(&out_, "\n");
    Prose(absl::StrCat("The paper, ", document.claim_place, ": ",
                       document.claim));
  }
  bool after_heading = false;
  for (const Block& block : document.blocks) {
    if (!after_heading) absl::StrAppend(&out_, "\n");
    std::visit(*this, block);
    after_heading = std::holds_alternative<Heading>(block);
  }
  return std::move(out_);
}

// "── Title ─────", a rule to the full width.
void TerminalRenderer::operator()(const Heading& heading) {
  std::string_view lead = "── ";
  int left = 0;  // of the last line, for the rule
  for (const std::string& line :
       Wrap(Printable(heading.text), prose_width_ - Width(lead))) {
    if (left != 0) absl::StrAppend(&out_, "\n");
    absl::StrAppend(&out_, Printable(lead), Styled(line, "1"));
    left = prose_width_ - Width(lead) - Width(line);
    lead = "   ";
  }
  std::string rule;
  for (int i = 1; i < left; ++i) rule += "─";
  absl::StrAppend(&out_, rule.empty() ? "" : " ", Printable(rule), "\n");
}

void TerminalRenderer::operator()(const Paragraph& paragraph) {
  Prose(paragraph.text);
}

void TerminalRenderer::operator()(const Facts& facts) {
  size_t widest = 0;
  for (const auto& [name, value] : facts.rows) {
    widest = std::max(widest, name.size());  // the names are ours, and ASCII
  }
  for (const auto& [name, value] : facts.rows) {
    std::string label = name;
    label.resize(widest + kGap, ' ');
    for (const std::string& line :
         Wrap(Printable(value), prose_width_ - Width(label))) {
      absl::StrAppend(&out_, Styled(label, "2"), line, "\n");
      label.assign(label.size(), ' ');
    }
  }
}

// Natural widths, or where the table is too wide what fits: first no column
// gets less than it needs.
std::vector<int> TerminalRenderer::Widths(const Grid& grid) const {
  std::vector<int> widths, needed;
  for (size_t i = 0; i < grid.columns.size(); ++i) {
    needed.push_back(NeededWidth(grid, i, width_));
    int width = Width(grid.columns[i].title);
    for (const std::vector<GridCell>& row : grid.rows) {
      for (const CellLine& line : row[i]) {
        width = std::max(width, Width(line.text));
      }
    }
    widths.push_back(width);
  }
  Squeeze(needed, width_, widths);
  Squeeze(std::vector<int>(widths.size(), kNarrowest), width_, widths);
  return widths;
}

void TerminalRenderer::GridRow(const std::vector<Lines>& cells,
                               const Grid& grid,
                               const std::vector<int>& widths) {
  size_t height = 0;
  for (const Lines& lines : cells) height = std::max(height, lines.size());
  for (size_t y = 0; y < height; ++y) {
    std::string row;
    int pending = 0;  // spaces are written only before text: none at the end
    for (size_t i = 0; i < cells.size(); ++i) {
      const Line line = y < cells[i].size() ? cells[i][y] : Line{};
      const int fill = widths[i] - Width(line.text);
      const bool right = grid.columns[i].numeric;
      if (!line.text.empty()) {
        row.append(pending + (right ? fill : 0), ' ');
        absl::StrAppend(&row, Styled(line.text, line.code));
        pending = right ? 0 : fill;
      } else {
        pending += fill;
      }
      pending += kGap;
    }
    absl::StrAppend(&out_, row, "\n");
  }
}

void TerminalRenderer::operator()(const Grid& grid) {
  Prose(grid.title, "1");
  Prose(grid.caption, "2");
  if (grid.folded) return;
  const char* between = "";
  for (const Grid& part : Parts(Printable(grid), width_)) {
    absl::StrAppend(&out_, between);
    Table(part);
    between = "\n";
  }
}

void TerminalRenderer::Table(const Grid& grid) {
  const std::vector<int> widths = Widths(grid);
  std::vector<Lines> header;
  for (size_t i = 0; i < grid.columns.size(); ++i) {
    Lines lines;
    for (std::string& text : Wrap(grid.columns[i].title, widths[i])) {
      lines.push_back({std::move(text), "4"});
    }
    header.push_back(std::move(lines));
  }
  GridRow(header, grid, widths);
  bool tall = false;  // rows of several lines are told apart by an empty one
  for (const std::vector<GridCell>& row : grid.rows) {
    std::vector<Lines> cells;
    size_t height = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      Lines lines;
      for (const CellLine& line : row[i]) {
        for (std::string& text : Wrap(line.text, widths[i])) {
          lines.push_back({std::move(text), CodeOf(line)});
        }
      }
      height = std::max(height, lines.size());
      cells.push_back(std::move(lines));
    }
    if (tall) absl::StrAppend(&out_, "\n");
    tall = height > 1;
    GridRow(cells, grid, widths);
  }
}

void TerminalRenderer::operator()(const Chart& chart) {
  Prose(chart.figure->title(), "1");
  Prose(chart.figure->caption());
}

void TerminalRenderer::operator()(const Callout& callout) {
  Prose(absl::StrCat(callout.label, ": ", callout.title), "1");
  Prose(callout.text, "", "  ");
  Prose(callout.place, "2", "  ");
}

// A long command goes on in further lines, as the shell takes them back.
void TerminalRenderer::operator()(const Command& command) {
  std::string rest = absl::StrCat("$ ", Printable(command.text));
  while (Width(rest) > prose_width_) {
    // A backslash joins the pieces of a word that is too long, too.
    const size_t most = PrefixOfWidth(rest, prose_width_ - 1);
    const size_t blank = rest.rfind(' ', most - 1);
    const bool in_word = blank == std::string::npos || blank <= 1;
    const size_t cut = in_word ? most : blank + 1;
    absl::StrAppend(&out_, Styled(rest.substr(0, cut) + "\\", "2"), "\n");
    rest.erase(0, cut);
  }
  absl::StrAppend(&out_, Styled(rest, "2"), "\n");
}

}  // namespace

std::string TerminalOf(const Document& document, const Terminal& terminal) {
  return TerminalRenderer(terminal).Render(document);
}

std::string RenderTerminal(const report::Report& report,
                           const Terminal& terminal) {
  return TerminalOf(DocumentOf(report), terminal);
}

}  // namespace repro16
