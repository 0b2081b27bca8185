// The report on one screen: the answer, the paper's table with ours beside it,
// and the statements as far as there is room.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "reports/document_parts.h"
#include "reports/render.h"

namespace repro16 {
namespace {

constexpr int kLines = 40;     // a few more follow, of the page
constexpr int kColumns = 100;  // wider lines are hard to read across

// A number's own digits: "75.8" of "75.8 ± 0.3 (5)"; other texts as they are.
std::string Digits(std::string_view text) {
  const std::string_view word = text.substr(0, text.find(' '));
  const size_t sign = word.find_first_not_of("+-");
  const bool is_number =
      sign != std::string_view::npos && absl::ascii_isdigit(word[sign]);
  return std::string(is_number ? word : text);
}

// "75.8 (76.0) ✓": ours, the paper's, the verdict.
GridCell ShortCell(const report::Cell& cell) {
  std::string text = cell.text();
  if (cell.has_number()) {
    text = text.empty() ? FormatNumber(cell.number()) : Digits(text);
  }
  if (!cell.paper().empty()) {
    absl::StrAppend(&text, text.empty() ? "" : " ", "(", Digits(cell.paper()),
                    ")");
  }
  if (cell.verdict() != report::VERDICT_NONE) {
    absl::StrAppend(&text, text.empty() ? "" : " ",
                    VerdictSign(cell.verdict()));
  }
  GridCell lines;
  AddLine(std::move(text), CellLine::Style::kPlain, lines);
  for (CellLine& line : lines) line.verdict = cell.verdict();
  return lines;
}

bool HasPaper(const report::Table& table) {
  for (const report::Row& row : table.rows()) {
    for (const report::Cell& cell : row.cells()) {
      if (!cell.paper().empty()) return true;
    }
  }
  return false;
}

Grid ShortTable(const report::Table& table) {
  Grid grid;
  grid.title = absl::StrCat(table.title(),
                            HasPaper(table) ? ": ours (the paper's)" : "");
  for (const report::Column& column : table.columns()) {
    grid.columns.push_back({TitleOf(column), false});
  }
  for (const report::Row& row : table.rows()) {
    std::vector<GridCell> cells;
    for (const report::Cell& cell : row.cells()) {
      cells.push_back(ShortCell(cell));
    }
    for (size_t i = 1; i < cells.size(); ++i) {
      grid.columns[i].numeric = grid.columns[i].numeric ||
                                row.cells(static_cast<int>(i)).has_number();
    }
    grid.rows.push_back(std::move(cells));
  }
  return grid;
}

// At most so many columns, where the words allow it.
std::string Shortened(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  const size_t blank = text.rfind(' ', most - 2);
  // Between two words, and so between two characters.
  return blank == std::string::npos ? text
                                    : absl::StrCat(text.substr(0, blank), " …");
}

// A line for each statement.
Grid ShortStatements(
    const std::vector<const report::Expectation*>& statements) {
  Grid grid;
  grid.columns = {
      {"", false}, {"Statement", false}, {"Paper", false}, {"Ours", false}};
  for (const report::Expectation* statement : statements) {
    grid.rows.push_back({{{VerdictSign(statement->verdict())}},
                         {{Shortened(statement->what(), 48)}},
                         {{Shortened(PaperText(*statement), 18)}},
                         {{Shortened(OursText(*statement), 26)}}});
    grid.rows.back()[0][0].verdict = statement->verdict();
  }
  return grid;
}

// What the terminal shows of a document, as long as it has room.
class Screen {
 public:
  Screen(Document document, const Terminal& terminal)
      : document_(std::move(document)), terminal_(terminal) {
    terminal_.columns = std::min(terminal_.columns, kColumns);
  }

  // Whether the block, after what is there, fits; only then it is added.
  bool Add(Block block) {
    document_.blocks.push_back(std::move(block));
    const std::string text = Text();
    if (std::count(text.begin(), text.end(), '\n') <= kLines) return true;
    document_.blocks.pop_back();
    return false;
  }

  // The same with fewer of its rows where it does not fit, down to `fewest`;
  // false: it is left to the page.
  bool AddSome(Grid grid, size_t fewest) {
    const size_t rows = grid.rows.size();
    while (!Add(grid)) {
      if (grid.rows.size() <= fewest) return false;
      grid.rows.pop_back();
      grid.caption = absl::StrCat("The first ", grid.rows.size(), " of ", rows,
                                  " rows; the page has all.");
    }
    return true;
  }

  std::string Text() const { return TerminalOf(document_, terminal_); }

 private:
  Document document_;
  Terminal terminal_;
};

}  // namespace

std::string RenderScreen(const report::Report& report,
                         const Terminal& terminal) {
  Document document = StartDocument(report);
  // An answer says what the paper claims.
  if (!document.answer.empty()) document.claim.clear();
  Screen screen(std::move(document), terminal);
  for (const report::Table* table : MainTables(report)) {
    // Less than half of a table tells little.
    const size_t half = (table->rows_size() + 1) / 2;
    if (!screen.AddSome(ShortTable(*table), half)) break;
  }
  // The first of the statements are those that differ.
  const auto statements = Statements(report, true);
  if (!statements.empty()) screen.AddSome(ShortStatements(statements), 3);
  return screen.Text();
}

}  // namespace repro16
