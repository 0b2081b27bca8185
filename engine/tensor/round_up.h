// Counts of whole pieces, and sizes in whole pieces.
#ifndef REPRO16_ENGINE_TENSOR_ROUND_UP_H_
#define REPRO16_ENGINE_TENSOR_ROUND_UP_H_

#include <type_traits>

namespace repro16 {

// a / b rounded up, for integers a >= 0 and b > 0.
template <class T>
constexpr T CeilDiv(T a, std::common_type_t<T> b) {
  return (a + b - 1) / b;
}

// The least multiple of b that is not below a.
template <class T>
constexpr T RoundUp(T a, std::common_type_t<T> b) {
  return CeilDiv(a, b) * b;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_TENSOR_ROUND_UP_H_
