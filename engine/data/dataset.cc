#include "engine/data/dataset.h"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "engine/data/loaders.h"
#include "engine/io/file.h"
#include "engine/io/sha256.h"
#include "engine/io/terminal.h"

namespace repro16 {
namespace {

constexpr DatasetForm kForms[] = {
    {"mnist", 28, 28, 1, 60000, 10000, ReadMnist},
    {"cifar10", 32, 32, 3, 50000, 10000, ReadCifar10},
};

constexpr std::string_view kSynthetic = "synthetic_";
constexpr std::string_view kMadeUpMarker = "MADE_UP";

absl::StatusOr<DatasetForm> FindForm(std::string_view dataset) {
  const std::string_view name = absl::StripPrefix(dataset, kSynthetic);
  for (const DatasetForm& form : kForms) {
    if (form.name == name) return form;
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "data.dataset: no data set \"", dataset,
      "\"; choose mnist, cifar10, synthetic_mnist or synthetic_cifar10"));
}

// How many examples a field asks for.
absl::StatusOr<int64_t> ExampleCount(std::string_view field, int64_t asked,
                                     std::string_view dataset, int64_t all) {
  if (asked < 0 || asked > all) {
    return absl::InvalidArgumentError(absl::StrCat(
        "data.", field, ": ", asked, " of the ", all, " examples of ", dataset,
        "; ask for 1 to ", all, ", or 0 for all"));
  }
  return asked == 0 ? all : asked;
}

// Whether `folder` says that the published data were out of reach.
absl::StatusOr<bool> IsMadeUp(const std::string& folder,
                              std::string_view dataset) {
  if (folder.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("data.dataset: ", dataset,
                     " is read from files; name the folder that holds them"));
  }
  if (!ReadFile(absl::StrCat(folder, "/", kMadeUpMarker)).ok()) return false;
  PrintFormat(stderr,
              "WARNING: %s holds no data: MADE-UP images stand in for %s\n",
              folder, dataset);
  return true;
}

void KeepFirst(int64_t count, Split* split) {
  const size_t image = split->images.size() / split->count;
  split->images.resize(count * image);
  split->labels.resize(count);
  split->count = count;
}

std::string Digest(const Dataset& data) {
  Sha256 sha;
  for (const Split* split : {&data.train, &data.test}) {
    sha.Update(split->images.data(), split->images.size());
    sha.Update(split->labels.data(), split->labels.size());
  }
  return sha.HexDigest();
}

}  // namespace

absl::Status CheckLabels(const Split& split, std::string_view file) {
  for (const uint8_t label : split.labels) {
    if (label >= kClasses) {
      return absl::DataLossError(absl::StrCat(
          file, ": label ", int{label}, " of an image, where 0 to ",
          kClasses - 1, " are allowed; copy the published file again"));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<Dataset> LoadDataset(const DataSpec& spec,
                                    const std::string& data_dir) {
  const std::string& name = spec.dataset();
  const absl::StatusOr<DatasetForm> form = FindForm(name);
  if (!form.ok()) return form.status();
  const absl::StatusOr<int64_t> train_count = ExampleCount(
      "train_examples", spec.train_examples(), name, form->train_count);
  if (!train_count.ok()) return train_count.status();
  const absl::StatusOr<int64_t> test_count = ExampleCount(
      "test_examples", spec.test_examples(), name, form->test_count);
  if (!test_count.ok()) return test_count.status();

  Dataset data;
  data.name = name;
  data.height = form->height;
  data.width = form->width;
  data.channels = form->channels;
  data.classes = kClasses;
  data.made_up = true;
  if (form->name == name) {
    const absl::StatusOr<bool> made_up = IsMadeUp(data_dir, name);
    if (!made_up.ok()) return made_up.status();
    data.made_up = *made_up;
  }
  if (data.made_up) {
    data.train = MakeSyntheticSplit(*form, SplitKind::kTrain, *train_count);
    data.test = MakeSyntheticSplit(*form, SplitKind::kTest, *test_count);
  } else {
    const absl::Status status =
        form->read(data_dir, *form, &data.train, &data.test);
    if (!status.ok()) return status;
    KeepFirst(*train_count, &data.train);
    KeepFirst(*test_count, &data.test);
  }
  data.digest = Digest(data);
  return data;
}

absl::StatusOr<std::array<double, 256>> NormalizationTable(
    std::string_view normalization, const Split& train) {
  std::array<double, 256> table;
  if (normalization == "unit") {
    for (int x = 0; x < 256; ++x) table[x] = x / 255.0;
    return table;
  }
  if (normalization != "standardized") {
    return absl::InvalidArgumentError(
        absl::StrCat("data.normalization: no normalization \"", normalization,
                     "\"; choose unit or standardized"));
  }
  if (train.images.empty()) {
    return absl::InvalidArgumentError(
        "data.normalization: standardized needs training images; add some");
  }
  // Exact: the sums are integers, rounded when they become f64.
  std::array<int64_t, 256> histogram = {};
  for (const uint8_t x : train.images) ++histogram[x];
  __int128 sum = 0;
  __int128 sum_of_squares = 0;
  for (int64_t x = 0; x < 256; ++x) {
    sum += histogram[x] * x;
    sum_of_squares += histogram[x] * x * x;
  }
  const auto n = static_cast<__int128>(train.images.size());
  const double mean = static_cast<double>(sum) / static_cast<double>(n);
  const double std =
      std::sqrt(static_cast<double>(n * sum_of_squares - sum * sum)) /
      static_cast<double>(n);
  for (int x = 0; x < 256; ++x) table[x] = (x - mean) / (std + 1e-7);
  return table;
}

}  // namespace repro16
