// For tests of kernels: numbers for operands.
#ifndef REPRO16_ENGINE_NUMERICS_TESTING_TEST_NUMBERS_H_
#define REPRO16_ENGINE_NUMERICS_TESTING_TEST_NUMBERS_H_

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>

#include "engine/numerics/testing/typed_array.h"
#include "engine/tensor/dtype.h"

namespace repro16 {

inline constexpr DType kAllTypes[] = {DType::kF32, DType::kF16, DType::kBF16};

// Numbers whose sums and products round, overflow, underflow and cancel in
// every type. One in `special_every` is a zero, infinity, NaN or subnormal; 0:
// none.
class TestNumbers {
 public:
  explicit TestNumbers(uint32_t seed, int special_every = 0)
      : engine_(seed), special_every_(special_every) {}

  int64_t Below(int64_t n) {
    return static_cast<int64_t>(engine_() % static_cast<uint64_t>(n));
  }
  template <class T, size_t kSize>
  T Pick(const T (&values)[kSize]) {
    return values[Below(kSize)];
  }

  float Next() {
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    constexpr float kSpecial[] = {0.0f,
                                  -0.0f,
                                  kInfinity,
                                  -kInfinity,
                                  std::numeric_limits<float>::quiet_NaN(),
                                  0x1p-24f,
                                  -0x1p-16f,
                                  0x1p-140f,
                                  65504.0f,
                                  0x1.fep127f};
    if (special_every_ != 0 && Below(special_every_) == 0) {
      return Pick(kSpecial);
    }
    const float fraction =
        static_cast<float>(static_cast<int32_t>(engine_() >> 8) - (1 << 23));
    return std::ldexp(fraction, static_cast<int>(Below(24)) - 38);
  }
  // Small whole numbers: many are equal.
  float NextSmall() { return static_cast<float>(Below(7) - 3); }

  void Fill(TypedArray& array) {
    for (int64_t i = 0; i < array.size(); ++i) array.Set(i, Next());
  }
  void FillSmall(TypedArray& array) {
    for (int64_t i = 0; i < array.size(); ++i) array.Set(i, NextSmall());
  }

 private:
  std::mt19937 engine_;
  int special_every_;
};

inline void FillNormal(TypedArray& array, uint32_t seed, float mean,
                       float deviation) {
  std::mt19937 random(seed);
  std::normal_distribution<float> draw(mean, deviation);
  for (int64_t i = 0; i < array.size(); ++i) array.Set(i, draw(random));
}

}  // namespace repro16

#endif  // REPRO16_ENGINE_NUMERICS_TESTING_TEST_NUMBERS_H_
