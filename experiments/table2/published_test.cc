#include "experiments/table2/published.h"

#include <map>
#include <string>

#include "analysis/cost_model.pb.h"
#include "engine/io/proto_file.h"
#include "experiments/common/cifar10.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

Golden ReadThePaper() {
  const absl::StatusOr<Published> published =
      ReadPublished("experiments/table2/published.textproto");
  EXPECT_TRUE(published.ok()) << published.status();
  return published->values;
}

TEST(PublishedTest, ChecksAllowWhatThePrintedDigitsDo) {
  const Golden golden = ReadThePaper();
  std::map<std::string, double> tolerances;
  for (const ArithmeticCheck& check : golden.checks()) {
    tolerances[check.result()] = check.tolerance();
  }
  EXPECT_EQ(tolerances.size(), 12u * 4 + 4);
  EXPECT_NEAR(tolerances["alexnet/FP16-FP32"], 0.15, 1e-12);
  // (174.5 / 95.5 - 174 / 96) and half of a tenth.
  EXPECT_NEAR(tolerances["alexnet/FP32/FP16"], 0.05 + 0.014725, 1e-6);
  EXPECT_NEAR(tolerances["mean/FP16-MP"], 0.1, 1e-12);
}

TEST(PublishedTest, RowsThatLackNumbersAreRefused) {
  PublishedTable table;
  table.add_rows()->set_model("vgg16");
  EXPECT_EQ(PublishedValues(table).status().message(),
            "published table 2, row vgg16: 0 numbers where there are 3; give "
            "each as printed");
}

// The cost model is held against times of its own file.
TEST(PublishedTest, TimesAreTheCostModels) {
  PublishedTimes published;
  ASSERT_TRUE(
      ReadTextProto("analysis/published_times.textproto", &published).ok());
  std::map<std::string, double> paper;
  const Golden golden = ReadThePaper();
  for (const PaperValue& value : golden.paper()) {
    paper[value.id()] = value.value();
  }
  ASSERT_EQ(published.networks_size(),
            static_cast<int>(Table2Networks().size()));
  for (const PublishedTimes::Network& network : published.networks()) {
    EXPECT_EQ(network.fp16_seconds(), paper.at(network.model() + "/FP16_s"));
    EXPECT_EQ(network.fp32_seconds(), paper.at(network.model() + "/FP32_s"));
    EXPECT_EQ(network.mp_seconds(), paper.at(network.model() + "/MP_s"));
  }
}

}  // namespace
}  // namespace repro16
