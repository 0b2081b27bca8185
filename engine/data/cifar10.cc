#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/data/dataset.h"
#include "engine/data/loaders.h"
#include "engine/io/file.h"

namespace repro16 {
namespace {

constexpr int64_t kTrainFiles = 5;

// Appends the `count` records of a file: [C, H, W] becomes [H, W, C].
absl::Status AppendBatch(const std::string& path, const DatasetForm& form,
                         int64_t count, Split* split) {
  const absl::StatusOr<std::string> contents = ReadFile(path);
  if (!contents.ok()) return contents.status();
  const int64_t plane = form.height * form.width;
  const int64_t record = 1 + form.channels * plane;
  const int64_t size = contents->size();
  if (size != count * record) {
    return absl::DataLossError(absl::StrCat(
        path, size < count * record ? ": truncated: " : ": too long: ", size,
        " bytes, not ", count, " records of ", record,
        "; copy the published file again, uncompressed"));
  }
  const size_t first = split->images.size();
  split->images.resize(first + count * form.channels * plane);
  uint8_t* image = split->images.data() + first;
  for (int64_t n = 0; n < count; ++n) {
    const char* bytes = contents->data() + n * record;
    split->labels.push_back(bytes[0]);
    const char* planes = bytes + 1;
    for (int64_t pixel = 0; pixel < plane; ++pixel) {
      for (int64_t c = 0; c < form.channels; ++c) {
        *image++ = planes[c * plane + pixel];
      }
    }
  }
  split->count += count;
  return CheckLabels(*split, path);
}

}  // namespace

absl::Status ReadCifar10(const std::string& folder, const DatasetForm& form,
                         Split* train, Split* test) {
  *train = {};
  *test = {};
  for (int64_t i = 1; i <= kTrainFiles; ++i) {
    const absl::Status status =
        AppendBatch(absl::StrCat(folder, "/data_batch_", i, ".bin"), form,
                    form.train_count / kTrainFiles, train);
    if (!status.ok()) return status;
  }
  return AppendBatch(folder + "/test_batch.bin", form, form.test_count, test);
}

}  // namespace repro16
