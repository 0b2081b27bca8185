// The parts of LoadDataset: one reader per published format, and the generator.
#ifndef REPRO16_ENGINE_DATA_LOADERS_H_
#define REPRO16_ENGINE_DATA_LOADERS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/data/dataset.h"

namespace repro16 {

// What a published data set looks like; its stand-in is of the same form.
struct DatasetForm {
  std::string_view name;
  int64_t height;
  int64_t width;
  int64_t channels;
  int64_t train_count;
  int64_t test_count;
  // Reads both splits, whole, from the uncompressed files in a folder.
  absl::Status (*read)(const std::string& folder, const DatasetForm& form,
                       Split* train, Split* test);
};

// Every data set has ten classes.
inline constexpr int64_t kClasses = 10;

// MNIST in IDX files (LeCun, Cortes, Burges).
absl::Status ReadMnist(const std::string& folder, const DatasetForm& form,
                       Split* train, Split* test);

// CIFAR-10 in its binary version (Krizhevsky 2009): records of a label and
// three planes, red, green, blue.
absl::Status ReadCifar10(const std::string& folder, const DatasetForm& form,
                         Split* train, Split* test);

// The first `count` examples of a generated split. Ten classes, in turn: five
// shapes, each filled or striped, of random place, size, colours and phase of
// the stripes, under noise. Integer arithmetic on draws of
// RandomPurpose::kSynthetic, so the same everywhere; an example depends on its
// index alone.
enum class SplitKind : uint32_t { kTrain = 0, kTest = 1 };
Split MakeSyntheticSplit(const DatasetForm& form, SplitKind kind,
                         int64_t count);

// Fails with "FILE: ..." unless every label is below kClasses.
absl::Status CheckLabels(const Split& split, std::string_view file);

}  // namespace repro16

#endif  // REPRO16_ENGINE_DATA_LOADERS_H_
