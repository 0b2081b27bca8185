// Loads and stores of the storage types, one element at a time: the scalar
// definition that rounding-inl.h gives for SIMD vectors, and that GPU kernels
// use.
//
// T is the storage type: float, Binary16 or BFloat16.
#ifndef REPRO16_ENGINE_NUMERICS_ROUNDING_H_
#define REPRO16_ENGINE_NUMERICS_ROUNDING_H_

#include <cmath>
#include <cstdint>
#include <type_traits>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"
#include "engine/numerics/store_counter.h"

namespace repro16 {

// Every NaN that is stored as an f32 has these bits.
inline constexpr uint32_t kCanonicalNanF32 = 0x7fc00000;

REPRO16_HOST_DEVICE inline float ToFloat(float x) { return x; }

// x as it is stored: rounded once, to nearest even; NaN gives the canonical
// NaN.
template <class T>
REPRO16_HOST_DEVICE inline T RoundToStored(float x) {
  if constexpr (std::is_same_v<T, Binary16>) {
    return RoundToBinary16(x);
  } else if constexpr (std::is_same_v<T, BFloat16>) {
    return RoundToBFloat16(x);
  } else {
    return f32::IsNan(x) ? FromBits<float>(kCanonicalNanF32) : x;
  }
}

// x rounded to T and widened again: the r() of an elementary operation
// (numerics contract, "Updates"). NaN gives some NaN.
template <class T>
REPRO16_HOST_DEVICE inline float RoundTo(float x) {
  if constexpr (std::is_same_v<T, float>) {
    return x;
  } else {
    return ToFloat(RoundToStored<T>(x));
  }
}

// The store of an operation's result: RoundToStored, counted.
template <class T>
REPRO16_HOST_DEVICE inline T RoundAndCount(float x, StoreCounter& counter) {
  const T stored = RoundToStored<T>(x);
  const float value = ToFloat(stored);
  if (f32::IsNan(value)) ++counter.nan;
  if (std::fabs(value) == INFINITY) ++counter.infinite;
  if (value == 0.0f && x != 0.0f) ++counter.underflow;
  return stored;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_ROUNDING_H_
