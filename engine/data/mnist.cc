#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "engine/data/dataset.h"
#include "engine/data/loaders.h"
#include "engine/io/file.h"

namespace repro16 {
namespace {

// Of unsigned bytes in one and in three dimensions; the magic number's last
// byte counts the dimensions.
constexpr uint32_t kLabelsMagic = 0x00000801;
constexpr uint32_t kImagesMagic = 0x00000803;

uint32_t LoadBigEndian32(std::string_view bytes) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | uint8_t(bytes[i]);
  return value;
}

// Reads an IDX file: a magic number, the dimensions, both as big-endian 32-bit
// numbers, then the elements. The dimensions have to be `dims`.
absl::StatusOr<std::vector<uint8_t>> ReadIdx(const std::string& path,
                                             uint32_t magic,
                                             const std::vector<int64_t>& dims) {
  const absl::StatusOr<std::string> contents = ReadFile(path);
  if (!contents.ok()) return contents.status();
  const auto fault = [&path](std::string_view what) {
    return absl::DataLossError(absl::StrCat(
        path, ": ", what, "; copy the published file again, uncompressed"));
  };
  const size_t header = 4 + 4 * dims.size();
  if (contents->size() < header) {
    return fault(absl::StrFormat("truncated: %d bytes, the header has %d",
                                 contents->size(), header));
  }
  const std::string_view bytes = *contents;
  if (const uint32_t found = LoadBigEndian32(bytes); found != magic) {
    return fault(absl::StrFormat("magic number %08x, not %08x", found, magic));
  }
  size_t size = header;
  size_t elements = 1;
  for (size_t i = 0; i < dims.size(); ++i) {
    const int64_t found = LoadBigEndian32(bytes.substr(4 + 4 * i));
    if (found != dims[i]) {
      return fault(
          absl::StrFormat("dimension %d is %d, not %d", i, found, dims[i]));
    }
    elements *= dims[i];
  }
  size += elements;
  if (bytes.size() != size) {
    return fault(absl::StrFormat("%s: %d bytes, not %d",
                                 bytes.size() < size ? "truncated" : "too long",
                                 bytes.size(), size));
  }
  return std::vector<uint8_t>(bytes.begin() + header, bytes.end());
}

absl::Status ReadSplit(const std::string& prefix, const DatasetForm& form,
                       int64_t count, Split* split) {
  const std::string labels_path = prefix + "-labels-idx1-ubyte";
  absl::StatusOr<std::vector<uint8_t>> images =
      ReadIdx(prefix + "-images-idx3-ubyte", kImagesMagic,
              {count, form.height, form.width});
  if (!images.ok()) return images.status();
  absl::StatusOr<std::vector<uint8_t>> labels =
      ReadIdx(labels_path, kLabelsMagic, {count});
  if (!labels.ok()) return labels.status();
  *split = {count, *std::move(images), *std::move(labels)};
  return CheckLabels(*split, labels_path);
}

}  // namespace

absl::Status ReadMnist(const std::string& folder, const DatasetForm& form,
                       Split* train, Split* test) {
  const absl::Status status =
      ReadSplit(folder + "/train", form, form.train_count, train);
  if (!status.ok()) return status;
  return ReadSplit(folder + "/t10k", form, form.test_count, test);
}

}  // namespace repro16
