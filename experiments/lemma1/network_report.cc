#include "experiments/lemma1/network_report.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "experiments/common/report_parts.h"
#include "reports/format.h"
#include "reports/paper_values.h"

namespace repro16 {

report::Table NetworksTable(std::string_view title, std::string_view caption,
                            absl::Span<const NetworkPair> pairs) {
  report::Table table;
  table.set_title(std::string(title));
  table.set_caption(std::string(caption));
  AddColumns({"networks", "samples", "Γ > 2δ", "differ", "Γ = 2δ", "differ",
              "Γ < 2δ", "differ", "not finite", "guaranteed", "alike"},
             &table);
  for (const NetworkPair& p : pairs) {
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

absl::Status AddStatement(const Golden& golden, std::string_view id,
                          std::string_view what, bool judged,
                          const PremiseCounts& counts,
                          std::string_view refuting, std::string_view note,
                          report::Report* report) {
  absl::StatusOr<report::Expectation> e =
      ExpectationFromPaper(golden, id, what);
  if (!e.ok()) return e.status();
  e->mutable_ours()->set_mean(counts.differ);
  e->mutable_ours()->set_n(counts.samples);
  e->set_ours_text(absl::StrCat(FormatCount(counts.differ), " of ",
                                FormatCount(counts.samples), " ", refuting));
  e->set_note(std::string(note));
  e->set_verdict(!judged              ? report::VERDICT_NOT_JUDGED_AT_THIS_SCALE
                 : counts.differ > 0  ? report::VERDICT_DIFFER
                 : counts.samples > 0 ? report::VERDICT_MATCH
                                      : report::VERDICT_INCONCLUSIVE);
  *report->add_expectations() = *std::move(e);
  return absl::OkStatus();
}

}  // namespace repro16
