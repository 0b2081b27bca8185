#include "analysis/cost_model.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analysis/cost_model.pb.h"
#include "analysis/device.pb.h"
#include "engine/graph/builder.h"

namespace repro16 {
namespace {

Device MakeDevice(double launch_us) {
  Device device;
  device.set_name("A device");
  device.mutable_bandwidth_gb_per_s()->set_value(100);
  device.mutable_f32_tflops()->set_value(1);
  device.mutable_tf32_tflops()->set_value(2);
  device.mutable_f16_tflops()->set_value(4);
  device.mutable_launch_us()->set_value(launch_us);
  device.mutable_launch_us()->set_source("made up");
  return device;
}

// Wide: operations weigh most. Deep: launches.
Graph Network(int64_t width, int depth) {
  GraphBuilder b;
  TensorId x = b.Input(Shape({width}));
  for (int i = 0; i < depth; ++i) x = b.Relu(b.Dense(x, width));
  return *std::move(b).Classifier(b.Dense(x, 10));
}

std::vector<Graph> Graphs() { return {Network(4096, 2), Network(8, 40)}; }

PublishedTimes Published() {
  PublishedTimes published;
  published.set_table("a table");
  published.set_device("here");
  published.set_batch(256);
  const auto add = [&](std::string_view model, double fp16, double fp32,
                       double mp) {
    PublishedTimes::Network& network = *published.add_networks();
    network.set_model(std::string(model));
    network.set_fp16_seconds(fp16);
    network.set_fp32_seconds(fp32);
    network.set_mp_seconds(mp);
  };
  add("vgg16", 10, 25, 12);
  add("resnet32", 10, 11, 11);
  return published;
}

constexpr Protocol kProtocol{1, 1024, 0, 256};

CostModelReport Report(const PublishedTimes& published,
                       std::string_view device = "here",
                       double launch_us = 10) {
  return MakeCostModelReport(MakeDevice(launch_us), device, published, Graphs(),
                             kProtocol);
}

bool Says(const CostModelReport& report, std::string_view text) {
  for (const std::string& finding : report.findings()) {
    if (finding.find(text) != std::string::npos) return true;
  }
  return false;
}

TEST(CostModelTest, RowsHoldTheModelsTimes) {
  const CostModelReport report = Report(Published());
  EXPECT_EQ(report.caveat(), "a model, not a measurement");
  ASSERT_EQ(report.networks_size(), 2);
  for (const CostModelReport::Network& network : report.networks()) {
    ASSERT_EQ(network.precisions_size(), kModelledPrecisions);
    for (const CostModelReport::Precision& precision : network.precisions()) {
      EXPECT_NEAR(precision.compute_share() + precision.bandwidth_share() +
                      precision.launch_share(),
                  1, 1e-12);
    }
    EXPECT_DOUBLE_EQ(network.fp32_speedup(),
                     network.precisions(kModelledFp32).seconds() /
                         network.precisions(kModelledFp16).seconds());
  }
  const CostModelReport::Network& deep = report.networks(1);
  const Device device = MakeDevice(10);
  const Graph graph = Network(8, 40);
  EXPECT_DOUBLE_EQ(
      deep.precisions(kModelledMp).seconds(),
      4 * TotalTime(TrainingKernels(graph, *FindPolicy("MP"), {256, true}),
                    device, ParametersOf(device))
              .Total());
  EXPECT_GT(deep.precisions(kModelledFp32).launch_share(), 0.8);
  // Slower tensor cores than FP16's, none at all: in this order.
  const CostModelReport::Network& wide = report.networks(0);
  EXPECT_LT(wide.precisions(kModelledFp16).seconds(),
            wide.precisions(kModelledFp32).seconds());
  EXPECT_LT(wide.precisions(kModelledFp32).seconds(),
            wide.precisions(kModelledFp32WithoutTf32).seconds());
}

TEST(CostModelTest, EqualTimesHaveNoError) {
  const CostModelReport report = Report(Published());
  PublishedTimes same = Published();
  for (int i = 0; i < 2; ++i) {
    const CostModelReport::Network& network = report.networks(i);
    PublishedTimes::Network& row = *same.mutable_networks(i);
    row.set_fp16_seconds(network.precisions(kModelledFp16).seconds());
    row.set_fp32_seconds(network.precisions(kModelledFp32).seconds());
    row.set_mp_seconds(network.precisions(kModelledMp).seconds());
  }
  const CostModelReport exact = Report(same);
  EXPECT_DOUBLE_EQ(exact.error().seconds(), 0);
  EXPECT_DOUBLE_EQ(exact.error().fp32_speedup(), 0);
  EXPECT_DOUBLE_EQ(exact.error().mp_speedup(), 0);
  EXPECT_NEAR(exact.error().seconds_correlation(), 1, 1e-12);
  EXPECT_GT(exact.error_without_tf32().seconds(), 0);
  EXPECT_TRUE(Says(exact, "FP32 with TF32 fits"));

  // Twice as long: all predictions are half of it, all gains the same.
  for (PublishedTimes::Network& row : *same.mutable_networks()) {
    row.set_fp16_seconds(2 * row.fp16_seconds());
    row.set_fp32_seconds(2 * row.fp32_seconds());
    row.set_mp_seconds(2 * row.mp_seconds());
  }
  const CostModelReport half = Report(same);
  EXPECT_NEAR(half.error().seconds(), 0.5, 1e-12);
  EXPECT_NEAR(half.error().seconds_correlation(), 1, 1e-12);
  EXPECT_DOUBLE_EQ(half.error().fp32_speedup(), 0);
  EXPECT_TRUE(Says(half, "Predicted times are 0.50 of the published"));
}

TEST(CostModelTest, SensitivityHoldsTheUsedValueToo) {
  const CostModelReport report = Report(Published());
  int used = 0;
  for (const CostModelReport::Sensitivity& point : report.sensitivity()) {
    if (point.attainable_share() == 1 && point.launch_us() == 10) {
      ++used;
      EXPECT_EQ(point.error().SerializeAsString(),
                report.error().SerializeAsString());
    }
  }
  EXPECT_EQ(used, 1);
}

TEST(CostModelTest, ErrorsAreOfThePublishedDeviceAndBatchAlone) {
  const CostModelReport report = Report(Published(), "elsewhere");
  EXPECT_FALSE(report.has_error());
  EXPECT_FALSE(report.has_error_without_tf32());
  EXPECT_EQ(report.sensitivity_size(), 0);
  EXPECT_FALSE(Says(report, "published difference"));
  PublishedTimes other_batch = Published();
  other_batch.set_batch(128);
  EXPECT_FALSE(Report(other_batch).has_error());
}

TEST(CostModelTest, FindingsSayWhatTheNumbersShow) {
  EXPECT_TRUE(Says(Report(Published()), "launches cost the same in 16 bits"));
  EXPECT_TRUE(Says(Report(Published()), "% of the published difference"));
  // Peak rates and bytes differ by 2: more is beyond the model.
  EXPECT_TRUE(Says(Report(Published()), "not explained: vgg16 2.50x"));
  // The names exchanged: the deep network gains less, against what the sentence
  // would explain.
  PublishedTimes exchanged = Published();
  exchanged.mutable_networks(0)->set_model("resnet32");
  exchanged.mutable_networks(1)->set_model("vgg16");
  EXPECT_TRUE(Says(Report(exchanged), "the model does not show why"));
  EXPECT_FALSE(Says(Report(exchanged), "launches cost the same in 16 bits"));
}

TEST(CostModelTest, TheSameInputGivesTheSameBytes) {
  EXPECT_EQ(Report(Published()).SerializeAsString(),
            Report(Published()).SerializeAsString());
}

TEST(CheckPublishedTimesTest, NamesTheFault) {
  EXPECT_TRUE(CheckPublishedTimes(Published(), "f").ok());
  EXPECT_EQ(CheckPublishedTimes(PublishedTimes(), "f").message(),
            "f: batch: is not above 0");
  PublishedTimes none = Published();
  none.clear_networks();
  EXPECT_EQ(CheckPublishedTimes(none, "f").message(),
            "f: networks: there are none");
  PublishedTimes twice = Published();
  twice.mutable_networks(1)->set_model("vgg16");
  EXPECT_EQ(CheckPublishedTimes(twice, "f").message(),
            "f: networks.model: vgg16 is there twice");
  PublishedTimes without = Published();
  without.mutable_networks(1)->clear_mp_seconds();
  EXPECT_EQ(CheckPublishedTimes(without, "f").message(),
            "f: resnet32: fp16_seconds, fp32_seconds and mp_seconds must all "
            "be above 0");
}

}  // namespace
}  // namespace repro16
