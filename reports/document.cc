#include "reports/document.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "reports/data_files.h"
#include "reports/document_parts.h"

namespace repro16 {
namespace {

std::string WithUnit(std::string text, const std::string& unit) {
  return unit.empty() || text.empty() ? text : absl::StrCat(text, " ", unit);
}

void AddVerdict(report::Verdict verdict, GridCell& cell) {
  if (verdict == report::VERDICT_NONE) return;
  cell.push_back({VerdictLabel(verdict), CellLine::Style::kVerdict, verdict});
}

// ---- Expectations -----------------------------------------------------------

// Worst first: what differs must not hide under what matches.
int Rank(report::Verdict verdict) {
  switch (verdict) {
    case report::VERDICT_DIFFER:
      return 0;
    case report::VERDICT_INCONCLUSIVE:
      return 1;
    case report::VERDICT_MATCH:
      return 2;
    case report::VERDICT_NOT_JUDGED_AT_THIS_SCALE:
      return 3;
    case report::VERDICT_NOT_RUN:
      return 4;
    default:
      return 5;
  }
}

GridCell OursCell(const report::Expectation& expectation) {
  GridCell cell;
  AddLine(OursText(expectation), CellLine::Style::kPlain, cell);
  return cell;
}

GridCell DifferenceCell(const report::Expectation& expectation) {
  GridCell cell;
  if (expectation.has_difference()) {
    AddLine(
        WithUnit(FormatSigned(expectation.difference(), 3), expectation.unit()),
        CellLine::Style::kPlain, cell);
  }
  if (expectation.has_interval()) {
    AddLine(absl::StrFormat("%g%% %s", 100 * expectation.interval().level(),
                            FormatInterval(expectation.interval())),
            kSmall, cell);
  }
  if (expectation.has_margin()) {
    AddLine(
        absl::StrCat("margin ±", absl::StrFormat("%g", expectation.margin())),
        kSmall, cell);
  }
  return cell;
}

Grid StatementGrid(
    const std::vector<const report::Expectation*>& expectations) {
  Grid grid;
  grid.cards = true;
  grid.columns = {{"Expectation", false},
                  {"Paper", false},
                  {"Ours", false},
                  {"Difference", false},
                  {"Verdict", false}};
  for (const report::Expectation* expectation : expectations) {
    GridCell what = {{expectation->what()}};
    AddLine(expectation->place(), kSmall, what);
    AddLine(expectation->note(), kSmall, what);
    GridCell verdict;
    AddVerdict(expectation->verdict(), verdict);
    grid.rows.push_back({what,
                         {{PaperText(*expectation)}},
                         OursCell(*expectation),
                         DifferenceCell(*expectation),
                         verdict});
  }
  return grid;
}

void AddExpectations(const report::Report& report, std::vector<Block>& blocks) {
  if (report.expectations().empty()) return;
  blocks.push_back(Heading{"The paper and our runs"});
  const auto counted = Statements(report, true);
  if (!counted.empty()) blocks.push_back(StatementGrid(counted));
  const auto shown = Statements(report, false);
  if (!shown.empty()) {
    Grid grid = StatementGrid(shown);
    grid.title = "Shown and not counted";
    grid.caption =
        "Facts such as counts of parameters, and evidence that another "
        "statement has already.";
    blocks.push_back(std::move(grid));
  }
  if (report.data_files()) {
    std::get<Grid>(blocks.back()).files = DataFileNames(kStatementsId);
  }
  AddCommand(report.command(), blocks);
}

// ---- Tables, figures, findings ----------------------------------------------

GridCell TableCell(const report::Cell& cell) {
  GridCell lines;
  if (!cell.text().empty()) {
    AddLine(cell.text(), CellLine::Style::kPlain, lines);
  } else if (cell.has_number()) {
    AddLine(FormatNumber(cell.number()), CellLine::Style::kPlain, lines);
  }
  if (!cell.paper().empty()) {
    AddLine(absl::StrCat("paper ", cell.paper()), kSmall, lines);
  }
  AddLine(cell.note(), kSmall, lines);
  AddVerdict(cell.verdict(), lines);
  return lines;
}

// Whether there is more to a cell than its value.
bool IsRich(const report::Cell& cell) {
  return !cell.paper().empty() || !cell.note().empty() ||
         cell.verdict() != report::VERDICT_NONE;
}

void AddTable(const report::Table& table, bool data_files,
              std::vector<Block>& blocks) {
  Grid grid;
  // Numbers are compared down their columns; a cell of several lines is read by
  // itself. The first cell only names its row.
  for (const report::Row& row : table.rows()) {
    for (int i = 1; i < row.cells_size(); ++i) {
      grid.cards = grid.cards || IsRich(row.cells(i));
    }
  }
  grid.title = table.title();
  grid.caption = table.caption();
  if (data_files) grid.files = DataFileNames(TableId(table));
  for (int i = 0; i < table.columns_size(); ++i) {
    const bool numeric = std::any_of(
        table.rows().begin(), table.rows().end(), [i](const report::Row& row) {
          return i < row.cells_size() && row.cells(i).has_number();
        });
    grid.columns.push_back({TitleOf(table.columns(i)), numeric});
  }
  for (const report::Row& row : table.rows()) {
    std::vector<GridCell> cells;
    for (const report::Cell& cell : row.cells()) {
      cells.push_back(TableCell(cell));
    }
    cells.resize(grid.columns.size());
    grid.rows.push_back(std::move(cells));
  }
  blocks.push_back(std::move(grid));
  AddCommand(table.command(), blocks);
}

std::string KindLabel(report::Finding::Kind kind) {
  switch (kind) {
    case report::Finding::CONTRADICTION:
      return "Contradiction";
    case report::Finding::AGREEMENT:
      return "Agreement";
    case report::Finding::LIMITATION:
      return "Limit of our work";
    default:
      return "Not stated in the paper";
  }
}

void AddFindings(const report::Report& report, std::vector<Block>& blocks) {
  if (report.findings().empty()) return;
  blocks.push_back(Heading{"Findings"});
  for (const report::Finding& finding : report.findings()) {
    blocks.push_back(Callout{finding.kind(), KindLabel(finding.kind()),
                             finding.title(), finding.text(), finding.place()});
  }
}

}  // namespace

// ---- The parts --------------------------------------------------------------

std::vector<const report::Table*> MainTables(const report::Report& report) {
  std::vector<const report::Table*> tables;
  for (const report::Table& table : report.tables()) {
    if (table.main()) tables.push_back(&table);
  }
  if (tables.empty() && !report.tables().empty()) {
    tables.push_back(&report.tables(0));
  }
  return tables;
}

std::vector<const report::Table*> OtherTables(const report::Report& report) {
  const std::vector<const report::Table*> main = MainTables(report);
  std::vector<const report::Table*> tables;
  for (const report::Table& table : report.tables()) {
    if (std::find(main.begin(), main.end(), &table) == main.end()) {
      tables.push_back(&table);
    }
  }
  return tables;
}

std::vector<const report::Expectation*> Statements(const report::Report& report,
                                                   bool counted) {
  std::vector<const report::Expectation*> statements;
  for (const report::Expectation& expectation : report.expectations()) {
    if (expectation.uncounted() != counted) statements.push_back(&expectation);
  }
  std::stable_sort(statements.begin(), statements.end(),
                   [](const auto* a, const auto* b) {
                     return Rank(a->verdict()) < Rank(b->verdict());
                   });
  return statements;
}

Document StartDocument(const report::Report& report) {
  Document document;
  document.title = report.title();
  document.answer.assign(report.answer().begin(), report.answer().end());
  document.tally = TallyOf(report);
  document.headline = Headline(document.tally);
  document.badge = ScaleBadge(report);
  document.scale = report.scale();
  document.claim = report.claim().text();
  document.claim_place = report.claim().place();
  return document;
}

Document DocumentOf(const report::Report& report) {
  Document document = StartDocument(report);
  std::vector<Block>& blocks = document.blocks;
  const auto add_summary = [&] {
    for (const std::string& paragraph : report.summary()) {
      blocks.push_back(Paragraph{paragraph});
    }
  };
  // What has no answer opens with its summary.
  if (report.answer().empty()) add_summary();
  for (const report::Table* table : MainTables(report)) {
    AddTable(*table, report.data_files(), blocks);
  }
  for (const report::Figure& figure : report.figures()) {
    blocks.push_back(Chart{&figure});
    AddCommand(figure.command(), blocks);
  }
  if (!report.answer().empty()) add_summary();
  AddExpectations(report, blocks);
  const auto others = OtherTables(report);
  if (!others.empty()) blocks.push_back(Heading{"More tables"});
  for (const report::Table* table : others) {
    AddTable(*table, report.data_files(), blocks);
  }
  AddFindings(report, blocks);
  if (report.provenance().toolkit().empty()) {  // else there are no runs
    AddTiming(report, blocks);
    AddMemory(report, blocks);
    AddRounding(report, blocks);
    AddRuns(report, blocks);
  }
  AddProvenance(report, blocks);
  return document;
}

}  // namespace repro16
