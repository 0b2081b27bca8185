// The published data sets, as they are. The expected values were computed from
// the same files by other means.
#include <string>

#include "absl/status/statusor.h"
#include "engine/data/dataset.h"
#include "engine/run/run.pb.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

std::string mnist_folder;
std::string cifar10_folder;

// The mean and the deviation of the training pixels, from their table.
struct Moments {
  double mean;
  double std;
};

Moments TrainingMoments(const Dataset& data) {
  const auto table = *NormalizationTable("standardized", data.train);
  const double std = 255 / (table[255] - table[0]);
  return {-table[0] * std, std};
}

TEST(PublishedTest, Mnist) {
  DataSpec spec;
  spec.set_dataset("mnist");
  const absl::StatusOr<Dataset> data = LoadDataset(spec, mnist_folder);
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_FALSE(data->made_up);
  EXPECT_EQ(data->digest,
            "06b0d1f124c4e5fa796686ade41a9b778edacc8622f2195a352ef479ad44fc16");
  const Moments moments = TrainingMoments(*data);
  EXPECT_NEAR(moments.mean, 33.318421449829934, 1e-6);
  EXPECT_NEAR(moments.std, 78.56748998339798, 1e-6);
}

TEST(PublishedTest, Cifar10) {
  DataSpec spec;
  spec.set_dataset("cifar10");
  const absl::StatusOr<Dataset> data = LoadDataset(spec, cifar10_folder);
  ASSERT_TRUE(data.ok()) << data.status();
  ASSERT_FALSE(data->made_up);
  EXPECT_EQ(data->digest,
            "80387ddb9a0edf3fc4a964ee3770296169bb26a651050df20035579673099660");
  const Moments moments = TrainingMoments(*data);
  EXPECT_NEAR(moments.mean, 120.70756512369792, 1e-6);
  EXPECT_NEAR(moments.std, 64.15007589112122, 1e-6);
}

std::string FolderOf(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

}  // namespace
}  // namespace repro16

// Arguments: the files of MNIST, then those of CIFAR-10.
int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (argc < 3) return 2;
  repro16::mnist_folder = repro16::FolderOf(argv[1]);
  repro16::cifar10_folder = repro16::FolderOf(argv[argc - 1]);
  return RUN_ALL_TESTS();
}
