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
//
// Example n, of label n mod 10, has the stream (random_stream.h) of seed 16,
// step n and part 2 * channels + `kind`. All is integers, / rounds down. Words
// 0, 1, ... give, each as low + (word * (high - low + 1) / 2^32), with S the
// width,
//   x and y  in [S - 1 - S/8, S - 1 + S/8], the centre
//   r        in [S/2, 3 * S / 4], the radius
//   phase    in [0, 7]
//   for each channel a colour in [128, 223] and a background in [32, 96].
// The pixel in (row, column) is at (2 * column, 2 * row) of these half pixels.
// With a >= b its distances from x and y, it is covered by the shape of
//   labels 0, 1 (disc)     where a * a + b * b <= r * r
//   labels 2, 3 (square)   where a <= r * 7 / 8
//   labels 4, 5 (diamond)  where a + b <= r * 5 / 4
//   labels 6, 7 (ring)     like the disc, and 4 * (a * a + b * b) >= r * r
//   labels 8, 9 (cross)    where a <= r and 3 * b <= r
// and of an odd label not where (2 * column + 2 * row + phase) / 4 is odd. Its
// value in each channel is the colour where covered, else the background, plus
// noise / 2 - 64, clamped to [0, 255]; noise is byte i of the words from 16 on,
// the lowest of a word first, i the element of the image.
enum class SplitKind : uint32_t { kTrain = 0, kTest = 1 };
Split MakeSyntheticSplit(const DatasetForm& form, SplitKind kind,
                         int64_t count);

// Fails with "FILE: ..." unless every label is below kClasses.
absl::Status CheckLabels(const Split& split, std::string_view file);

}  // namespace repro16

#endif  // REPRO16_ENGINE_DATA_LOADERS_H_
