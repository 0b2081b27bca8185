#include "experiments/recorded/recorded_tables.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/types/span.h"
#include "engine/numerics/version.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded_pairs.h"
#include "experiments/recorded/recorded_run.h"

namespace repro16 {
namespace {

// The first of those with the highest test accuracy.
const EpochResult& BestEpoch(const RecordedRun& run) {
  const auto& epochs = run.result().epochs();
  return *std::max_element(epochs.begin(), epochs.end(),
                           [](const EpochResult& a, const EpochResult& b) {
                             return a.test_accuracy() < b.test_accuracy();
                           });
}

report::Cell PercentCell(double percent) {
  return NumberCell(percent, absl::StrFormat("%.2f", percent));
}

// With a sign, but for 0.
report::Cell PointsCell(double points) {
  return points == 0 ? PercentCell(0)
                     : NumberCell(points, absl::StrFormat("%+.2f", points));
}

report::Cell EpochsCell(const RecordedRun& run) {
  report::Cell cell = TextCell(EpochsReached(run));
  const RunResult& result = run.result();
  std::string note;
  if (result.numerics_version() != kNumericsVersion) {
    note = absl::StrCat("recorded with numerics version ",
                        result.numerics_version(), ", this engine has ",
                        kNumericsVersion);
  }
  if (result.has_first_non_finite()) {
    absl::StrAppend(&note, note.empty() ? "" : "; ", "not finite from step ",
                    result.first_non_finite().step(), ", ",
                    result.first_non_finite().tensor());
  }
  if (run.skipped_steps() > 0) {
    absl::StrAppend(&note, note.empty() ? "" : "; ", run.skipped_steps(),
                    " steps skipped by loss scaling");
  }
  cell.set_note(note);
  return cell;
}

report::Table RunTable(const RecordedRuns& recorded) {
  report::Table table;
  table.set_title("Recorded runs");
  table.set_caption(
      "Not made by this command. Accuracy in percent. The paper's is the mean "
      "over 50 seeds after 100 epochs. The best epoch is chosen by the test "
      "set itself, which flatters it.");
  AddColumns({"run", "epochs", "test, last epoch", "test, best epoch",
              "training, last epoch"},
             &table);
  for (const RecordedRun& run : recorded.runs) {
    report::Cell last = PercentCell(TestPercent(LastEpoch(run)));
    if (const PaperValue* paper =
            FindAccuracy(run.result().spec(), recorded.table2)) {
      last.set_paper(absl::StrFormat("%.1f", paper->value()));
      if (!Reaches(TestPercent(LastEpoch(run)), *paper)) {
        last.set_note("not the paper's");
      }
    }
    const EpochResult& best_epoch = BestEpoch(run);
    report::Cell best = PercentCell(TestPercent(best_epoch));
    best.set_note(absl::StrCat("epoch ", best_epoch.epoch()));
    AddRow({TextCell(TitleOf(run.result().spec())), EpochsCell(run), last, best,
            PercentCell(100 * LastEpoch(run).train_accuracy())},
           &table);
  }
  return table;
}

// Every so many epochs, and the last, that both runs have.
std::vector<int> ComparedEpochs(const RecordedRun& a, const RecordedRun& b) {
  constexpr int kEvery = 25;
  const int common =
      std::min(a.result().epochs_size(), b.result().epochs_size());
  std::vector<int> epochs;
  for (int epoch = kEvery; epoch < common; epoch += kEvery) {
    epochs.push_back(epoch);
  }
  epochs.push_back(common);
  return epochs;
}

void AddDifferenceRows(const RecordedRun& run, const RecordedRun& base,
                       const Golden& table2, report::Table* table) {
  const RunSpec& spec = run.result().spec();
  for (int epoch : ComparedEpochs(run, base)) {
    const double ours = TestPercent(run.result().epochs(epoch - 1));
    const double beside = TestPercent(base.result().epochs(epoch - 1));
    report::Cell difference = PointsCell(ours - beside);
    const PaperValue* paper = FindAccuracy(spec, table2);
    const PaperValue* paper_base = FindAccuracy(base.result().spec(), table2);
    if (epoch == spec.epochs() && paper && paper_base) {
      difference.set_paper(
          absl::StrFormat("%+.1f", paper->value() - paper_base->value()));
    }
    AddRow({TextCell(TitleOf(spec)), CountCell(epoch), PercentCell(ours),
            PercentCell(beside), difference, TextCell("not judged: one seed")},
           table);
  }
}

// Without rows where no two runs make a pair.
report::Table DifferenceTable(const RecordedRuns& recorded) {
  report::Table table;
  table.set_title("Recorded runs: differences from FP32 at equal epochs");
  table.set_caption(
      "Not made by this command. Test accuracy in percent, and the difference "
      "of the two runs, of one seed, in points; the paper's after its last "
      "epoch. One seed gives no verdict.");
  AddColumns({"run", "epoch", "test accuracy", "FP32", "difference", "verdict"},
             &table);
  for (const RecordedRun& run : recorded.runs) {
    if (const RecordedRun* base = FindBase(run, recorded.runs)) {
      AddDifferenceRows(run, *base, recorded.table2, &table);
    }
  }
  return table;
}

report::Cell TimeCell(const RecordedRun& run) {
  if (!run.has_telemetry()) return TextCell("not measured");
  const RunTelemetry& telemetry = run.telemetry();
  report::Cell cell =
      TextCell(absl::StrFormat("%.0f s", telemetry.train_seconds()));
  cell.set_note(absl::StrFormat("%.0f images/s; %s",
                                telemetry.train_images_per_second(),
                                telemetry.device()));
  return cell;
}

report::Table OriginTable(absl::Span<const RecordedRun> runs) {
  report::Table table;
  table.set_title("Where the recorded runs were made");
  table.set_caption(
      "Time of training as it was then, with whatever else ran on the "
      "machine, and of a run that was resumed that of its last process: not "
      "to be compared. The same specification gives the same bits on every "
      "machine.");
  AddColumns({"run", "engine commit", "recorded on", "machine", "time"},
             &table);
  for (const RecordedRun& run : runs) {
    const RecordProvenance& provenance = run.provenance();
    report::Cell machine =
        TextCell(provenance.simd_target().empty()
                     ? provenance.machine()
                     : absl::StrCat(provenance.machine(), ", ",
                                    provenance.simd_target()));
    machine.set_note(provenance.note());
    AddRow({TextCell(TitleOf(run.result().spec())),
            TextCell(provenance.commit().substr(0, 10)),
            TextCell(provenance.date()), machine, TimeCell(run)},
           &table);
  }
  return table;
}

// "Keras 2.15: MobileNetV2 FP32 seed 1, 9 points of a run that was stopped
// after 85 of 100 epochs. ..."
std::string Origin(const ReferenceCurve& curve) {
  const std::string points = absl::StrCat(
      curve.points_size(), curve.points_size() == 1 ? " point" : " points",
      " of a run");
  const bool ended = curve.epochs_made() == curve.spec().epochs();
  return absl::StrCat(
      curve.framework(), ": ", TitleOf(curve.spec()), ", ", points,
      ended ? " of "
            : absl::StrCat(" that was stopped after ", curve.epochs_made(),
                           " of "),
      curve.spec().epochs(), " epochs. Software: ", curve.software(),
      "; machine: ", curve.machine(), "; date: ", curve.date(), ".",
      curve.note().empty() ? "" : " ", curve.note());
}

void AddCurveRows(const RecordedRun& run, const ReferenceCurve& curve,
                  report::Table* table) {
  for (const ReferenceCurve::Point& point : curve.points()) {
    if (point.epoch() > run.result().epochs_size()) continue;
    const EpochResult& ours =
        run.result().epochs(static_cast<int>(point.epoch()) - 1);
    const double theirs = 100 * point.test_accuracy();
    AddRow(
        {TextCell(TitleOf(curve.spec())), CountCell(point.epoch()),
         NumberCell(theirs, absl::StrFormat("%.1f", theirs)),
         PercentCell(TestPercent(ours)),
         NumberCell(TestPercent(ours) - theirs,
                    absl::StrFormat("%+.1f", TestPercent(ours) - theirs)),
         point.has_train_accuracy()
             ? NumberCell(100 * point.train_accuracy(),
                          absl::StrFormat("%.1f", 100 * point.train_accuracy()))
             : TextCell("not known"),
         PercentCell(100 * ours.train_accuracy())},
        table);
  }
}

report::Table CurveTable(const RecordedRuns& recorded) {
  report::Table table;
  table.set_title("Recorded runs: the same protocol in another framework");
  AddColumns({"run", "epoch", "theirs, test", "ours, test", "difference",
              "theirs, training", "ours, training"},
             &table);
  std::string caption =
      "Not made by this command. Accuracy in percent, the difference in "
      "points. One specification; weights and the order of images are drawn "
      "by each in its own way.";
  for (const RecordedRun& run : recorded.runs) {
    if (const ReferenceCurve* curve = FindCurve(run, recorded.curves)) {
      absl::StrAppend(&caption, " ", Origin(*curve));
      AddCurveRows(run, *curve, &table);
    }
  }
  table.set_caption(caption);
  return table;
}

}  // namespace

void AddRecordedTables(const RecordedRuns& recorded, report::Report* report) {
  for (const report::Table& table :
       {RunTable(recorded), DifferenceTable(recorded), CurveTable(recorded),
        OriginTable(recorded.runs)}) {
    if (!table.rows().empty()) *report->add_tables() = table;
  }
}

}  // namespace repro16
