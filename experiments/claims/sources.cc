#include "experiments/claims/sources.h"

#include <string_view>

#include "absl/algorithm/container.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "reports/format.h"

namespace repro16 {
namespace {

using report::Expectation;
using report::Verdict;

// So many of a claim's sources are named one by one.
constexpr int kNamed = 3;

absl::Status Missing(std::string_view experiment, std::string_view what,
                     std::string_view name) {
  return absl::InvalidArgumentError(absl::StrCat("the report of ", experiment,
                                                 " has no ", what, " \"", name,
                                                 "\"; correct the name"));
}

std::vector<Verdict> VerdictsOf(const std::vector<Expectation>& sources) {
  std::vector<Verdict> verdicts;
  for (const Expectation& source : sources) {
    verdicts.push_back(source.verdict());
  }
  return verdicts;
}

// "2 of 12 differ: VGG-16: 33.64 million; ResNet-110: 1.74 million".
std::string TextOnAll(const std::vector<Expectation>& sources,
                      absl::Span<const Verdict> verdicts, Verdict verdict) {
  if (!absl::c_linear_search(verdicts, verdict)) {
    // Inconclusive since some were not run: those that were decide.
    verdict = report::VERDICT_MATCH;
  }
  std::vector<std::string> deciding;
  for (const Expectation& source : sources) {
    if (source.verdict() != verdict) continue;
    const std::string ours = OursText(source);
    deciding.push_back(ours.empty() ? source.what()
                                    : absl::StrCat(source.what(), ": ", ours));
  }
  const int count = static_cast<int>(deciding.size());
  if (count > kNamed) deciding.resize(kNamed);
  const std::string text = absl::StrCat(absl::StrJoin(deciding, "; "),
                                        count > kNamed ? "; ..." : "");
  if (verdict == report::VERDICT_NONE) return text;
  const auto not_run = absl::c_count(verdicts, report::VERDICT_NOT_RUN);
  return absl::StrCat(
      count, " of ", sources.size(), " ", VerdictWord(verdict),
      not_run > 0 ? absl::StrCat(", ", not_run, " not run") : "", ": ", text);
}

// "a, b", or "12 cells" where there are many.
template <typename Names>
std::string NamesOf(const Names& names, std::string_view kind) {
  return names.size() > kNamed ? absl::StrCat(names.size(), " ", kind)
                               : absl::StrJoin(names, ", ");
}

const report::Table* FindTable(const report::Report& report,
                               std::string_view title) {
  const auto table = absl::c_find_if(
      report.tables(),
      [title](const report::Table& t) { return t.title() == title; });
  return table == report.tables().end() ? nullptr : &*table;
}

Expectation ExpectationOfCell(const report::Cell& cell, std::string_view row,
                              std::string_view column) {
  Expectation e;
  e.set_what(absl::StrCat(row, ", ", column));
  e.set_verdict(cell.text() == "not run" ? report::VERDICT_NOT_RUN
                                         : cell.verdict());
  if (e.verdict() == report::VERDICT_NOT_RUN) return e;
  e.set_ours_text(cell.text());
  e.set_note(cell.note());
  return e;
}

}  // namespace

absl::StatusOr<std::vector<Expectation>> FindExpectations(
    const report::Report& report, const Measured::Source& source) {
  std::vector<Expectation> found;
  for (const std::string& id : source.ids()) {
    const auto e = absl::c_find_if(report.expectations(),
                                   [&id](const Expectation& expectation) {
                                     return expectation.id() == id;
                                   });
    if (e == report.expectations().end()) {
      return Missing(report.experiment(), "expectation", id);
    }
    found.push_back(*e);
  }
  return found;
}

absl::StatusOr<std::vector<Expectation>> FindCells(
    const report::Report& report, const Measured::Cells& source) {
  const report::Table* table = FindTable(report, source.table());
  if (table == nullptr) {
    return Missing(report.experiment(), "table", source.table());
  }
  const auto column =
      absl::c_find_if(table->columns(), [&source](const report::Column& c) {
        return c.title() == source.column();
      });
  const auto index = column - table->columns().begin();
  if (column == table->columns().end()) {
    return Missing(report.experiment(), "column", source.column());
  }
  std::vector<Expectation> found;
  for (const std::string& name : source.rows()) {
    const auto row =
        absl::c_find_if(table->rows(), [&name](const report::Row& r) {
          return r.cells_size() > 0 && r.cells(0).text() == name;
        });
    if (row == table->rows().end() || row->cells_size() <= index) {
      return Missing(report.experiment(), "row", name);
    }
    found.push_back(ExpectationOfCell(row->cells(static_cast<int>(index)), name,
                                      source.column()));
  }
  return found;
}

Expectation OnAll(const std::vector<Expectation>& sources) {
  if (sources.size() == 1) return sources[0];
  Expectation all;
  const std::vector<Verdict> verdicts = VerdictsOf(sources);
  all.set_verdict(VerdictOnAll(verdicts));
  all.set_uncounted(absl::c_all_of(
      sources, [](const Expectation& source) { return source.uncounted(); }));
  if (all.verdict() != report::VERDICT_NOT_RUN) {
    all.set_ours_text(TextOnAll(sources, verdicts, all.verdict()));
  }
  return all;
}

std::string SourceNames(const Measured& measured) {
  std::vector<std::string> names;
  for (const Measured::Source& source : measured.sources()) {
    names.push_back(absl::StrCat(source.experiment(), ", ",
                                 NamesOf(source.ids(), "expectations")));
  }
  for (const Measured::Cells& source : measured.cells()) {
    names.push_back(absl::StrCat(source.experiment(), ", table \"",
                                 source.table(), "\", ",
                                 NamesOf(source.rows(), "rows")));
  }
  return absl::StrJoin(names, "; ");
}

}  // namespace repro16
