#include "reports/document.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"

namespace repro16 {
namespace {

constexpr CellLine::Style kSmall = CellLine::Style::kSmall;

std::string WithUnit(std::string text, const std::string& unit) {
  return unit.empty() || text.empty() ? text : absl::StrCat(text, " ", unit);
}

void AddLine(std::string text, CellLine::Style style, GridCell& cell) {
  if (!text.empty()) cell.push_back({std::move(text), style});
}

void AddVerdict(report::Verdict verdict, GridCell& cell) {
  if (verdict == report::VERDICT_NONE) return;
  cell.push_back({VerdictLabel(verdict), CellLine::Style::kVerdict, verdict});
}

void AddCommand(const std::string& command, std::vector<Block>& blocks) {
  if (!command.empty()) blocks.push_back(Command{command});
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

void AddExpectations(const report::Report& report, std::vector<Block>& blocks) {
  if (report.expectations().empty()) return;
  std::vector<const report::Expectation*> sorted;
  for (const report::Expectation& expectation : report.expectations()) {
    sorted.push_back(&expectation);
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto* a, const auto* b) {
                     return Rank(a->verdict()) < Rank(b->verdict());
                   });
  Grid grid;
  grid.cards = true;
  grid.columns = {{"Expectation", false},
                  {"Paper", false},
                  {"Ours", false},
                  {"Difference", false},
                  {"Verdict", false}};
  for (const report::Expectation* expectation : sorted) {
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
  blocks.push_back(Heading{"The paper and our runs"});
  blocks.push_back(std::move(grid));
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

void AddTable(const report::Table& table, std::vector<Block>& blocks) {
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
  for (int i = 0; i < table.columns_size(); ++i) {
    const report::Column& column = table.columns(i);
    const bool numeric = std::any_of(
        table.rows().begin(), table.rows().end(), [i](const report::Row& row) {
          return i < row.cells_size() && row.cells(i).has_number();
        });
    grid.columns.push_back(
        {column.unit().empty()
             ? column.title()
             : absl::StrCat(column.title(), " (", column.unit(), ")"),
         numeric});
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

// ---- Rounding ---------------------------------------------------------------

GridCell CountCell(uint64_t count, uint64_t stored) {
  GridCell cell = {{FormatCount(count)}};
  if (count > 0 && stored > 0) {
    AddLine(absl::StrCat(FormatNumber(100.0 * count / stored, 2), "%"), kSmall,
            cell);
  }
  return cell;
}

GridCell PolicyCell(const report::PolicyCounts& policy) {
  GridCell cell = {{policy.policy()}};
  AddLine(absl::StrCat(policy.runs(), policy.runs() == 1 ? " run" : " runs"),
          kSmall, cell);
  if (policy.skipped_steps() > 0) {
    AddLine(absl::StrCat(FormatCount(policy.skipped_steps()),
                         " steps skipped by loss scaling"),
            kSmall, cell);
  }
  if (policy.non_finite_runs() > 0) {
    AddLine(absl::StrCat("not finite in ", policy.non_finite_runs(),
                         ", first: ", policy.first_non_finite()),
            kSmall, cell);
  }
  return cell;
}

void AddPolicyRows(const report::PolicyCounts& policy, Grid& grid) {
  const std::array<std::pair<const char*, const StoreCounts*>, 4> kinds = {{
      {"activations", &policy.counts().activations()},
      {"gradients of activations", &policy.counts().activation_gradients()},
      {"gradients of weights", &policy.counts().weight_gradients()},
      {"parameters, slots", &policy.counts().parameters()},
  }};
  bool first = true;
  for (const auto& [name, counts] : kinds) {
    const uint64_t stored = counts->stored();
    if (stored == 0) continue;
    grid.rows.push_back({first ? PolicyCell(policy) : GridCell{},
                         {{name}},
                         {{FormatCount(stored)}},
                         CountCell(counts->underflow(), stored),
                         CountCell(counts->infinite(), stored),
                         CountCell(counts->nan(), stored)});
    first = false;
  }
}

void AddRounding(const report::Report& report, std::vector<Block>& blocks) {
  if (!report.counts().empty()) {
    Grid grid;
    grid.caption =
        "Values written in training. Underflow: the result was not 0, the "
        "stored value is.";
    grid.columns = {{"Policy", false},  {"Tensors", false},
                    {"Stored", true},   {"Underflow to 0", true},
                    {"Overflow", true}, {"NaN", true}};
    for (const report::PolicyCounts& policy : report.counts()) {
      AddPolicyRows(policy, grid);
    }
    blocks.push_back(Heading{"What rounding did"});
    blocks.push_back(std::move(grid));
  }
  if (!report.partings().empty()) {
    Grid grid;
    grid.caption = "The first step, from 0, at which two runs differ in loss.";
    grid.columns = {
        {"Run", false}, {"Beside", false}, {"Parted at step", true}};
    for (const report::Parting& parting : report.partings()) {
      grid.rows.push_back(
          {{{parting.run_a()}},
           {{parting.run_b()}},
           {{parting.has_step() ? absl::StrCat(parting.step()) : "never"}}});
    }
    blocks.push_back(Heading{"Where runs part"});
    blocks.push_back(std::move(grid));
  }
}

// ---- Time, memory, provenance -----------------------------------------------

// "1.62× FP32"; "" where the row has no ratio.
std::string RatioText(const report::TimingRow& row) {
  if (!row.has_ratio()) return "";
  return absl::StrCat(FormatNumber(row.ratio(), 3), "× ", row.ratio_to());
}

std::string PaperRatioText(const report::TimingRow& row) {
  if (!row.has_paper_ratio()) return "";
  return absl::StrCat(FormatNumber(row.paper_ratio(), 3), "×");
}

// A row for each time.
Grid TimesByRow(const report::Timing& timing) {
  Grid grid;
  grid.columns = {{"What", false},
                  {"Ours", false},
                  {"Ratio", false},
                  {"The paper's ratio", false}};
  for (const report::TimingRow& row : timing.rows()) {
    GridCell what = {{row.what()}}, ratio, paper;
    AddLine(row.note(), kSmall, what);
    AddLine(RatioText(row), CellLine::Style::kPlain, ratio);
    AddLine(PaperRatioText(row), CellLine::Style::kPlain, paper);
    grid.rows.push_back(
        {what, {{FormatEstimate(row.ours(), 3, row.unit())}}, ratio, paper});
  }
  return grid;
}

// A row for each group, a column for each `what`, both as they come first.
Grid TimesByGroup(const report::Timing& timing) {
  std::vector<std::string> groups, whats;
  const auto index = [](const std::string& name,
                        std::vector<std::string>& names) {
    const auto found = std::find(names.begin(), names.end(), name);
    const size_t i = found - names.begin();
    if (found == names.end()) names.push_back(name);
    return i;
  };
  Grid grid;
  grid.columns = {{"", false}};
  for (const report::TimingRow& row : timing.rows()) {
    const size_t y = index(row.group(), groups);
    const size_t x = index(row.what(), whats) + 1;
    if (y == grid.rows.size()) grid.rows.push_back({{{row.group()}}});
    if (x == grid.columns.size()) grid.columns.push_back({row.what(), false});
    std::vector<GridCell>& cells = grid.rows[y];
    if (x >= cells.size()) cells.resize(x + 1);
    cells[x] = {{FormatEstimate(row.ours(), 3, row.unit())}};
    AddLine(RatioText(row), CellLine::Style::kPlain, cells[x]);
    const std::string paper = PaperRatioText(row);
    if (!paper.empty()) {
      AddLine(absl::StrCat("paper ", paper), kSmall, cells[x]);
    }
    AddLine(row.note(), kSmall, cells[x]);
  }
  for (std::vector<GridCell>& cells : grid.rows) {
    cells.resize(grid.columns.size());
  }
  return grid;
}

void AddTiming(const report::Report& report, std::vector<Block>& blocks) {
  blocks.push_back(Heading{"Time"});
  if (!report.has_timing()) {
    blocks.push_back(Paragraph{"Not measured."});
    return;
  }
  const report::Timing& timing = report.timing();
  const bool grouped =
      timing.rows_size() > 0 && !timing.rows(0).group().empty();
  Grid grid = grouped ? TimesByGroup(timing) : TimesByRow(timing);
  grid.cards = true;
  grid.caption = timing.note();
  blocks.push_back(std::move(grid));
  AddCommand(timing.command(), blocks);
}

// "12.3 MiB"; "not measured" for 0.
std::string Mebibytes(int64_t bytes) {
  if (bytes == 0) return "not measured";
  return absl::StrFormat("%.1f MiB", bytes / 1048576.0);
}

void AddMemory(const report::Report& report, std::vector<Block>& blocks) {
  blocks.push_back(Heading{"Memory"});
  if (report.memory().empty()) {
    blocks.push_back(Paragraph{"Not measured."});
    return;
  }
  Grid grid;
  grid.caption =
      "The most of one run. Planned: activations, workspace, parameters, "
      "gradients and slots. Peak: of the whole process, with data set and "
      "program.";
  grid.columns = {{"Policy", false},
                  {"Parameters", true},
                  {"Planned", true},
                  {"Peak", true}};
  for (const report::Memory& memory : report.memory()) {
    grid.rows.push_back({{{memory.policy()}},
                         {{FormatCount(memory.parameters())}},
                         {{Mebibytes(memory.planned_bytes())}},
                         {{Mebibytes(memory.peak_rss_bytes())}}});
  }
  blocks.push_back(std::move(grid));
}

std::string Duration(double seconds) {
  if (seconds < 120) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 7200) return absl::StrFormat("%.1f min", seconds / 60);
  return absl::StrFormat("%.1f h", seconds / 3600);
}

void AddProvenance(const report::Report& report, std::vector<Block>& blocks) {
  const report::Provenance& provenance = report.provenance();
  const report::Environment& environment = report.environment();
  Facts facts;
  const auto add = [&facts](const char* name, std::string value) {
    if (!value.empty()) facts.rows.emplace_back(name, std::move(value));
  };
  add("Scale", report.scale());
  add("Policies", absl::StrJoin(provenance.policies(), ", "));
  add("Seeds", absl::StrJoin(provenance.seeds(), ", "));
  add("Data", absl::StrCat(provenance.data(), provenance.made_up_data()
                                                  ? " (made up, not published)"
                                                  : ""));
  add("Data digest", provenance.data_digest());
  add("Reduced", absl::StrJoin(provenance.reductions(), "; "));
  add("Toolkit", provenance.toolkit());
  if (provenance.numerics_version() > 0) {
    add("Numerics version", absl::StrCat(provenance.numerics_version()));
  }
  add("Backend", provenance.backend());
  add("Golden values", environment.golden());
  add("Commit", environment.commit());
  add("Date", environment.date());
  add("Device", environment.device());
  add("SIMD target", environment.simd_target());
  if (environment.wall_seconds() > 0) {
    add("Time of all runs", Duration(environment.wall_seconds()));
  }
  blocks.push_back(Heading{"Provenance"});
  blocks.push_back(std::move(facts));
}

}  // namespace

Document DocumentOf(const report::Report& report) {
  Document document;
  document.title = report.title();
  document.tally = TallyOf(report);
  document.headline = Headline(document.tally);
  document.badge = ScaleBadge(report);
  document.scale = report.scale();
  document.claim = report.claim().text();
  document.claim_place = report.claim().place();
  std::vector<Block>& blocks = document.blocks;
  for (const std::string& paragraph : report.summary()) {
    blocks.push_back(Paragraph{paragraph});
  }
  AddProvenance(report, blocks);
  AddExpectations(report, blocks);
  if (!report.tables().empty()) blocks.push_back(Heading{"Tables"});
  for (const report::Table& table : report.tables()) AddTable(table, blocks);
  if (!report.figures().empty()) blocks.push_back(Heading{"Figures"});
  for (const report::Figure& figure : report.figures()) {
    blocks.push_back(Chart{&figure});
    AddCommand(figure.command(), blocks);
  }
  AddFindings(report, blocks);
  if (!report.provenance().toolkit().empty()) return document;  // no runs
  AddTiming(report, blocks);
  AddMemory(report, blocks);
  AddRounding(report, blocks);
  return document;
}

}  // namespace repro16
