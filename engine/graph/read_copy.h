// The copy of a parameter that operations read, where that has another type.
#ifndef REPRO16_ENGINE_GRAPH_READ_COPY_H_
#define REPRO16_ENGINE_GRAPH_READ_COPY_H_

#include <cstdint>
#include <cstring>
#include <vector>

#include "absl/types/span.h"
#include "engine/numerics/round_to_type.h"
#include "engine/numerics/rounding.h"
#include "engine/numerics/visit_dtype.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// r(kept), each element rounded once to `read`.
inline std::vector<uint8_t> ReadCopy(absl::Span<const uint8_t> kept, DType type,
                                     DType read) {
  const size_t n = kept.size() / SizeOf(type);
  std::vector<uint8_t> copy(n * SizeOf(read));
  VisitDType(type, [&](auto tag) {
    auto element = tag;
    for (size_t i = 0; i < n; ++i) {
      std::memcpy(&element, kept.data() + i * sizeof(element), sizeof(element));
      StoreAsType(ToFloat(element), read, copy.data() + i * SizeOf(read));
    }
  });
  return copy;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_GRAPH_READ_COPY_H_
