#include "experiments/recorded/recorded.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/numerics/policy.h"
#include "engine/numerics/version.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded_run.h"
#include "experiments/table2/published.h"
#include "reports/paper_values.h"

namespace repro16 {
namespace {

constexpr std::string_view kBase = "FP32";  // what differences refer to

// ---- Order and pairs --------------------------------------------------------

size_t NetworkRank(const RunSpec& spec) {
  const absl::Span<const Network> networks = Table2Networks();
  return std::find_if(networks.begin(), networks.end(),
                      [&](const Network& network) {
                        return network.model == spec.model();
                      }) -
         networks.begin();
}

size_t PolicyRank(const RunSpec& spec) {
  const absl::Span<const PrecisionPolicy> all = AllPolicies();
  return std::find_if(all.begin(), all.end(),
                      [&](const PrecisionPolicy& policy) {
                        return policy.name == spec.policy();
                      }) -
         all.begin();
}

// What the runs of a pair share.
std::string WithoutPolicy(RunSpec spec) {
  spec.clear_policy();
  return spec.SerializeAsString();
}

bool Before(const RecordedRun& a, const RecordedRun& b) {
  const auto key = [](const RecordedRun& run) {
    const RunSpec& spec = run.result().spec();
    return std::tuple(NetworkRank(spec), spec.model(), PolicyRank(spec),
                      spec.seed(), spec.SerializeAsString());
  };
  return key(a) < key(b);
}

// The FP32 run beside which `run` stands; none for FP32 itself, nor where the
// numerics are of another version.
const RecordedRun* FindBase(const RecordedRun& run,
                            absl::Span<const RecordedRun> runs) {
  const RunSpec& spec = run.result().spec();
  if (spec.policy() == kBase) return nullptr;
  for (const RecordedRun& base : runs) {
    if (base.result().spec().policy() == kBase &&
        base.result().numerics_version() == run.result().numerics_version() &&
        WithoutPolicy(base.result().spec()) == WithoutPolicy(spec)) {
      return &base;
    }
  }
  return nullptr;
}

// ---- The paper's values -----------------------------------------------------

// In percent, of table 2, which trains by SGD. Its FP16 column is held beside
// both readings of it, FP16 and FP16_BN32. Null where the paper has none.
const PaperValue* FindAccuracy(const RunSpec& spec, const Golden& paper) {
  if (!spec.optimizer().has_sgd()) return nullptr;
  return FindPaperValue(
      paper, absl::StrCat(spec.model(), "/",
                          spec.policy() == "FP16_BN32" ? std::string("FP16")
                                                       : spec.policy()));
}

// ---- Tables -----------------------------------------------------------------

double TestPercent(const EpochResult& epoch) {
  return 100 * epoch.test_accuracy();
}

const EpochResult& LastEpoch(const RecordedRun& run) {
  return *run.result().epochs().rbegin();
}

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
      "machine: not to be compared. The same specification gives the same "
      "bits on every machine.");
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

// ---- Findings ---------------------------------------------------------------

bool Ended(const RecordedRun& run) {
  return run.result().epochs_size() == run.result().spec().epochs();
}

// What FP32 alone says, before any difference from it: whether it is the
// paper's.
void AddBaselineFinding(const RecordedRun& base, const Golden& table2,
                        report::Report* report) {
  const RunSpec& spec = base.result().spec();
  const PaperValue* paper = FindAccuracy(spec, table2);
  if (spec.policy() != kBase || !Ended(base) || paper == nullptr) return;
  const double ours = TestPercent(LastEpoch(base));
  const bool reaches = Reaches(ours, *paper);
  AddFinding(
      reaches ? report::Finding::AGREEMENT : report::Finding::LIMITATION,
      absl::StrCat(NetworkName(spec.model()), ": our FP32 is ",
                   reaches ? "" : "not ", "the paper's"),
      absl::StrFormat(
          "Recorded: after %d epochs of the paper's protocol %s ends at %.2f%% "
          "of the test set; published are %.1f ± %.1f%% over %d seeds.%s",
          spec.epochs(), TitleOf(spec), ours, paper->value(), paper->sd(),
          paper->n(),
          reaches ? ""
                  : " So the baseline itself is not reproduced, and what a "
                    "precision does to it is not held against the paper."),
      "table 2", report);
}

// What one pair that has ended says of the paper's difference. A difference of
// two single runs has the deviation sqrt(sd_a^2 + sd_b^2), with the published
// deviations over seeds; three of them is the usual bound of what chance does.
void AddPairFinding(const RecordedRun& run, const RecordedRun& base,
                    const Golden& table2, report::Report* report) {
  const RunSpec& spec = run.result().spec();
  const PaperValue* paper = FindAccuracy(spec, table2);
  const PaperValue* paper_base = FindAccuracy(base.result().spec(), table2);
  if (!Ended(run) || !Ended(base) || !paper || !paper_base) return;
  constexpr double kDeviations = 3;
  const double ours = TestPercent(LastEpoch(run));
  const double beside = TestPercent(LastEpoch(base));
  const double papers = paper->value() - paper_base->value();
  const double bound = kDeviations * std::hypot(paper->sd(), paper_base->sd());
  const bool agrees = std::abs(ours - beside - papers) <= bound;
  const bool comparable = Reaches(beside, *paper_base);
  AddFinding(
      agrees       ? report::Finding::AGREEMENT
      : comparable ? report::Finding::CONTRADICTION
                   : report::Finding::LIMITATION,
      absl::StrCat("Recorded: ", TitleOf(spec),
                   " by the paper's full protocol"),
      absl::StrFormat(
          "%sAfter %d epochs it ends at %.2f%% of the test set, FP32 of the "
          "same seed at %.2f%%: %+.2f points; the paper %.1f and %.1f, %+.1f. "
          "On the training set it ends at %.1f%%, FP32 at %.1f%%. By the "
          "published deviations over seeds, chance would make two single runs "
          "differ from that by up to %.1f points. One seed gives no verdict.",
          comparable ? ""
                     : "Our FP32 is not the paper's, so this difference is not "
                       "held against it. ",
          spec.epochs(), ours, beside, ours - beside, paper->value(),
          paper_base->value(), papers, 100 * LastEpoch(run).train_accuracy(),
          100 * LastEpoch(base).train_accuracy(), bound),
      "table 2", report);
}

// ---- The figure -------------------------------------------------------------

report::Figure AccuracyFigure(absl::Span<const RecordedRun> runs) {
  report::Figure figure;
  figure.set_name("recorded");
  figure.set_title("Recorded runs: accuracy by epoch");
  figure.set_caption(
      runs.empty() ? "No longer run has been recorded yet."
                   : "Recorded, not made by this command: training and test "
                     "accuracy in percent after each epoch, a line a run.");
  figure.set_spec("recorded.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("recorded");
  for (const char* field :
       {"network", "policy", "seed", "split", "epoch", "accuracy"}) {
    data->add_fields(field);
  }
  if (runs.empty()) {
    // A chart without any record has no size, and cannot be drawn.
    AddRecord({ChartText(""), ChartText("no run yet"), ChartText(""),
               ChartText("test"), ChartNumber(0),
               ChartNumber(std::numeric_limits<double>::quiet_NaN())},
              data);
  }
  for (const RecordedRun& run : runs) {
    const RunSpec& spec = run.result().spec();
    const auto add = [&](const EpochResult& epoch, std::string_view split,
                         double accuracy) {
      AddRecord({ChartText(NetworkName(spec.model())), ChartText(spec.policy()),
                 ChartText(absl::StrCat(spec.seed())), ChartText(split),
                 ChartNumber(static_cast<double>(epoch.epoch())),
                 ChartNumber(100 * accuracy)},
                data);
    };
    for (const EpochResult& epoch : run.result().epochs()) {
      add(epoch, "training", epoch.train_accuracy());
      add(epoch, "test", epoch.test_accuracy());
    }
  }
  return figure;
}

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
  *report->add_figures() = AccuracyFigure(recorded.runs);
  if (recorded.runs.empty()) return;
  *report->add_tables() = RunTable(recorded);
  if (report::Table differences = DifferenceTable(recorded);
      !differences.rows().empty()) {
    *report->add_tables() = std::move(differences);
  }
  *report->add_tables() = OriginTable(recorded.runs);
  for (const RecordedRun& run : recorded.runs) {
    AddBaselineFinding(run, recorded.table2, report);
  }
  for (const RecordedRun& run : recorded.runs) {
    if (const RecordedRun* base = FindBase(run, recorded.runs)) {
      AddPairFinding(run, *base, recorded.table2, report);
    }
  }
  std::vector<const RunResult*> results;
  for (const RecordedRun& run : recorded.runs) results.push_back(&run.result());
  AddRunWarnings("Recorded runs", results, report);
}

}  // namespace repro16
