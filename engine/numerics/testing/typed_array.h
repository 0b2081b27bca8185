// For tests of kernels: elements of any storage type, and what a store should
// have done, in scalar code.
#ifndef REPRO16_ENGINE_NUMERICS_TESTING_TYPED_ARRAY_H_
#define REPRO16_ENGINE_NUMERICS_TESTING_TYPED_ARRAY_H_

#include <cmath>
#include <cstdint>
#include <cstring>
#include <vector>

#include "engine/numerics/bfloat16.h"
#include "engine/numerics/binary16.h"
#include "engine/numerics/store_counter.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

// `size` elements, all bits set at first (a NaN), at an address that is a
// multiple of the element's size and no more.
class TypedArray {
 public:
  TypedArray(DType type, int64_t size)
      : type_(type),
        bytes_(static_cast<size_t>(size + 1) * SizeOf(type), 0xff) {}

  DType type() const { return type_; }
  void* data() { return bytes_.data() + SizeOf(type_); }
  int64_t size() const {
    return static_cast<int64_t>(bytes_.size() / SizeOf(type_)) - 1;
  }

  float Get(int64_t i) const {
    switch (type_) {
      case DType::kF32:
        return Read<float>(i);
      case DType::kF16:
        return ToFloat(Read<Binary16>(i));
      case DType::kBF16:
        return ToFloat(Read<BFloat16>(i));
    }
    return 0;
  }

  // Rounds; NaN becomes the canonical NaN.
  void Set(int64_t i, float x) {
    if (std::isnan(x)) x = std::nanf("");
    switch (type_) {
      case DType::kF32:
        return Write(i, x);
      case DType::kF16:
        return Write(i, RoundToBinary16(x));
      case DType::kBF16:
        return Write(i, RoundToBFloat16(x));
    }
  }

  // Set, and counts as a kernel's store must.
  void SetCounted(int64_t i, float x, StoreCounter& counter) {
    Set(i, x);
    counter.nan += std::isnan(x);
    counter.infinite += std::isinf(Get(i));
    counter.underflow += x != 0 && Get(i) == 0;
  }

  // The same bits, not the same numbers.
  friend bool operator==(const TypedArray& a, const TypedArray& b) {
    return a.type_ == b.type_ && a.bytes_ == b.bytes_;
  }

 private:
  template <class T>
  T Read(int64_t i) const {
    T x;
    std::memcpy(&x, bytes_.data() + static_cast<size_t>(i + 1) * sizeof(T),
                sizeof(T));
    return x;
  }
  template <class T>
  void Write(int64_t i, T x) {
    std::memcpy(bytes_.data() + static_cast<size_t>(i + 1) * sizeof(T), &x,
                sizeof(T));
  }

  DType type_;
  std::vector<uint8_t> bytes_;
};

inline bool operator==(const StoreCounter& a, const StoreCounter& b) {
  return a.infinite == b.infinite && a.nan == b.nan &&
         a.underflow == b.underflow;
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_TESTING_TYPED_ARRAY_H_
