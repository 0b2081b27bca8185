// Named tensors in one file, in the safetensors format (the README of
// huggingface/safetensors): an unsigned 64-bit little-endian length, a JSON
// header of that length, then the tensors' bytes, little-endian and row-major,
// without gaps.
#ifndef REPRO16_ENGINE_IO_SAFETENSORS_H_
#define REPRO16_ENGINE_IO_SAFETENSORS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/tensor/dtype.h"
#include "engine/tensor/shape.h"

namespace repro16 {

// The element types that we write: those of engine/tensor/dtype.h, and labels.
enum class SafetensorsType : uint8_t { kF32, kF16, kBF16, kI64 };

// The storage type of the same name.
SafetensorsType ToSafetensorsType(DType type);

// Bytes of one element.
size_t SizeOf(SafetensorsType type);

struct SafetensorsTensor {
  std::string name;
  SafetensorsType type;
  Shape shape;
  std::string bytes;  // shape.NumElements() * SizeOf(type)
};

struct Safetensors {
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsTensor> tensors;

  // Null where there is no tensor of that name.
  const SafetensorsTensor* Find(std::string_view name) const;
};

// The elements, exactly, as f64 (for kI64: exact up to 2^53).
std::vector<double> ToDoubles(const SafetensorsTensor& tensor);

// The file's bytes: a pure function of the argument, tensors in their order,
// the header padded with spaces so that the data begin at a multiple of 8.
// Error: a name that is empty, given twice, "__metadata__"; a name or metadata
// that is not ASCII; bytes that do not fit the shape.
absl::StatusOr<std::string> SerializeSafetensors(const Safetensors& file);

// The tensors in the order of their data; `name` stands for the contents in
// errors. Everything is checked: header length, JSON, types, shapes, and that
// the tensors cover the data exactly once.
absl::StatusOr<Safetensors> ParseSafetensors(std::string_view contents,
                                             std::string_view name);

// The same to and from a file (engine/io/file.h).
absl::Status WriteSafetensors(const std::string& path, const Safetensors& file);
absl::StatusOr<Safetensors> ReadSafetensors(const std::string& path);

}  // namespace repro16

#endif  // REPRO16_ENGINE_IO_SAFETENSORS_H_
