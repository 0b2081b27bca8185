#include "experiments/common/cifar10.h"

#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace repro16 {
namespace {

RunSet SetOf(const std::string& model, int64_t epochs, int seeds,
             const std::string& policy = "FP16") {
  std::vector<TrainedRun> runs;
  for (int seed = 1; seed <= seeds; ++seed) {
    TrainedRun run;
    RunSpec& spec = *run.result.mutable_spec();
    spec.set_model(model);
    spec.set_policy(policy);
    spec.set_scale("lite");
    spec.set_seed(seed);
    spec.set_epochs(epochs);
    spec.set_batch_size(256);
    spec.mutable_data()->set_normalization(model == "vit8" ? "unit"
                                                           : "standardized");
    run.result.add_epochs()->set_test_accuracy(0.25);
    run.result.add_epochs()->set_test_accuracy(0.5);
    runs.push_back(std::move(run));
  }
  return *RunSet::Create(std::move(runs), "lite");
}

TEST(Cifar10Test, NamesNetworksAsThePaperDoes) {
  EXPECT_EQ(Table2Networks().size(), 12u);
  EXPECT_EQ(NetworkName("resnet32"), "ResNet-32");
  EXPECT_EQ(NetworkName("resnet34"), "ResNet-34");
  EXPECT_EQ(NetworkName("mlp"), "mlp");
}

TEST(Cifar10Test, TakesTheAccuracyAfterTheLastEpoch) {
  EXPECT_EQ(FinalTestAccuracies(SetOf("vit8", 2, 2), "FP16"),
            (std::vector<double>{50, 50}));
  EXPECT_TRUE(FinalTestAccuracies(SetOf("vit8", 2, 2), "FP32").empty());
}

TEST(Cifar10Test, DivergedIsAnInfiniteOrNaNLossAtTheEnd) {
  std::vector<TrainedRun> runs = SetOf("vit8", 2, 3).runs();
  const double infinity = std::numeric_limits<double>::infinity();
  runs[0].result.mutable_epochs(0)->set_train_loss(infinity);
  runs[1].result.mutable_epochs(1)->set_train_loss(std::nan(""));
  runs[2].result.mutable_epochs(1)->set_train_loss(infinity);
  const RunSet set = *RunSet::Create(std::move(runs), "lite");
  EXPECT_EQ(DivergedSeeds(set, "FP16"), (std::vector<uint64_t>{2, 3}));
  EXPECT_TRUE(DivergedSeeds(set, "FP32").empty());
  report::Report report;
  AddDiverged({set, SetOf("vgg16", 2, 1)}, &report);
  ASSERT_EQ(report.summary_size(), 1);
  EXPECT_NE(report.summary(0).find(": ViT-8 in FP16 (seed 2, 3)."),
            std::string::npos);
  AddDiverged({SetOf("vgg16", 2, 1)}, &report);
  EXPECT_EQ(report.summary_size(), 1);
}

TEST(Cifar10Test, ReductionsNameWhatIsSmallerAndWhereNetworksDiffer) {
  report::Report report;
  AddCifar10Reductions(
      {SetOf("vit8", 2, 50), SetOf("alexnet", 2, 50), SetOf("vgg16", 3, 50)},
      &report);
  ASSERT_EQ(report.provenance().reductions_size(), 1);
  EXPECT_EQ(report.provenance().reductions(0),
            "epochs: 2 (VGG-16: 3) instead of 100");
}

TEST(Cifar10Test, TransformersOnStandardizedPixelsAreNamed) {
  TrainedRun run;
  run.result.mutable_spec()->set_model("vit12");
  run.result.mutable_spec()->set_policy("FP16");
  run.result.mutable_spec()->set_epochs(100);
  run.result.mutable_spec()->set_batch_size(256);
  run.result.mutable_spec()->mutable_data()->set_normalization("standardized");
  run.result.add_epochs();
  report::Report report;
  AddCifar10Reductions({*RunSet::Create({run}, "")}, &report);
  ASSERT_EQ(report.provenance().reductions_size(), 2);
  EXPECT_EQ(report.provenance().reductions(1), "pixels: standardized");
}

TEST(Cifar10Test, TheFullProtocolHasNoReductions) {
  report::Report report;
  AddCifar10Reductions({SetOf("vit8", 100, 50)}, &report);
  EXPECT_EQ(report.provenance().reductions_size(), 0);
}

TEST(Cifar10Test, ShortTrainingIsALimitation) {
  TrainedRun run;
  run.result.mutable_spec()->set_model("vgg16");
  run.result.mutable_spec()->set_policy("FP32");
  run.result.mutable_spec()->set_epochs(4);
  run.result.add_epochs()->set_test_accuracy(0.25);
  report::Report report;
  AddShortTraining({*RunSet::Create({run}, "")}, &report);
  ASSERT_EQ(report.findings_size(), 1);
  EXPECT_EQ(report.findings(0).kind(), report::Finding::LIMITATION);
  EXPECT_NE(report.findings(0).text().find("25.0 to 25.0%"), std::string::npos);

  report.Clear();
  run.result.mutable_spec()->set_epochs(100);
  AddShortTraining({*RunSet::Create({run}, "")}, &report);
  EXPECT_EQ(report.findings_size(), 0);
}

TEST(Cifar10Test, ProtocolTableHasARowForEachSet) {
  const report::Table table =
      ProtocolTable({SetOf("vit8", 2, 1), SetOf("vgg16", 3, 2)});
  ASSERT_EQ(table.rows_size(), 2);
  EXPECT_EQ(table.rows(1).cells(0).text(), "VGG-16");
  EXPECT_EQ(table.rows(1).cells(7).number(), 2);
  EXPECT_EQ(table.rows(1).cells_size(), table.columns_size());
}

}  // namespace
}  // namespace repro16
