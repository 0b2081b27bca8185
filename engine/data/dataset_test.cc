#include "engine/data/dataset.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <ios>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/run/run.pb.h"
#include "gtest/gtest.h"

namespace repro16 {
namespace {

DataSpec Spec(const std::string& dataset, int64_t train = 0, int64_t test = 0) {
  DataSpec spec;
  spec.set_dataset(dataset);
  spec.set_train_examples(train);
  spec.set_test_examples(test);
  return spec;
}

std::string BigEndian32(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes += char(value >> shift);
  return bytes;
}

std::string IdxImages(int64_t count) {
  std::string bytes = BigEndian32(0x803) + BigEndian32(count) +
                      BigEndian32(28) + BigEndian32(28);
  for (int64_t i = 0; i < count * 784; ++i) bytes += char(i % 251);
  return bytes;
}

std::string IdxLabels(int64_t count) {
  std::string bytes = BigEndian32(0x801) + BigEndian32(count);
  for (int64_t i = 0; i < count; ++i) bytes += char(i % 10);
  return bytes;
}

constexpr int64_t kCifarRecord = 3073;

// Record n: label n % 10, planes red, green, blue; `file` tells files apart.
std::string CifarBatch(int file) {
  std::string bytes;
  for (int n = 0; n < 10000; ++n) {
    bytes += char(n % 10);
    for (int c = 0; c < 3; ++c) {
      for (int pixel = 0; pixel < 1024; ++pixel) {
        bytes += char(100 * c + pixel % 32 + pixel / 32 + 7 * file + n % 3);
      }
    }
  }
  return bytes;
}

// A fresh folder, in which Write makes files.
class LoadTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/dataset_test_XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }

  void Write(const std::string& name, const std::string& contents) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << contents;
  }

  void WriteMnist() {
    Write("train-images-idx3-ubyte", IdxImages(60000));
    Write("train-labels-idx1-ubyte", IdxLabels(60000));
    Write("t10k-images-idx3-ubyte", IdxImages(10000));
    Write("t10k-labels-idx1-ubyte", IdxLabels(10000));
  }

  void WriteCifar10() {
    for (int i = 1; i <= 5; ++i) {
      Write(absl::StrCat("data_batch_", i, ".bin"), CifarBatch(i));
    }
    Write("test_batch.bin", CifarBatch(0));
  }

  // The error of loading `dataset`, without the folder before file names.
  std::string Fault(const DataSpec& spec) {
    const absl::StatusOr<Dataset> data = LoadDataset(spec, folder_);
    if (data.ok()) return "";
    std::string message(data.status().message());
    if (message.rfind(folder_ + "/", 0) == 0) {
      message.erase(0, folder_.size() + 1);
    }
    return message;
  }

  std::string folder_;
};

using MnistTest = LoadTest;
using Cifar10Test = LoadTest;

TEST_F(MnistTest, LoadsAndCuts) {
  WriteMnist();
  const absl::StatusOr<Dataset> data =
      LoadDataset(Spec("mnist", 100, 7), folder_);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->name, "mnist");
  EXPECT_EQ(data->height, 28);
  EXPECT_EQ(data->width, 28);
  EXPECT_EQ(data->channels, 1);
  EXPECT_EQ(data->classes, 10);
  EXPECT_FALSE(data->made_up);
  EXPECT_EQ(data->train.count, 100);
  ASSERT_EQ(data->train.images.size(), 100u * 784);
  ASSERT_EQ(data->train.labels.size(), 100u);
  EXPECT_EQ(data->train.images[783], 783 % 251);
  EXPECT_EQ(data->train.images[99 * 784], 99 * 784 % 251);
  EXPECT_EQ(data->train.labels[98], 8);
  EXPECT_EQ(data->test.count, 7);

  const absl::StatusOr<Dataset> all = LoadDataset(Spec("mnist"), folder_);
  ASSERT_TRUE(all.ok()) << all.status();
  EXPECT_EQ(all->train.count, 60000);
  EXPECT_EQ(all->test.count, 10000);
  EXPECT_NE(all->digest, data->digest);
}

TEST_F(MnistTest, MissingFiles) {
  EXPECT_EQ(Fault(Spec("mnist")),
            "train-images-idx3-ubyte: cannot be read: No such file or "
            "directory; check the path");
  EXPECT_EQ(LoadDataset(Spec("mnist"), "").status().message(),
            "data.dataset: mnist is read from files; name the folder that "
            "holds them");
}

TEST_F(MnistTest, DamagedImages) {
  WriteMnist();
  const std::string cure = "; copy the published file again, uncompressed";
  const std::string name = "train-images-idx3-ubyte";
  const std::string good = IdxImages(60000);

  Write(name, good.substr(0, 10));
  EXPECT_EQ(Fault(Spec("mnist")),
            name + ": truncated: 10 bytes, the header has 16" + cure);
  Write(name, good.substr(0, good.size() - 1));
  EXPECT_EQ(Fault(Spec("mnist")),
            name + ": truncated: 47040015 bytes, not 47040016" + cure);
  Write(name, good + "x");
  EXPECT_EQ(Fault(Spec("mnist")),
            name + ": too long: 47040017 bytes, not 47040016" + cure);
  Write(name, "\x1f\x8b\x08\x08" + good.substr(4));  // compressed
  EXPECT_EQ(Fault(Spec("mnist")),
            name + ": magic number 1f8b0808, not 00000803" + cure);
  Write(name, IdxImages(10));
  EXPECT_EQ(Fault(Spec("mnist")),
            name + ": dimension 0 is 10, not 60000" + cure);
  Write(name, BigEndian32(0x803) + BigEndian32(60000) + BigEndian32(32) +
                  good.substr(12));
  EXPECT_EQ(Fault(Spec("mnist")), name + ": dimension 1 is 32, not 28" + cure);
}

TEST_F(MnistTest, DamagedLabels) {
  WriteMnist();
  std::string labels = IdxLabels(10000);
  labels[5000] = 10;
  Write("t10k-labels-idx1-ubyte", labels);
  EXPECT_EQ(Fault(Spec("mnist")),
            "t10k-labels-idx1-ubyte: label 10 of an image, where 0 to 9 are "
            "allowed; copy the published file again");
  Write("t10k-labels-idx1-ubyte", IdxImages(10000));
  EXPECT_EQ(Fault(Spec("mnist")),
            "t10k-labels-idx1-ubyte: magic number 00000803, not 00000801; copy "
            "the published file again, uncompressed");
}

TEST_F(MnistTest, MadeUpMarkerGivesTheStandIn) {
  Write("MADE_UP", "");
  testing::internal::CaptureStderr();
  const absl::StatusOr<Dataset> data =
      LoadDataset(Spec("mnist", 50, 20), folder_);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "WARNING: " + folder_ +
                " holds no data: MADE-UP images stand in for mnist\n");
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_TRUE(data->made_up);
  EXPECT_EQ(data->name, "mnist");
  EXPECT_EQ(data->digest,
            LoadDataset(Spec("synthetic_mnist", 50, 20), "")->digest);
}

TEST_F(Cifar10Test, LoadsPlanesAsPixels) {
  WriteCifar10();
  const absl::StatusOr<Dataset> data = LoadDataset(Spec("cifar10"), folder_);
  ASSERT_TRUE(data.ok()) << data.status();
  EXPECT_EQ(data->height, 32);
  EXPECT_EQ(data->width, 32);
  EXPECT_EQ(data->channels, 3);
  EXPECT_FALSE(data->made_up);
  EXPECT_EQ(data->train.count, 50000);
  EXPECT_EQ(data->test.count, 10000);
  ASSERT_EQ(data->train.images.size(), 50000u * 3072);
  // Row 4, column 9 of record 10001, the second of the second file.
  const uint8_t* pixel = &data->train.images[10001 * 3072 + 3 * (4 * 32 + 9)];
  for (int c = 0; c < 3; ++c) {
    EXPECT_EQ(pixel[c], uint8_t(100 * c + 9 + 4 + 7 * 2 + 1)) << c;
  }
  EXPECT_EQ(data->train.labels[10001], 1);
  EXPECT_EQ(data->test.images[3], 1);  // column 1 of the test file
}

TEST_F(Cifar10Test, DamagedFiles) {
  WriteCifar10();
  const std::string good = CifarBatch(3);
  Write("data_batch_3.bin", good.substr(0, good.size() - kCifarRecord));
  EXPECT_EQ(Fault(Spec("cifar10")),
            "data_batch_3.bin: truncated: 30726927 bytes, not 10000 records of "
            "3073; copy the published file again, uncompressed");
  std::string damaged = good;
  damaged[9 * kCifarRecord] = char(200);
  Write("data_batch_3.bin", damaged);
  EXPECT_EQ(Fault(Spec("cifar10")),
            "data_batch_3.bin: label 200 of an image, where 0 to 9 are "
            "allowed; copy the published file again");
}

TEST_F(LoadTest, BadSpecifications) {
  EXPECT_EQ(Fault(Spec("imagenet")),
            "data.dataset: no data set \"imagenet\"; choose mnist, cifar10, "
            "synthetic_mnist or synthetic_cifar10");
  EXPECT_EQ(Fault(Spec("")),
            "data.dataset: no data set \"\"; choose mnist, cifar10, "
            "synthetic_mnist or synthetic_cifar10");
  EXPECT_EQ(Fault(Spec("mnist", 60001)),
            "data.train_examples: 60001 of the 60000 examples of mnist; ask "
            "for 1 to 60000, or 0 for all");
  EXPECT_EQ(Fault(Spec("synthetic_cifar10", 0, -1)),
            "data.test_examples: -1 of the 10000 examples of "
            "synthetic_cifar10; ask for 1 to 10000, or 0 for all");
}

class SyntheticTest : public testing::TestWithParam<const char*> {};

TEST_P(SyntheticTest, ASliceIsTheBeginningOfTheWhole) {
  const Dataset few = *LoadDataset(Spec(GetParam(), 30, 20), "");
  const Dataset more = *LoadDataset(Spec(GetParam(), 50, 40), "");
  EXPECT_TRUE(few.made_up);
  const size_t image = few.height * few.width * few.channels;
  ASSERT_EQ(few.train.images.size(), 30 * image);
  ASSERT_EQ(few.test.images.size(), 20 * image);
  EXPECT_EQ(few.train.images,
            std::vector<uint8_t>(more.train.images.begin(),
                                 more.train.images.begin() + 30 * image));
  EXPECT_EQ(few.test.labels,
            std::vector<uint8_t>(more.test.labels.begin(),
                                 more.test.labels.begin() + 20));
  EXPECT_NE(few.digest, more.digest);
}

TEST_P(SyntheticTest, ImagesDifferAndClassesAreBalanced) {
  const Dataset data = *LoadDataset(Spec(GetParam(), 1000, 1000), "");
  const size_t image = data.height * data.width * data.channels;
  std::set<std::vector<uint8_t>> images;
  std::array<int, 10> counts = {};
  for (const Split* split : {&data.train, &data.test}) {
    for (int64_t n = 0; n < split->count; ++n) {
      const auto begin = split->images.begin() + n * image;
      images.emplace(begin, begin + image);
      ++counts[split->labels[n]];
    }
  }
  EXPECT_EQ(images.size(), 2000u);
  for (const int count : counts) EXPECT_EQ(count, 200);
}

// A nearest-mean classifier, which is linear, does better than chance and far
// from perfectly.
TEST_P(SyntheticTest, LearnableButNotTrivial) {
  const Dataset data = *LoadDataset(Spec(GetParam(), 2000, 1000), "");
  const size_t image = data.height * data.width * data.channels;
  std::vector<std::vector<double>> means(10, std::vector<double>(image));
  for (int64_t n = 0; n < data.train.count; ++n) {
    for (size_t i = 0; i < image; ++i) {
      means[data.train.labels[n]][i] += data.train.images[n * image + i] / 200.;
    }
  }
  int right = 0;
  for (int64_t n = 0; n < data.test.count; ++n) {
    int best = 0;
    double best_distance = HUGE_VAL;
    for (int k = 0; k < 10; ++k) {
      double distance = 0;
      for (size_t i = 0; i < image; ++i) {
        const double d = data.test.images[n * image + i] - means[k][i];
        distance += d * d;
      }
      if (distance < best_distance) {
        best = k;
        best_distance = distance;
      }
    }
    right += best == data.test.labels[n];
  }
  EXPECT_GT(right, 300);
  EXPECT_LT(right, 850);
}

INSTANTIATE_TEST_SUITE_P(Both, SyntheticTest,
                         testing::Values("synthetic_mnist",
                                         "synthetic_cifar10"));

// The made-up data are part of what smoke runs and golden values stand on.
TEST(SyntheticDigestTest, IsPinned) {
  EXPECT_EQ(LoadDataset(Spec("synthetic_mnist", 100, 50), "")->digest,
            "25fb4f579a31db645e95d0d2c19c37438e5456fdcf67c12318e541bc63cb5643");
  EXPECT_EQ(LoadDataset(Spec("synthetic_cifar10", 100, 50), "")->digest,
            "173aba6b535daca84ef1139f219b530d207f4ab008b4979da78bd20b5e1ce53e");
}

TEST(NormalizationTest, Unit) {
  const auto table = *NormalizationTable("unit", Split());
  EXPECT_EQ(table[0], 0.0);
  EXPECT_EQ(table[51], 0.2);
  EXPECT_EQ(table[255], 1.0);
}

TEST(NormalizationTest, Standardized) {
  Split train;
  train.images = {0, 0, 0, 4, 4, 4, 4, 8};  // mean 3, variance 7
  const auto table = *NormalizationTable("standardized", train);
  const double std = 2.6457513110645907;
  EXPECT_DOUBLE_EQ(table[0], -3 / (std + 1e-7));
  EXPECT_EQ(table[3], 0.0);
  EXPECT_DOUBLE_EQ(table[255], 252 / (std + 1e-7));
}

TEST(NormalizationTest, ConstantImages) {
  Split train;
  train.images = {9, 9};
  const auto table = *NormalizationTable("standardized", train);
  EXPECT_EQ(table[9], 0.0);
  EXPECT_DOUBLE_EQ(table[10], 1e7);
}

TEST(NormalizationTest, Faults) {
  EXPECT_EQ(NormalizationTable("zscore", Split()).status().message(),
            "data.normalization: no normalization \"zscore\"; choose unit or "
            "standardized");
  EXPECT_EQ(NormalizationTable("standardized", Split()).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace repro16
