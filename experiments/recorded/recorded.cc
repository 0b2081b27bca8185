#include "experiments/recorded/recorded.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "experiments/recorded/recorded_figure.h"
#include "experiments/recorded/recorded_findings.h"
#include "experiments/recorded/recorded_pairs.h"
#include "experiments/recorded/recorded_run.h"
#include "experiments/recorded/recorded_tables.h"
#include "experiments/recorded/reference_curve.h"
#include "experiments/table2/published.h"

namespace repro16 {
namespace {

std::string Sentence(absl::Span<const RecordedRun> runs) {
  if (runs.empty()) return "No longer run has been recorded yet.";
  return absl::StrCat(
      "Recorded, not made by this command: ", runs.size(),
      runs.size() == 1 ? " run" : " runs",
      " of the paper's own protocol (//experiments/recorded), each as far as "
      "it got. They stand in tables and a figure of their own, whose titles "
      "say so, and enter no verdict.");
}

}  // namespace

absl::StatusOr<RecordedRuns> LoadRecordedRuns(
    absl::Span<const std::string> files) {
  RecordedRuns recorded;
  std::map<std::string, std::string> file_of;  // by specification
  for (const std::string& file : files) {
    if (absl::EndsWith(file, "/published.textproto")) {
      absl::StatusOr<Published> published = ReadPublished(file);
      if (!published.ok()) return published.status();
      recorded.table2 = std::move(published->values);
      continue;
    }
    if (absl::StrContains(file, "/keras/")) {
      absl::StatusOr<ReferenceCurve> curve = ReadReferenceCurve(file);
      if (!curve.ok()) return curve.status();
      recorded.curves.push_back(*std::move(curve));
      continue;
    }
    absl::StatusOr<RecordedRun> run = ReadRecordedRun(file);
    if (!run.ok()) return run.status();
    const RunSpec& spec = run->result().spec();
    const auto [first, is_new] =
        file_of.emplace(spec.SerializeAsString(), file);
    if (!is_new) {
      return absl::InvalidArgumentError(
          absl::StrCat(file, ": ", TitleOf(spec), " is recorded by ",
                       first->second, ", too; keep the one that got further"));
    }
    recorded.runs.push_back(*std::move(run));
  }
  std::sort(recorded.runs.begin(), recorded.runs.end(), Before);
  return recorded;
}

void AddRecordedRuns(const RecordedRuns& recorded, report::Report* report) {
  report->add_summary(Sentence(recorded.runs));
  *report->add_figures() = RecordedFigure(recorded);
  if (recorded.runs.empty()) return;
  AddRecordedTables(recorded, report);
  AddRecordedFindings(recorded, report);
}

}  // namespace repro16
