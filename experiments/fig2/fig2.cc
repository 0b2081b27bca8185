#include "experiments/fig2/fig2.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "experiments/common/answer.h"
#include "experiments/common/cifar10.h"
#include "experiments/common/network_results.h"
#include "experiments/common/report_parts.h"
#include "experiments/common/statements.h"

namespace repro16 {
namespace {

struct NamedSplit {
  std::string_view name;
  Split accuracy;
};

constexpr NamedSplit kSplits[] = {{"training", kTraining}, {"test", kTest}};

report::Figure AccuracyFigure(const NetworkResults& network) {
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
  for (const std::string& policy : network.runs()->Policies()) {
    for (const NamedSplit& split : kSplits) {
      for (int e = 0; e < network.epochs(); ++e) {
        const std::vector<double> values =
            network.Accuracies(policy, split.accuracy, e);
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

report::Figure DifferenceFigure(const NetworkResults& network) {
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
  const std::vector<RunSet::Pair> pairs = network.runs()->Pairs("FP16", "FP32");
  for (const NamedSplit& split : kSplits) {
    for (int e = 0; e < network.epochs(); ++e) {
      const std::vector<double> points =
          network.Differences("FP16", "FP32", split.accuracy, e);
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

report::Table FinalTable(const NetworkResults& network) {
  report::Table table;
  table.set_title("After the last epoch");
  table.set_caption(
      "Mean ± standard deviation (seeds), in percent. The loss is the mean "
      "cross entropy.");
  AddColumns({"policy", "training accuracy", "test accuracy", "training loss",
              "test loss"},
             &table);
  for (const std::string& policy : network.runs()->Policies()) {
    std::vector<double> train_loss, test_loss;
    for (const TrainedRun* run : network.OfPrecision(policy)) {
      train_loss.push_back(run->result.epochs().rbegin()->train_loss());
      test_loss.push_back(run->result.epochs().rbegin()->test_loss());
    }
    const double train_mean = EstimateOf(train_loss).mean();
    const double test_mean = EstimateOf(test_loss).mean();
    AddRow(
        {TextCell(policy), EstimateCell(network.Accuracies(policy, kTraining)),
         EstimateCell(network.Accuracies(policy)),
         NumberCell(train_mean, absl::StrFormat("%.4f", train_mean)),
         NumberCell(test_mean, absl::StrFormat("%.4f", test_mean))},
        &table);
  }
  return table;
}

report::Table DifferenceTable(const NetworkResults& network) {
  report::Table table;
  table.set_title("Differences from FP32 after the last epoch");
  table.set_caption(
      "Paired by seed; mean ± standard deviation (seeds), in points of "
      "accuracy.");
  AddColumns({"policy", "training", "test"}, &table);
  for (const std::string& policy : network.runs()->Policies()) {
    const std::vector<double> training =
        network.Differences(policy, "FP32", kTraining);
    if (training.empty() || policy == "FP32") continue;
    AddRow({TextCell(policy), EstimateCell(training, true),
            EstimateCell(network.Differences(policy, "FP32"), true)},
           &table);
  }
  return table;
}

report::Table SeedTable(const NetworkResults& network) {
  report::Table table;
  table.set_title("FP16 - FP32 after the last epoch, seed by seed");
  table.set_caption("Differences of accuracy, in points.");
  AddColumns({"seed", "training", "test"}, &table);
  const std::vector<RunSet::Pair> pairs = network.runs()->Pairs("FP16", "FP32");
  const std::vector<double> training =
      network.Differences("FP16", "FP32", kTraining);
  const std::vector<double> test = network.Differences("FP16", "FP32");
  for (size_t i = 0; i < pairs.size(); ++i) {
    AddRow({TextCell(absl::StrCat(pairs[i].a->seed())),
            NumberCell(training[i], absl::StrFormat("%+.2f", training[i])),
            NumberCell(test[i], absl::StrFormat("%+.2f", test[i]))},
           &table);
  }
  return table;
}

Measurement MeasureFigure2(const Asked& asked, const NetworkResults& network) {
  Measurement measured;
  measured.networks = {network.Differences(
      "FP16", "FP32",
      asked.statement.id() == "training_accuracy" ? kTraining : kTest)};
  measured.training = TrainingOf({network});
  return measured;
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
  const NetworkResults network(NetworkOf("mlp"), &runs);
  const absl::StatusOr<Judgements> judgements = JudgeAll(
      golden, runs.scale(), runs.Judged(),
      [&](const Asked& asked) { return MeasureFigure2(asked, network); });
  if (!judgements.ok()) return judgements.status();
  judgements->AddTo(&report);
  AddAnswer({"training_accuracy", "test_accuracy"}, &report);
  *report.add_tables() = FinalTable(network);
  *report.add_tables() = DifferenceTable(network);
  *report.add_tables() = SeedTable(network);
  *report.add_figures() = AccuracyFigure(network);
  *report.add_figures() = DifferenceFigure(network);
  AddContradictions(&report);
  AddMnistProtocol(&report);
  for (const std::string& policy : runs.Policies()) {
    if (policy != "FP32") AddPartings(runs, policy, "FP32", &report);
  }
  return analysis;
}

}  // namespace repro16
