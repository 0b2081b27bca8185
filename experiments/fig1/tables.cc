#include "experiments/fig1/tables.h"

#include <string>

#include "absl/strings/str_format.h"
#include "experiments/common/report_parts.h"

namespace repro16 {
namespace {

// A moment of a pair, which it has where a sample is finite.
report::Cell ScientificCell(const PairStatistics& pair, double moment) {
  return pair.Finite() ? NumberCell(moment, Scientific(moment))
                       : TextCell("not finite");
}

}  // namespace

report::Table MomentsTable(std::string_view title, std::string_view caption,
                           absl::Span<const PairStatistics> pairs) {
  report::Table table;
  table.set_title(std::string(title));
  table.set_caption(std::string(caption));
  AddColumns({"networks", "mean δ", "variance δ", "largest δ", "mean Γ",
              "variance Γ", "mean Γ / mean δ"},
             &table);
  for (const PairStatistics& pair : pairs) {
    AddRow({TextCell(pair.name), ScientificCell(pair, pair.error.mean),
            ScientificCell(pair, pair.error.variance),
            ScientificCell(pair, pair.error.max),
            ScientificCell(pair, pair.tolerance.mean),
            ScientificCell(pair, pair.tolerance.variance),
            pair.Finite() ? NumberCell(pair.Ratio(),
                                       absl::StrFormat("%.3g", pair.Ratio()))
                          : TextCell("not finite")},
           &table);
  }
  return table;
}

report::Table LemmaTable(absl::Span<const PairStatistics> pairs) {
  report::Table table;
  table.set_title("What Lemma 1 covers");
  table.set_caption(
      "Shares of the test samples. At Γ = 2δ the networks can part by a tie, "
      "see //experiments/lemma1.");
  AddColumns({"networks", "samples", "Γ ≥ 2δ", "Γ = 2δ", "classified alike",
              "not finite"},
             &table);
  for (const PairStatistics& pair : pairs) {
    AddRow({TextCell(pair.name), CountCell(pair.samples()),
            NumberCell(pair.Covered(), Percent(pair.Covered())),
            CountCell(pair.boundary.samples),
            NumberCell(pair.Alike(), Percent(pair.Alike())),
            CountCell(pair.not_finite.samples)},
           &table);
  }
  return table;
}

}  // namespace repro16
