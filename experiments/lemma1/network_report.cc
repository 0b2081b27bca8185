#include "experiments/lemma1/network_report.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"

namespace repro16 {

report::Table NetworksTable(std::string_view title, std::string_view caption,
                            absl::Span<const PairStatistics> pairs) {
  report::Table table;
  table.set_title(std::string(title));
  table.set_caption(std::string(caption));
  AddColumns({"networks", "samples", "Γ > 2δ", "differ", "Γ = 2δ", "differ",
              "Γ < 2δ", "differ", "not finite", "guaranteed", "alike"},
             &table);
  for (const PairStatistics& p : pairs) {
    AddRow(
        {TextCell(p.name), CountCell(p.samples()), CountCell(p.strict.samples),
         CountCell(p.strict.differ), CountCell(p.boundary.samples),
         CountCell(p.boundary.differ), CountCell(p.unmet.samples),
         CountCell(p.unmet.differ), CountCell(p.not_finite.samples),
         NumberCell(p.Guaranteed(), Percent(p.Guaranteed())),
         NumberCell(p.Alike(), Percent(p.Alike()))},
        &table);
  }
  return table;
}

Measurement MeasureDiffering(const PremiseCounts& counts,
                             std::string_view refuting) {
  Measurement measured;
  measured.networks = {{static_cast<double>(counts.differ)}};
  measured.cases = counts.samples;
  measured.text = absl::StrCat(FormatCount(counts.differ), " of ",
                               FormatCount(counts.samples), " ", refuting);
  return measured;
}

Measurement MeasureAtBoundary(const PremiseCounts& counts,
                              int64_t without_tie) {
  Measurement measured = MeasureDiffering(counts, "differ");
  measured.verdict = without_tie > 0       ? report::VERDICT_DIFFER
                     : counts.samples == 0 ? report::VERDICT_INCONCLUSIVE
                     : counts.differ == 0  ? report::VERDICT_MATCH
                                           : report::VERDICT_NONE;
  if (measured.verdict == report::VERDICT_NONE) {
    absl::StrAppend(&measured.text, ", each by a tie");
  }
  return measured;
}

}  // namespace repro16
