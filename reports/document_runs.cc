#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "reports/data_files.h"
#include "reports/document_parts.h"

namespace repro16 {
namespace {

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

}  // namespace

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

namespace {

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

}  // namespace

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

namespace {

// "12.3 MiB"; "not measured" for 0.
std::string Mebibytes(int64_t bytes) {
  if (bytes == 0) return "not measured";
  return absl::StrFormat("%.1f MiB", bytes / 1048576.0);
}

}  // namespace

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

namespace {

std::string Duration(double seconds) {
  if (seconds < 120) return absl::StrFormat("%.1f s", seconds);
  if (seconds < 7200) return absl::StrFormat("%.1f min", seconds / 60);
  return absl::StrFormat("%.1f h", seconds / 3600);
}

}  // namespace

void AddRuns(const report::Report& report, std::vector<Block>& blocks) {
  if (report.runs().empty()) return;
  Grid grid;
  grid.folded = true;
  grid.columns = {{"Run", false},
                  {"Training", true},
                  {"Evaluation", true},
                  {"Machine", false}};
  double seconds = 0;
  bool partial = false;
  for (const report::RunTime& run : report.runs()) {
    GridCell training = {{Duration(run.train_seconds())}};
    if (run.partial()) AddLine("its last part", kSmall, training);
    GridCell machine = {{run.device()}};
    AddLine(run.simd_target(), kSmall, machine);
    grid.rows.push_back({{{run.run()}},
                         std::move(training),
                         {{Duration(run.evaluate_seconds())}},
                         std::move(machine)});
    seconds += run.train_seconds() + run.evaluate_seconds();
    partial = partial || run.partial();
  }
  grid.caption = absl::StrCat(
      report.runs_size(), report.runs_size() == 1 ? " run" : " runs",
      " with one thread each: ", partial ? "more than " : "",
      FormatNumber(seconds / 3600, 3),
      " core-hours together. Which of them this command made, and which it "
      "found made before, is not recorded: the times are those of when they "
      "were made.");
  if (report.data_files()) grid.files = DataFileNames(kRunsId);
  blocks.push_back(Heading{"Time of each run"});
  blocks.push_back(std::move(grid));
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

}  // namespace repro16
