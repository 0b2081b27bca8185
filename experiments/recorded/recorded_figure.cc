#include "experiments/recorded/recorded_figure.h"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/report_parts.h"
#include "experiments/recorded/recorded_pairs.h"

namespace repro16 {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

// A point of the chart; accuracies in percent.
struct Point {
  std::string_view kind;  // "recorded", "elsewhere" or "published"
  std::string network;
  std::string series;
  std::string seed;
  std::string_view split = "test";
  int64_t epoch = 0;
  double accuracy = kNone;
  double deviation = 0;
  std::string label;
};

void Add(const Point& point, report::Dataset* data) {
  AddRecord(
      {ChartText(point.kind), ChartText(point.network), ChartText(point.series),
       ChartText(point.seed), ChartText(point.split),
       ChartNumber(static_cast<double>(point.epoch)),
       ChartNumber(point.accuracy),
       ChartNumber(point.accuracy - point.deviation),
       ChartNumber(point.accuracy + point.deviation), ChartText(point.label)},
      data);
}

Point PointOf(std::string_view kind, const RunSpec& spec) {
  Point point;
  point.kind = kind;
  point.network = NetworkName(spec.model());
  point.series = spec.policy();
  point.seed = absl::StrCat(spec.seed());
  return point;
}

void AddRun(const RecordedRun& run, report::Dataset* data) {
  Point point = PointOf("recorded", run.result().spec());
  for (const EpochResult& epoch : run.result().epochs()) {
    point.epoch = epoch.epoch();
    point.split = "training";
    point.accuracy = 100 * epoch.train_accuracy();
    Add(point, data);
    point.split = "test";
    point.accuracy = TestPercent(epoch);
    Add(point, data);
  }
}

// The label stands at its last point.
void AddCurve(const ReferenceCurve& curve, report::Dataset* data) {
  Point point = PointOf("elsewhere", curve.spec());
  absl::StrAppend(&point.series, " in ", curve.framework());
  for (const ReferenceCurve::Point& known : curve.points()) {
    point.epoch = known.epoch();
    if (known.has_train_accuracy()) {
      point.split = "training";
      point.accuracy = 100 * known.train_accuracy();
      Add(point, data);
    }
    point.split = "test";
    point.accuracy = 100 * known.test_accuracy();
    if (&known == &*curve.points().rbegin()) point.label = point.series;
    Add(point, data);
  }
}

// A band over all epochs; the label stands at its left end.
void AddPublished(const RunSpec& spec, const PaperValue& paper,
                  report::Dataset* data) {
  Point point = PointOf("published", spec);
  point.series = "published";
  point.accuracy = paper.value();
  point.deviation = paper.sd();
  point.label = absl::StrFormat("published, FP32: %.1f ± %.1f", paper.value(),
                                paper.sd());
  point.epoch = 1;
  Add(point, data);
  point.label.clear();
  point.epoch = spec.epochs();
  Add(point, data);
}

}  // namespace

report::Figure RecordedFigure(const RecordedRuns& recorded) {
  report::Figure figure;
  figure.set_name("recorded");
  figure.set_title("Recorded runs: accuracy by epoch");
  figure.set_caption(
      recorded.runs.empty()
          ? "No longer run has been recorded yet."
          : "Recorded, not made by this command: training and test accuracy in "
            "percent after each epoch, a line a run; points are what is known "
            "of another framework's run, the band is the accuracy that is "
            "published for FP32, with its deviation over seeds.");
  figure.set_spec("recorded.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("recorded");
  for (const char* field : {"kind", "network", "series", "seed", "split",
                            "epoch", "accuracy", "low", "high", "label"}) {
    data->add_fields(field);
  }
  if (recorded.runs.empty()) {
    // A chart without any record has no size, and cannot be drawn.
    Point nothing;
    nothing.kind = "recorded";
    nothing.series = "no run yet";
    Add(nothing, data);
  }
  for (const RecordedRun& run : recorded.runs) AddRun(run, data);
  // One band for all seeds of a network.
  std::string network;
  for (const RecordedRun& run : recorded.runs) {
    const RunSpec& spec = run.result().spec();
    if (const ReferenceCurve* curve = FindCurve(run, recorded.curves)) {
      AddCurve(*curve, data);
    }
    const PaperValue* paper = FindAccuracy(spec, recorded.table2);
    if (spec.policy() != kBase || paper == nullptr || spec.model() == network) {
      continue;
    }
    network = spec.model();
    AddPublished(spec, *paper, data);
  }
  return figure;
}

}  // namespace repro16
