// The sums of one thread of a product: some rows by some columns, in registers.
#ifndef REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_
#define REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_

#include <cstdint>

#include "engine/cuda/product/halves.h"
#include "engine/cuda/simt/simt.h"
#include "engine/numerics/host_device.h"
#include "engine/numerics/narrowing.h"

namespace repro16 {
namespace REPRO16_CUDA_TARGET {

// What an absent term of operand a is staged as: a NaN that no number is
// staged as.
inline constexpr uint32_t kAbsentBits = 0x7fc0ab5e;

SIMT_FUNCTION bool IsAbsent(float x) {
  return ToBits<uint32_t>(x) == kAbsentBits;
}

// acc + a * b, rounded once; in binary16, rounded twice.
struct DotStep {
  SIMT_FUNCTION static float Add(float a, float b, float acc) {
    return f32::Fma(a, b, acc);
  }
  SIMT_FUNCTION static Halves Add(const Halves& a, const Halves& b,
                                  const Halves& acc) {
    return REPRO16_CUDA_TARGET::Add(acc, Mul(a, b));
  }
};

// With an f32 accumulator.
template <int kRows, int kCols, class Step = DotStep>
class F32Sums {
 public:
  SIMT_FUNCTION void Clear() {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      SIMT_UNROLL for (int c = 0; c < kCols; ++c) sums_[r][c] = 0.0f;
    }
  }

  // One position; with kMarks, rows whose term is marked absent pass it by.
  template <bool kMarks>
  SIMT_FUNCTION void AddTerm(const float (&row)[kRows],
                             const float (&col)[kCols]) {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      if (kMarks && IsAbsent(row[r])) continue;
      SIMT_UNROLL for (int c = 0; c < kCols; ++c) {
        sums_[r][c] = Step::Add(row[r], col[c], sums_[r][c]);
      }
    }
  }

  SIMT_FUNCTION float Get(int r, int c) const { return sums_[r][c]; }

 private:
  float sums_[kRows][kCols];
};

// With an f16 accumulator.
template <int kRows, int kCols, class Step = DotStep>
class F16Sums {
 public:
  SIMT_FUNCTION void Clear() {
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      SIMT_UNROLL for (int g = 0; g < kGroups; ++g) sums_[r][g] = AllOf(0.0f);
    }
  }

  template <bool kMarks>
  SIMT_FUNCTION void AddTerm(const float (&row)[kRows],
                             const float (&col)[kCols]) {
    Halves cols[kGroups];
    SIMT_UNROLL for (int g = 0; g < kGroups; ++g) {
      float group[kHalves];
      SIMT_UNROLL for (int i = 0; i < kHalves; ++i) {
        group[i] = col[g * kHalves + i];
      }
      cols[g] = Halves::Of(group);
    }
    SIMT_UNROLL for (int r = 0; r < kRows; ++r) {
      if (kMarks && IsAbsent(row[r])) continue;
      const Halves same = AllOf(row[r]);
      SIMT_UNROLL for (int g = 0; g < kGroups; ++g) {
        sums_[r][g] = Step::Add(same, cols[g], sums_[r][g]);
      }
    }
  }

  SIMT_FUNCTION float Get(int r, int c) const {
    return sums_[r][c / kHalves].At(c % kHalves);
  }

 private:
  static_assert(kCols % kHalves == 0);
  static constexpr int kGroups = kCols / kHalves;

  Halves sums_[kRows][kGroups];
};

}  // namespace REPRO16_CUDA_TARGET
}  // namespace repro16

#endif  // REPRO16_ENGINE_CUDA_PRODUCT_THREAD_SUMS_H_
