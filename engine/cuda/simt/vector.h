// Loads and stores of several elements at once.
#ifndef REPRO16_ENGINE_CUDA_SIMT_VECTOR_H_
#define REPRO16_ENGINE_CUDA_SIMT_VECTOR_H_

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "engine/cuda/simt/simt.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// Whether sizes are multiples of 4, and addresses of 4 elements.
template <class T>
bool InFours(std::initializer_list<int64_t> sizes,
             std::initializer_list<const void*> addresses) {
  bool result = true;
  for (const int64_t size : sizes) result &= size % 4 == 0;
  for (const void* address : addresses) {
    result &= reinterpret_cast<uintptr_t>(address) % (4 * sizeof(T)) == 0;
  }
  return result;
}

// What is stored at once.
template <class T, int kWidth>
struct alignas(kWidth * sizeof(T)) Vector {
  T at[kWidth];
};

// What was loaded at once, in as few registers as it takes: to take it apart is
// to wait for it.
template <class T, int kWidth>
class Loaded {
  static_assert(kWidth == 1 || kWidth == 4);

 public:
#ifdef __CUDACC__
  SIMT_FUNCTION void From(const T* p) {
    bits_ = __ldg(reinterpret_cast<const Bits*>(p));
  }
  SIMT_FUNCTION T At(int i) const {
    if constexpr (sizeof(T) == 4) {
      return i == 0 ? bits_.x : i == 1 ? bits_.y : i == 2 ? bits_.z : bits_.w;
    } else {
      uint16_t low, high;
      asm("mov.b32 {%0, %1}, %2;"
          : "=h"(low), "=h"(high)
          : "r"(i < 2 ? bits_.x : bits_.y));
      return {i % 2 == 0 ? low : high};
    }
  }

 private:
  using Bits = std::conditional_t<sizeof(T) == 4, float4, uint2>;
  Bits bits_;
#else
  SIMT_FUNCTION void From(const T* p) { std::memcpy(at_, p, sizeof(at_)); }
  SIMT_FUNCTION T At(int i) const { return at_[i]; }

 private:
  T at_[kWidth];
#endif
};

template <class T>
class Loaded<T, 1> {
 public:
  SIMT_FUNCTION void From(const T* p) { at_ = Load(p); }
  SIMT_FUNCTION T At(int /*i*/) const { return at_; }

 private:
  T at_;
};

template <class T, int kWidth>
SIMT_FUNCTION void StoreVector(const Vector<T, kWidth>& vector, T* to) {
  *reinterpret_cast<Vector<T, kWidth>*>(to) = vector;
}

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_SIMT_VECTOR_H_
