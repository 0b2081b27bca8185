// Labelled images in memory, as published, and how pixels become numbers.
//
// Errors are one line that names the file or the field of the specification,
// the fault and the cure.
#ifndef REPRO16_ENGINE_DATA_DATASET_H_
#define REPRO16_ENGINE_DATA_DATASET_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "engine/run/run.pb.h"

namespace repro16 {

struct Split {
  int64_t count = 0;            // N
  std::vector<uint8_t> images;  // [N, H, W, C]
  std::vector<uint8_t> labels;  // [N], each under Dataset::classes
};

struct Dataset {
  std::string name;  // as in DataSpec::dataset
  int64_t height = 0;
  int64_t width = 0;
  int64_t channels = 0;
  int64_t classes = 0;
  Split train;
  Split test;
  // Generated where published data was asked for but out of reach.
  bool made_up = false;
  // SHA-256 in hexadecimal of what was loaded: training images and labels, then
  // test images and labels.
  std::string digest;
};

// The data set that `spec` names, each split cut to its first so many examples.
//
// "mnist" reads the four IDX files, "cifar10" the six files of the binary
// version, uncompressed, from the folder `data_dir`. Where that folder holds a
// file MADE_UP instead (third_party/datasets.bzl could not fetch the data),
// the synthetic stand-in is loaded, with a line on standard error. The
// "synthetic_" sets need no folder.
absl::StatusOr<Dataset> LoadDataset(const DataSpec& spec,
                                    const std::string& data_dir);

// What each pixel value 0 ... 255 stands for, in f64 (the trainer rounds it to
// the storage type of the input):
//   "unit":          x / 255
//   "standardized":  (x - mean) / (std + 1e-7), one mean and one population
//                    standard deviation over all pixels of `train`, the
//                    examples that DataSpec::train_examples leaves. Of n pixels
//                    with the integer sums s = sum x and q = sum x^2, exact:
//                    mean = s / n, std = sqrt(n q - s^2) / n, where s, n and
//                    n q - s^2 are rounded to f64 first
absl::StatusOr<std::array<double, 256>> NormalizationTable(
    std::string_view normalization, const Split& train);

}  // namespace repro16

#endif  // REPRO16_ENGINE_DATA_DATASET_H_
