// The storage types of tensors.
#ifndef REPRO16_ENGINE_TENSOR_DTYPE_H_
#define REPRO16_ENGINE_TENSOR_DTYPE_H_

#include <cstddef>
#include <cstdint>

#include "engine/numerics/host_device.h"

namespace repro16 {

enum class DType : uint8_t {
  kF32,   // IEEE 754 binary32
  kF16,   // IEEE 754 binary16 (engine/numerics/binary16.h)
  kBF16,  // bfloat16 (engine/numerics/bfloat16.h)
};

// Bytes of one element.
REPRO16_HOST_DEVICE constexpr size_t SizeOf(DType type) {
  return type == DType::kF32 ? 4 : 2;
}

// "F32", "F16", "BF16": the names that safetensors uses.
constexpr const char* Name(DType type) {
  switch (type) {
    case DType::kF32:
      return "F32";
    case DType::kF16:
      return "F16";
    case DType::kBF16:
      return "BF16";
  }
  return "";
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_TENSOR_DTYPE_H_
