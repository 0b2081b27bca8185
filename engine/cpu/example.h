// Where one example of a batch lies.
#ifndef REPRO16_ENGINE_CPU_EXAMPLE_H_
#define REPRO16_ENGINE_CPU_EXAMPLE_H_

#include <cstdint>

#include "engine/cpu/kernel.h"

namespace repro16 {

// The first byte of example n of a tensor.
inline uint8_t* ExampleOf(const TensorRef& tensor, int64_t n) {
  return static_cast<uint8_t*>(tensor.data) + n * tensor.Bytes(1);
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_CPU_EXAMPLE_H_
