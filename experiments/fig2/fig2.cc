#include "experiments/fig2/fig2.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/judge.h"
#include "experiments/common/report_parts.h"

namespace repro16 {
namespace {

// Which of an epoch's accuracies; in percent.
struct Split {
  std::string_view name;
  double (EpochResult::*accuracy)() const;

  double Percent(const EpochResult& epoch) const {
    return 100 * (epoch.*accuracy)();
  }
};

constexpr Split kSplits[] = {{"training", &EpochResult::train_accuracy},
                             {"test", &EpochResult::test_accuracy}};

int Epochs(const RunSet& runs) {
  return runs.runs().front().result.epochs_size();
}

// One policy's accuracies after epoch `e` (from 0), a value a seed.
std::vector<double> Accuracies(const std::vector<const TrainedRun*>& runs,
                               const Split& split, int e) {
  std::vector<double> values;
  for (const TrainedRun* run : runs) {
    values.push_back(split.Percent(run->result.epochs(e)));
  }
  return values;
}

// `policy` - FP32 after epoch `e`, in points, a value a seed that both have.
std::vector<double> Differences(const RunSet& runs, std::string_view policy,
                                const Split& split, int e) {
  std::vector<double> values;
  for (const RunSet::Pair& pair : runs.Pairs(policy, "FP32")) {
    values.push_back(split.Percent(pair.a->result.epochs(e)) -
                     split.Percent(pair.b->result.epochs(e)));
  }
  return values;
}

report::Figure AccuracyFigure(const RunSet& runs) {
  report::Figure figure;
  figure.set_name("accuracy");
  figure.set_title("Accuracy by epoch");
  figure.set_caption(
      "Training and test accuracy in percent after each epoch; a line is the "
      "mean over seeds, its band spans all seeds.");
  figure.set_spec("accuracy.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("accuracy");
  for (const char* field :
       {"policy", "split", "epoch", "mean", "low", "high"}) {
    data->add_fields(field);
  }
  for (const std::string& policy : runs.Policies()) {
    const std::vector<const TrainedRun*> of_policy = runs.OfPolicy(policy);
    for (const Split& split : kSplits) {
      for (int e = 0; e < Epochs(runs); ++e) {
        const std::vector<double> values = Accuracies(of_policy, split, e);
        const auto [low, high] =
            std::minmax_element(values.begin(), values.end());
        AddRecord({ChartText(policy), ChartText(split.name), ChartNumber(e + 1),
                   ChartNumber(EstimateOf(values).mean()), ChartNumber(*low),
                   ChartNumber(*high)},
                  data);
      }
    }
  }
  return figure;
}

report::Figure DifferenceFigure(const RunSet& runs) {
  report::Figure figure;
  figure.set_name("difference");
  figure.set_title("FP16 - FP32, paired by seed");
  figure.set_caption(
      "Difference of the accuracies of FP16 and FP32 in points; a thin line is "
      "a seed, the thick line the mean.");
  figure.set_spec("difference.vl.json");
  report::Dataset* data = figure.add_datasets();
  data->set_name("difference");
  for (const char* field : {"split", "seed", "epoch", "points"}) {
    data->add_fields(field);
  }
  const std::vector<RunSet::Pair> pairs = runs.Pairs("FP16", "FP32");
  for (const Split& split : kSplits) {
    for (int e = 0; e < Epochs(runs); ++e) {
      const std::vector<double> points = Differences(runs, "FP16", split, e);
      for (size_t i = 0; i < pairs.size(); ++i) {
        AddRecord(
            {ChartText(split.name), ChartText(absl::StrCat(pairs[i].a->seed())),
             ChartNumber(e + 1), ChartNumber(points[i])},
            data);
      }
    }
  }
  return figure;
}

report::Table FinalTable(const RunSet& runs) {
  report::Table table;
  table.set_title("After the last epoch");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent. The loss is the mean "
      "cross entropy.");
  AddColumns({"policy", "training accuracy", "test accuracy", "training loss",
              "test loss"},
             &table);
  const int last = Epochs(runs) - 1;
  for (const std::string& policy : runs.Policies()) {
    const std::vector<const TrainedRun*> of_policy = runs.OfPolicy(policy);
    std::vector<double> train_loss, test_loss;
    for (const TrainedRun* run : of_policy) {
      train_loss.push_back(run->result.epochs(last).train_loss());
      test_loss.push_back(run->result.epochs(last).test_loss());
    }
    const double train_mean = EstimateOf(train_loss).mean();
    const double test_mean = EstimateOf(test_loss).mean();
    AddRow({TextCell(policy),
            EstimateCell(Accuracies(of_policy, kSplits[0], last)),
            EstimateCell(Accuracies(of_policy, kSplits[1], last)),
            NumberCell(train_mean, absl::StrFormat("%.4f", train_mean)),
            NumberCell(test_mean, absl::StrFormat("%.4f", test_mean))},
           &table);
  }
  return table;
}

report::Table DifferenceTable(const RunSet& runs) {
  report::Table table;
  table.set_title("Differences from FP32 after the last epoch");
  table.set_caption(
      "Paired by seed; mean ± standard deviation (seeds), in points of "
      "accuracy.");
  AddColumns({"policy", "training", "test"}, &table);
  const int last = Epochs(runs) - 1;
  for (const std::string& policy : runs.Policies()) {
    if (runs.Pairs(policy, "FP32").empty() || policy == "FP32") continue;
    AddRow({TextCell(policy),
            EstimateCell(Differences(runs, policy, kSplits[0], last), true),
            EstimateCell(Differences(runs, policy, kSplits[1], last), true)},
           &table);
  }
  return table;
}

report::Table SeedTable(const RunSet& runs) {
  report::Table table;
  table.set_title("FP16 - FP32 after the last epoch, seed by seed");
  table.set_caption("Differences of accuracy, in points.");
  AddColumns({"seed", "training", "test"}, &table);
  const int last = Epochs(runs) - 1;
  const std::vector<RunSet::Pair> pairs = runs.Pairs("FP16", "FP32");
  const std::vector<double> training =
      Differences(runs, "FP16", kSplits[0], last);
  const std::vector<double> test = Differences(runs, "FP16", kSplits[1], last);
  for (size_t i = 0; i < pairs.size(); ++i) {
    AddRow({TextCell(absl::StrCat(pairs[i].a->seed())),
            NumberCell(training[i], absl::StrFormat("%+.2f", training[i])),
            NumberCell(test[i], absl::StrFormat("%+.2f", test[i]))},
           &table);
  }
  return table;
}

absl::Status AddExpectations(const RunSet& runs, const Golden& golden,
                             report::Report* report) {
  std::vector<const TrainedRun*> fp16, fp32;
  for (const RunSet::Pair& pair : runs.Pairs("FP16", "FP32")) {
    fp16.push_back(pair.a);
    fp32.push_back(pair.b);
  }
  const int last = Epochs(runs) - 1;
  const auto judge = [&](std::string_view id, std::string_view what,
                         const Split& split, Claim claim) -> absl::Status {
    absl::StatusOr<report::Expectation> expectation =
        JudgePaired(runs, golden, id, what, Accuracies(fp16, split, last),
                    Accuracies(fp32, split, last), claim);
    if (!expectation.ok()) return expectation.status();
    *report->add_expectations() = *std::move(expectation);
    return absl::OkStatus();
  };
  absl::Status status =
      judge("training_accuracy", "Training accuracy, FP16 - FP32", kSplits[0],
            Claim::kEqual);
  status.Update(judge("test_accuracy", "Test accuracy, FP16 - FP32", kSplits[1],
                      Claim::kSlightlyMore));
  return status;
}

}  // namespace

absl::StatusOr<Analysis> AnalyseFigure2(const RunSet& runs,
                                        const Golden& golden) {
  if (runs.Pairs("FP16", "FP32").empty()) {
    return absl::InvalidArgumentError(
        "--results: no FP16 and FP32 run of the same seed; give both");
  }
  Analysis analysis;
  report::Report& report = analysis.report;
  report = StartReport("fig2", runs);
  AddMnistReductions(runs, &report);
  report.set_title("Accuracy by epoch on MNIST");
  report.mutable_claim()->set_text(
      "We observe that the training accuracy of the 16-bit model is close to "
      "that of the 32-bit model, while the 16-bit model achieves slightly "
      "better accuracy "
      "in terms of testing accuracy.");
  report.mutable_claim()->set_place("section 3.3, figure 2");
  report.add_summary(
      "The same network, seeds and order of samples in each precision. FP16 "
      "and FP32 are the paper's; MP, BF16 and FP16_ACC16 stand beside them.");
  if (absl::Status status = AddExpectations(runs, golden, &report);
      !status.ok()) {
    return status;
  }
  *report.add_tables() = FinalTable(runs);
  *report.add_tables() = DifferenceTable(runs);
  *report.add_tables() = SeedTable(runs);
  *report.add_figures() = AccuracyFigure(runs);
  *report.add_figures() = DifferenceFigure(runs);
  AddContradictions(&report);
  AddMnistProtocol(&report);
  for (const std::string& policy : runs.Policies()) {
    if (policy != "FP32") AddPartings(runs, policy, "FP32", &report);
  }
  return analysis;
}

}  // namespace repro16
